"""Annotation projects: data sets that people label, each a name, audio files and annotations.

A project is a folder with a store; its audio files lie in it, or in an external folder of the
machine that it names.
"""

import contextlib
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
        """Its folder's name, which is unique."""
        return self.folder.name

    def read_name(self) -> str:
        """The name that people gave it."""
        try:
            with database.connect(self.store) as db:
                return str(catalog.setting(db, NAME) or self.id)
        except ValueError:  # shown to whoever opens it
            return self.id

    def is_external(self) -> bool:
        """Whether its audio files lie in an external folder, which stays as it is."""
        return self.audio_folder() != self.folder / SOUNDS_FOLDER

    @property
    def store(self) -> Path:
        """The SQLite file with its annotations."""
        return self.folder / STORE

    def audio_folder(self) -> Path:
        """The folder of its audio files."""
        with database.connect(self.store) as db:
            return Path(catalog.setting(db, FOLDER) or self.folder / SOUNDS_FOLDER)

    def path_of(self, file: str) -> Path:
        """The path of one of its files. Raises ValueError for one outside of its folder."""
        root = self.audio_folder()
        path = root / file
        if "\0" in file or not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"“{file[:80]}” is not among the sounds of this data set: add it.")
        return path

    def files(self) -> list[File]:
        """Its files, as they were when they were added."""
        with database.connect(self.store) as db:
            return catalog.files(db)

    def count_files(self) -> int:
        """The number of its files; they are only ever added."""
        with database.connect(self.store) as db:
            return catalog.n_files(db)

    def labels(self) -> list[Label]:
        """Its current labels."""
        with database.connect(self.store) as db:
            return event_log.labels(db)

    def classes(self) -> list[str]:
        """Its classes, in the order of their keys."""
        with database.connect(self.store) as db:
            return catalog.classes(db)

    def durations(self) -> dict[str, float]:
        """Durations of all files of known length, in seconds, by relative path."""
        return {
            file.relative_path: file.duration_s
            for file in self.files()
            if file.duration_s is not None
        }


def home() -> Path:
    """The folder of all projects."""
    return paths.data_dir() / "sets"


def find_all() -> list[AnnotationProject]:
    """Find all projects.

    Returns
    -------
    list of AnnotationProject
        The projects, sorted by their folders' names.
    """
    return [AnnotationProject(path.parent) for path in sorted(home().glob(f"*/{STORE}"))]


def by_id(project_id: object) -> AnnotationProject:
    """The project of that id, which others cannot guess. Raises ValueError."""
    name = str(project_id or "")
    project = AnnotationProject(home() / name)
    if len(name) > MAX_NAME or NO_NAME.search(name) or not project.store.is_file():
        raise ValueError("This data set is not here any more: choose another, or make one.")
    return project


def find(name: str) -> AnnotationProject:
    """Find a project by its name or id, which is never a path.

    Parameters
    ----------
    name : str
        The id (the name of the project's folder), or the name that people gave it.

    Returns
    -------
    AnnotationProject
        The project of that id; where none has it, the first one of that name.

    Raises
    ------
    ValueError
        Where there is none.
    """
    projects = find_all()
    project = next((p for p in projects if p.id == name), None)
    project = project or next((p for p in projects if p.read_name() == name), None)
    if project is None:
        names = ", ".join(p.read_name() for p in projects) or "(there are none yet)"
        raise ValueError(f"There is no data set “{name}”: name one of {names}.")
    return project


def create(name: str, sounds: Path | None = None, project_id: str = "") -> AnnotationProject:
    """Create an empty project.

    Parameters
    ----------
    name : str
        What people call it: up to 100 characters that a folder's name may have.
    sounds : Path, optional
        An external folder whose audio files are labelled and stay where they are; None for a folder
        of the project's own.
    project_id : str, optional
        The name of its folder, where others must not guess it; by default that is `name`.

    Returns
    -------
    AnnotationProject
        The project, without files: `scan_files` adds them.

    Raises
    ------
    ValueError
        For a name that is taken or invalid, a folder that is missing, and a disk that cannot be
        written.
    """
    name = name.strip()
    if len(name) > MAX_NAME or NO_NAME.search(name) or names.fault(name):
        raise ValueError(f"“{name[:40]}” cannot name a data set: use letters, digits and spaces.")
    project = AnnotationProject(home() / (project_id or name))
    if project.folder.exists():
        raise ValueError(f"There is a data set “{name}” already: choose another name.")
    if sounds is not None and not sounds.is_dir():
        raise ValueError(f"There is no folder “{sounds}”: name the folder of the sounds.")
    with oserror_as_valueerror(project.folder), database.connect(project.store) as db:
        catalog.set_setting(db, NAME, name)
        catalog.set_setting(db, FOLDER, str(sounds.resolve()) if sounds else None)
    return project


