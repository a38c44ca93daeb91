"""Data sets that people label: a name, sounds that stay where they are, and what was said of them.

A set is a folder with a store; its sounds lie in it, or in a folder of the machine that it names.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from audioclf import audio, place
from audioclf.labels import Label, store
from audioclf.labels.store import File
from audioclf.layouts import SOUNDS

STORE, SOUNDS_FOLDER = "labels.sqlite", "sounds"
NAME, FOLDER = "name", "folder"
NO_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]|^\.|^\s*$')
MAX_NAME = 100
Counted = Callable[[Iterable[Path]], Iterable[Path]]


@dataclass(frozen=True)
class LabelledSet:
    """A data set that is being labelled."""

    folder: Path

    @property
    def name(self) -> str:
        """What people call it: the folder's name."""
        return self.folder.name

    @property
    def store(self) -> Path:
        """The file with everything that was said."""
        return self.folder / STORE

    @property
    def sounds(self) -> Path:
        """The folder of its sounds."""
        with store.opened(self.store) as db:
            return Path(store.fact(db, FOLDER) or self.folder / SOUNDS_FOLDER)

    def files(self) -> list[File]:
        """Its sounds, as they were when they were added."""
        with store.opened(self.store) as db:
            return store.files(db)

    def labels(self) -> list[Label]:
        """What counts now."""
        with store.opened(self.store) as db:
            return store.labels(db)

    def durations(self) -> dict[str, float]:
        """Seconds of every sound that says how long it is."""
        return {one.place: one.duration_s for one in self.files() if one.duration_s is not None}


def home() -> Path:
    """The folder of all sets."""
    return place.data_home() / "sets"


def find_all() -> list[LabelledSet]:
    """Every set, by name."""
    return [LabelledSet(path.parent) for path in sorted(home().glob(f"*/{STORE}"))]


def find(name: str) -> LabelledSet:
    """The set of that name, which is never a path. Raises ValueError."""
    found = next((one for one in find_all() if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in find_all()) or "(there are none yet)"
        raise ValueError(f"There is no data set “{name}”: name one of {known}.")
    return found


def create(name: str, sounds: Path | None = None) -> LabelledSet:
    """A new, empty set; `sounds`: a folder whose sounds it labels where they lie.

    Raises ValueError for a name that is taken or cannot be one.
    """
    if len(name) > MAX_NAME or NO_NAME.search(name):
        raise ValueError(f"“{name[:40]}” cannot name a data set: use letters, digits and spaces.")
    made = LabelledSet(home() / name)
    if made.folder.exists():
        raise ValueError(f"There is a data set “{name}” already: choose another name.")
    if sounds is not None and not sounds.is_dir():
        raise ValueError(f"There is no folder “{sounds}”: name the folder of the sounds.")
    with store.opened(made.store) as db:
        store.set_fact(db, NAME, name)
        store.set_fact(db, FOLDER, str(sounds.resolve()) if sounds else None)
    return made


def look(one: LabelledSet, progress: Counted = iter) -> int:
    """Add the sounds that are in its folder and not in the set; how many these were.

    Those that cannot be read are in the set too, with the reason.
    """
    root = one.sounds
    known = {file.place for file in one.files()}
    paths = [path for path in sorted(root.rglob("*")) if _is_sound(path, root)]
    new = [path for path in paths if path.relative_to(root).as_posix() not in known]
    found = [_file(path, root) for path in progress(new)]
    with store.opened(one.store) as db:
        return store.add_files(db, found)


def _is_sound(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    hidden = any(part.startswith((".", "__")) for part in parts)
    return path.suffix.lower() in SOUNDS and not hidden and path.is_file()


def _file(path: Path, root: Path) -> File:
    where = path.relative_to(root).as_posix()
    try:
        header = audio.read_header(path)
    except ValueError as error:
        return File(where, trouble=str(error))
    return File(where, header.duration_s, header.sample_rate_hz)
