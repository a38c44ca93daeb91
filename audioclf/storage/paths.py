"""Where what can be made again is kept, and where what people made; what to do where it is full."""

import os
from pathlib import Path

CACHE, DATA, JOBS = "AUDIOCLF_CACHE", "AUDIOCLF_DATA", "AUDIOCLF_JOBS"
PUBLIC = "AUDIOCLF_PUBLIC"  # set by a page that anybody may visit, and by its child processes


def cache_dir() -> Path:
    """The cache folder of audioclf: AUDIOCLF_CACHE, or in the user's cache folder."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audioclf"


def data_dir() -> Path:
    """The folder of what people made: AUDIOCLF_DATA, or in the user's data folder."""
    named = os.environ.get(DATA)
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "audioclf"


def jobs_dir() -> Path:
    """The folder of all trainings: AUDIOCLF_JOBS, or in the cache."""
    named = os.environ.get(JOBS)
    return Path(named).resolve() if named else cache_dir() / "jobs"


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