def scan_files(
    project: AnnotationProject, progress: Counted = iter, limits: Limits = io.ANY
) -> int:
    """Add the audio files of its folder that are not in the project yet; returns how many are new.

    Those that cannot be read are added with the reason, and read again when they change.
    """
    root = project.audio_folder()
    with database.connect(project.store) as db:
        existing, error_times = catalog.relative_paths(db), catalog.error_times(db)
    audio_paths = [path for path in sorted(root.rglob("*")) if _is_audio(path, root)]
    paths = {path.relative_to(root).as_posix(): path for path in audio_paths}
    for name in paths:
        _check_text(name)
    new = [path for name, path in paths.items() if name not in existing]
    changed = [
        paths[name] for name, time_s in error_times.items()
        if name in paths and paths[name].stat().st_mtime > time_s
    ]  # fmt: skip
    files = [_file(path, root, limits) for path in progress([*new, *changed])]
    with database.connect(project.store) as db:
        for file in files[len(new) :]:
            catalog.replace_file(db, file)
        return catalog.add_files(db, files[: len(new)])


def rename_class(project: AnnotationProject, old: str, new: str, annotator: str) -> int:
    """Rename a class in all current labels; returns how many these were.

    With the name of another class both are merged. One undo takes all of it back (see
    `event_log.undo`). Raises ValueError.
    """
    new = class_name(new)
    with database.connect(project.store) as db, database.transaction(db):
        if old not in catalog.classes(db):
            raise ValueError("Choose the class to rename first.")
        if new == old:
            return 0
        n_labels = event_log.add_rename(db, old, new, annotator, uuid.uuid4().hex)
        catalog.rename_class(db, old, new)
    return n_labels


def class_counts(project: AnnotationProject) -> dict[str, int]:
    """How many current labels each class has, in the order of the classes' keys."""
    with database.connect(project.store) as db:
        counts = dict.fromkeys(catalog.classes(db), 0)
        for event in event_log.current(db):
            counts |= {name: counts.get(name, 0) + 1 for name in event.names}
    return counts


def delete(project: AnnotationProject) -> None:
    """Delete a project with its annotations; files in an external folder stay."""
    shutil.rmtree(project.folder, ignore_errors=True)


def delete_old(seconds: float) -> None:
    """Delete projects to which nothing was added for so long."""
    for project in find_all():
        delete_staged(project.folder)  # of a process that was killed
    for project in find_all():
        with contextlib.suppress(OSError):  # somebody labels just now
            newest = max(path.stat().st_mtime for path in project.folder.iterdir())
            if time.time() - newest > seconds:
                delete(project)


def _check_text(name: str) -> None:
    """Raise ValueError for a file whose name is no text."""
    try:
        name.encode()
    except UnicodeError:
        shown = name.encode("utf-8", "replace").decode()
        raise ValueError(f"“{shown[-80:]}” has letters that are none: rename this file.") from None


def _is_audio(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    hidden = any(part.startswith((".", "__")) for part in parts)
    return path.suffix.lower() in AUDIO_SUFFIXES and not hidden and path.is_file()


def _file(path: Path, root: Path, limits: Limits) -> File:
    relative_path = path.relative_to(root).as_posix()
    try:
        header = io.read_header(path, limits)
        seconds = header.duration_s
        if seconds is None:  # some recorders write no length: it is counted
            blocks = io.read_blocks(path, limits=limits)
            seconds = sum(len(block) for block in blocks) / header.sample_rate_hz
    except ValueError as error:
        return File(relative_path, error=str(error))
    return File(relative_path, seconds, header.sample_rate_hz)
