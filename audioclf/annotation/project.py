"""Data sets that people label: a name, sounds that stay where they are, and what was said of them.

A set is a folder with a store; its sounds lie in it, or in a folder of the machine that it names.
"""

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.audio import io
from audioclf.audio.io import Limits
from audioclf.datasets.formats.base import Label, class_name
from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.storage import names, paths
from audioclf.storage.atomic import delete_staged
from audioclf.storage.files import oserror_as_valueerror

STORE, SOUNDS_FOLDER = "labels.sqlite", "sounds"
NAME, FOLDER = "name", "folder"
NO_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]|^\.|^\s*$')
MAX_NAME = 100
Counted = Callable[[Iterable[Path]], Iterable[Path]]


@dataclass(frozen=True)
class AnnotationProject:
    """A data set that is being labelled."""

    folder: Path

    @property
    def id(self) -> str:
        """What tells it from the others: its folder's name."""
        return self.folder.name

    @property
    def name(self) -> str:
        """What people call it."""
        try:
            with database.connect(self.store) as db:
                return str(catalog.setting(db, NAME) or self.id)
        except ValueError:  # whoever opens it is told
            return self.id

    @property
    def is_external(self) -> bool:
        """Whether its sounds lie in a folder of somebody's, which stays as it is."""
        return self.sounds != self.folder / SOUNDS_FOLDER

    @property
    def store(self) -> Path:
        """The file with everything that was said."""
        return self.folder / STORE

    @property
    def sounds(self) -> Path:
        """The folder of its sounds."""
        with database.connect(self.store) as db:
            return Path(catalog.setting(db, FOLDER) or self.folder / SOUNDS_FOLDER)

    def path_of(self, file: str) -> Path:
        """Where one of its sounds lies. Raises ValueError for what lies elsewhere."""
        root = self.sounds
        path = root / file
        if "\0" in file or not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"“{file[:80]}” is not among the sounds of this data set: add it.")
        return path

    def files(self) -> list[File]:
        """Its sounds, as they were when they were added."""
        with database.connect(self.store) as db:
            return catalog.files(db)

    @property
    def n_files(self) -> int:
        """How many sounds it has; they are only ever added."""
        with database.connect(self.store) as db:
            return catalog.n_files(db)

    def labels(self) -> list[Label]:
        """What counts now."""
        with database.connect(self.store) as db:
            return event_log.labels(db)

    def classes(self) -> list[str]:
        """Its classes, in the order of their keys."""
        with database.connect(self.store) as db:
            return catalog.classes(db)

    def durations(self) -> dict[str, float]:
        """Seconds of every sound that says how long it is."""
        return {one.place: one.duration_s for one in self.files() if one.duration_s is not None}


def home() -> Path:
    """The folder of all sets."""
    return paths.data_dir() / "sets"


def find_all() -> list[AnnotationProject]:
    """Every set, by name."""
    return [AnnotationProject(path.parent) for path in sorted(home().glob(f"*/{STORE}"))]


def by_id(own_id: object) -> AnnotationProject:
    """The set of that id alone, which others do not guess. Raises ValueError."""
    name = str(own_id or "")
    found = AnnotationProject(home() / name)
    if len(name) > MAX_NAME or NO_NAME.search(name) or not found.store.is_file():
        raise ValueError("This data set is not here any more: choose another, or make one.")
    return found


