"""Where what can be made again is kept, and where what people made; what to do where it is full."""

import os
import site
import sysconfig
from collections.abc import Callable
from pathlib import Path

import platformdirs

APP = "audioclf"
CACHE, DATA, JOBS = "AUDIOCLF_CACHE", "AUDIOCLF_DATA", "AUDIOCLF_JOBS"
CHECKPOINTS = "AUDIOCLF_CHECKPOINTS"
PUBLIC = "AUDIOCLF_PUBLIC"  # set by a page that anybody may visit, and by its child processes


def cache_dir() -> Path:
    """The cache folder of audioclf: AUDIOCLF_CACHE, or the system's for a user's caches."""
    return _named(CACHE) or _users("XDG_CACHE_HOME", ".cache", platformdirs.user_cache_path)


def data_dir() -> Path:
    """The folder of what people made: AUDIOCLF_DATA, or the system's for a user's data."""
    return _named(DATA) or _users("XDG_DATA_HOME", ".local/share", platformdirs.user_data_path)


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).resolve() if value else None


def _users(variable: str, former: str, current: Callable[..., Path]) -> Path:
    """The system's folder for audioclf, unless there is one where it was before on every system."""
    before = Path(os.environ.get(variable) or Path.home() / former) / APP
    return before if before.is_dir() else current(APP, appauthor=False)


def checkpoint_dirs() -> list[Path]:
    """The folders of checkpoints: new ones are saved in the first, and all of them are searched.

    That of AUDIOCLF_CHECKPOINTS alone, where it is set; in a checkout its `checkpoints/`; where
    audioclf is installed, the user's data folder and the models that were installed with it.
    """
    named, checkout = os.environ.get(CHECKPOINTS), Path(__file__).parents[2]
    if named:
        return [Path(named)]
    if (checkout / "pyproject.toml").is_file():
        return [checkout / "checkpoints"]
    installed = (Path(sysconfig.get_path("data")), Path(site.getuserbase()), checkout)
    shipped = (prefix / "share" / APP / "checkpoints" for prefix in installed)
    return [data_dir() / "checkpoints", *filter(Path.is_dir, dict.fromkeys(shipped))]


def jobs_dir() -> Path:
    """The folder of all trainings: AUDIOCLF_JOBS, or in the cache."""
    return _named(JOBS) or cache_dir() / "jobs"


def is_public() -> bool:
    """Whether whoever reads a sentence may be a visitor, who can name no folder and run nothing."""
    return bool(os.environ.get(PUBLIC) or os.environ.get("SPACE_ID"))


def remedy(folder: Path) -> str:
    """What to do where that folder cannot be written: to a visitor of a page, nothing but wait."""
    if is_public():
        return "try again later"
    lies_in = ((JOBS, jobs_dir()), (DATA, data_dir()), (CACHE, cache_dir()))
    path = folder.resolve()
    variable = next((name for name, root in lies_in if path.is_relative_to(root.resolve())), None)
    return "free some space, or name another folder" + (f" with {variable}" if variable else "")
