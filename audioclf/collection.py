"""Sounds that somebody brought to be taught: a folder under a name that nobody guesses.

An archive is a data set as it is; files are added class by class. Names of classes are typed by
people, so they are checked, and made safe as names of folders.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audioclf import archive, audio, dataset, job, label_export, place
from audioclf.archive import ArchiveLimits
from audioclf.dataset import Dataset
from audioclf.deadline import Check, never
from audioclf.jobs import DAY_S, new_id
from audioclf.kept_values import saying_why
from audioclf.labelled import LabelledSet
from audioclf.labels import MAX_NAME, class_name
from audioclf.layouts import SOUNDS

FILES = "my sounds"  # the folder of what is brought file by file
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,31}")
NO_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True)
class Limits:
    """What may be brought; None is no limit."""

    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    max_archive_bytes: int | None = None
    max_clips: int | None = None
    max_classes: int | None = None
    max_seconds: float | None = None  # of sound
    max_bytes_of_all: int | None = None  # of everything that was brought and is still here
    sound: audio.Limits = audio.ANY  # of one clip


def home() -> Path:
    """The folder of all collections."""
    return place.home() / "collections"


def folder_of(collection: str) -> Path:
    """Where a collection's data set lies. Raises ValueError for one that is not here any more."""
    if not ID.fullmatch(collection) or not (home() / collection).is_dir():
        raise ValueError("These sounds are not here any more: bring them again.")
    inside = [path for path in (home() / collection).iterdir() if path.is_dir()]
    if len(inside) != 1:
        raise ValueError("These sounds are not here any more: bring them again.")
    return inside[0]


def from_archive(path: Path, name: str, limits: Limits) -> str:
    """A new collection with what a ZIP holds. Raises ValueError, and leaves nothing then."""
    if limits.max_archive_bytes and path.stat().st_size > limits.max_archive_bytes:
        raise ValueError(
            f"This archive is larger than {limits.max_archive_bytes / 1e6:,.0f} MB: split it."
        )
    check_room(limits, home())
    made = home() / new_id()
    try:
        archive.unpack(path, made / _safe(name), limits.archive)
        check(dataset.load(folder_of(made.name)), limits)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made.name


def from_labels(one: LabelledSet, limits: Limits, in_time: Check = never) -> str:
    """A new collection with what is labelled in a set now, every stretch as a clip.

    Clips of one recording stay together; those of several classes are left out. Raises ValueError.
    """
    check_room(limits, home())
    made = home() / new_id()
    try:
        with label_export.made(one, label_export.FOR_TEACHING, in_time) as folder:
            shutil.copytree(folder, made / _safe(one.name))
        check(dataset.load(folder_of(made.name)), limits)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made.name


def with_files(collection: str | None, label: str, paths: Sequence[Path], limits: Limits) -> str:
    """The collection with these files under a class; a new one where it holds an archive.

    A file whose name is there already gets a number. Raises ValueError.
    """
    label = check_label(label)
    sounds = [path for path in paths if path.suffix.lower() in SOUNDS]
    if not sounds:
        raise ValueError("None of these files is a sound: choose wav, flac, ogg, mp3 or the like.")
    check_room(limits, home())
    known = collection if collection and _is_of_files(collection) else None
    before = list((home() / known / FILES).glob("*/*")) if known else []
    n_bytes = sum(path.stat().st_size for path in (*before, *sounds))
    if limits.max_archive_bytes and n_bytes > limits.max_archive_bytes:
        mb = limits.max_archive_bytes / 1e6
        raise ValueError(f"At most {mb:,.0f} MB may be brought here: bring fewer or shorter clips.")
    n_before = len(before)
    if limits.max_clips and n_before + len(sounds) > limits.max_clips:
        raise ValueError(f"At most {limits.max_clips} clips may be brought here: bring fewer.")
    made = _apart(known) if known else new_id()
    folder = home() / made / FILES / _spelt(label, [path.parent.name for path in before])
    with saying_why(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in sounds:
            shutil.copy(path, _free(folder / path.name))
    return made


def fingerprint(folder: Path) -> str:
    """A name for a folder's files as they are now: their places, sizes and times of change."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.stat() if path.is_file() else None
        if stat is not None:
            found.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}".encode())
    return found.hexdigest()[:32]


def check(data: Dataset, limits: Limits) -> None:
    """Raise ValueError for more than the limits allow."""
    if limits.max_clips and len(data.clips) > limits.max_clips:
        raise ValueError(
            f"These are {len(data.clips):,} clips, and {limits.max_clips:,} may be brought here: "
            "bring fewer."
        )
    if limits.max_classes and len(data.classes) > limits.max_classes:
        raise ValueError(
            f"These are {len(data.classes)} classes, and {limits.max_classes} may be brought here: "
            "bring fewer."
        )


def check_label(label: str) -> str:
    """A class's name as it is used. Raises ValueError where it cannot be one."""
    label = " ".join(str(label or "").split())
    if not label:
        raise ValueError("Type the class of these sounds first.")
    label = class_name(label)
    if NO_NAMES.search(label):
        raise ValueError(
            'A class that becomes a folder has none of \\ / : * ? " < > | in its name: choose one.'
        )
    if label.startswith((".", "__")) or set(label) == {"."}:
        raise ValueError(
            "A class's name cannot begin with a dot or two underscores: choose another."
        )
    return label


def delete_old(seconds: float = DAY_S) -> None:
    """Remove what was brought longer ago, unless a job that is still here was taught with it."""
    read = {Path(one.request.folder).parent for one in job.find_all()}
    for path in home().glob("*"):
        if path not in read and time.time() - path.stat().st_mtime > seconds:
            shutil.rmtree(path, ignore_errors=True)


def _apart(collection: str) -> str:
    """The collection itself, or where a job is taught with it another one with the same files."""
    folder = home() / collection
    if folder not in {Path(one.request.folder).parent for one in job.find_all()}:
        return collection
    made = new_id()
    shutil.copytree(folder, home() / made, copy_function=os.link)
    return made


def check_room(limits: Limits, folder: Path) -> None:
    """Raise ValueError where all that was brought to that folder fills its share of the disk."""
    if limits.max_bytes_of_all is None:
        return
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if n_bytes > limits.max_bytes_of_all:
        raise ValueError("This page is full just now: try again in a few hours.")


def _is_of_files(collection: str) -> bool:
    return bool(ID.fullmatch(collection)) and (home() / collection / FILES).is_dir()


def _spelt(label: str, known: Sequence[str]) -> str:
    """A class's folder: “Dog” goes to “dog” where that is there already."""
    name = _safe(label)
    return next((one for one in known if one.casefold() == name.casefold()), name)


def _safe(name: str) -> str:
    """A name as a folder's."""
    made = NO_NAMES.sub("_", name).strip(" .")[:MAX_NAME]
    return made if made and not made.startswith("__") else "sounds"


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} {number}{path.suffix}")
    return free