def find(name: str) -> AnnotationProject:
    """The set of that name or id, which is never a path. Raises ValueError."""
    every = find_all()
    found = next((one for one in every if one.id == name), None)
    found = found or next((one for one in every if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in every) or "(there are none yet)"
        raise ValueError(f"There is no data set “{name}”: name one of {known}.")
    return found


def create(name: str, sounds: Path | None = None, own_id: str = "") -> AnnotationProject:
    """A new, empty set; `sounds`: a folder whose sounds it labels where they lie.

    own_id: its folder's name, where others may not guess it. Raises ValueError for a name that is
    taken or cannot be one.
    """
    name = name.strip()
    if len(name) > MAX_NAME or NO_NAME.search(name) or names.fault(name):
        raise ValueError(f"“{name[:40]}” cannot name a data set: use letters, digits and spaces.")
    made = AnnotationProject(home() / (own_id or name))
    if made.folder.exists():
        raise ValueError(f"There is a data set “{name}” already: choose another name.")
    if sounds is not None and not sounds.is_dir():
        raise ValueError(f"There is no folder “{sounds}”: name the folder of the sounds.")
    with oserror_as_valueerror(made.folder), database.connect(made.store) as db:
        catalog.set_setting(db, NAME, name)
        catalog.set_setting(db, FOLDER, str(sounds.resolve()) if sounds else None)
    return made


def scan_files(one: AnnotationProject, progress: Counted = iter, limits: Limits = io.ANY) -> int:
    """Add the sounds that are in its folder and not in the set; how many these were.

    Those that cannot be read are in the set too, with the reason, until they were changed.
    """
    root = one.sounds
    with database.connect(one.store) as db:
        known, troubles = catalog.places(db), catalog.troubles(db)
    paths = [path for path in sorted(root.rglob("*")) if _is_sound(path, root)]
    places = {path.relative_to(root).as_posix(): path for path in paths}
    for where in places:
        _check_text(where)
    new = [path for place, path in places.items() if place not in known]
    changed = [
        places[place] for place, at in troubles.items()
        if place in places and places[place].stat().st_mtime > at
    ]  # fmt: skip
    found = [_file(path, root, limits) for path in progress([*new, *changed])]
    with database.connect(one.store) as db:
        for file in found[len(new) :]:
            catalog.replace_file(db, file)
        return catalog.add_files(db, found[: len(new)])


def rename_class(one: AnnotationProject, old: str, new: str, who: str) -> int:
    """Say every label of a class again under another name; how many these were.

    With the name of another class both are one from then on. Raises ValueError.
    """
    new = class_name(new)
    with database.connect(one.store) as db, database.transaction(db):
        if old not in catalog.classes(db):
            raise ValueError("Choose the class to rename first.")
        events = [event for event in event_log.current(db) if old in event.names]
        for event in events:
            names = tuple(dict.fromkeys(new if name == old else name for name in event.names))
            event_log.add(db, replace(event, names=names, who=who, at=0.0, token=""))
        catalog.rename_class(db, old, new)
    return len(events)


def delete(one: AnnotationProject) -> None:
    """Remove a set with all that was said; sounds in a folder that it only names stay."""
    shutil.rmtree(one.folder, ignore_errors=True)


def delete_old(seconds: float) -> None:
    """Remove sets in which nothing was said or brought for so long."""
    for one in find_all():
        delete_staged(one.folder)  # of a process that was killed
    for one in find_all():
        with contextlib.suppress(OSError):  # somebody labels just now
            newest = max(path.stat().st_mtime for path in one.folder.iterdir())
            if time.time() - newest > seconds:
                delete(one)


def _check_text(where: str) -> None:
    """Raise ValueError for a file whose name is no text."""
    try:
        where.encode()
    except UnicodeError:
        shown = where.encode("utf-8", "replace").decode()
        raise ValueError(f"“{shown[-80:]}” has letters that are none: rename this file.") from None


def _is_sound(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    hidden = any(part.startswith((".", "__")) for part in parts)
    return path.suffix.lower() in AUDIO_SUFFIXES and not hidden and path.is_file()


def _file(path: Path, root: Path, limits: Limits) -> File:
    where = path.relative_to(root).as_posix()
    try:
        header = io.read_header(path, limits)
        seconds = header.duration_s
        if seconds is None:  # some recorders write no length: it is counted
            blocks = io.read_blocks(path, limits=limits)
            seconds = sum(len(block) for block in blocks) / header.sample_rate_hz
    except ValueError as error:
        return File(where, trouble=str(error))
    return File(where, seconds, header.sample_rate_hz)
