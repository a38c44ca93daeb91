"""Uploaded training data: a folder (a collection) under a name that nobody guesses.

An archive is a data set as it is; files are added class by class. Names of classes are typed by
people, so they are checked, and made safe as names of folders.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audioclf.audio import io
from audioclf.datasets import dataset, zip_archive
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.formats.base import MAX_NAME, class_name
from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.datasets.zip_archive import ArchiveLimits, Budget
from audioclf.jobs import job
from audioclf.jobs.queue import DAY_S, new_id
from audioclf.storage import names, paths
from audioclf.storage.atomic import delete_staged, move_in, one_at_a_time, staging, unique_path
from audioclf.storage.files import oserror_as_valueerror

FILES = "my sounds"  # the folder of what is uploaded file by file
ADDING = ".adding"  # locked while files are given their names
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,31}")
NO_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True)
class Limits:
    """Limits of uploads; None is no limit."""

    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    max_archive_bytes: int | None = None
    max_clips: int | None = None
    max_classes: int | None = None
    max_seconds: float | None = None  # of sound
    max_bytes_of_all: int | None = None  # of all uploads that are still here
    sound: io.Limits = io.ANY  # of one clip


def home() -> Path:
    """The folder of all collections."""
    return paths.cache_dir() / "collections"


def folder_of(collection: str) -> Path:
    """Where a collection's data set lies. Raises ValueError for one that is not here any more."""
    if not ID.fullmatch(collection) or not (home() / collection).is_dir():
        raise ValueError("These sounds are not here any more: add them again.")
    inside = [path for path in (home() / collection).iterdir() if path.is_dir()]
    if len(inside) != 1:
        raise ValueError("These sounds are not here any more: add them again.")
    return inside[0]


def budget_of(limits: Limits, folder: Path) -> Budget:
    """What one call may add to that folder. Raises ValueError where it is full already."""
    check_quota(limits, folder)
    return Budget(limits.archive, lambda: check_quota(limits, folder))


def from_archive(path: Path, name: str, limits: Limits) -> str:
    """A new collection with what a ZIP holds. Raises ValueError, and leaves nothing then."""
    if limits.max_archive_bytes and path.stat().st_size > limits.max_archive_bytes:
        raise ValueError(
            f"This archive is larger than {limits.max_archive_bytes / 1e6:,.0f} MB: split it."
        )
    budget = budget_of(limits, home())
    with new_collection() as folder:
        zip_archive.unpack(path, folder / safe_name(name), budget)
        check(dataset.load(folder / safe_name(name)), limits)
    return folder.name


@contextmanager
def new_collection() -> Iterator[Path]:
    """A folder to fill, which becomes a collection of its name unless something goes wrong."""
    delete_staged(home())
    with oserror_as_valueerror(home()), staging(home()) as staged:
        folder = staged / new_id()
        folder.mkdir()
        yield folder
        os.rename(folder, home() / folder.name)


def with_files(collection: str | None, label: str, paths: Sequence[Path], limits: Limits) -> str:
    """The collection with these files under a class; a new one where it holds an archive.

    A file whose name is there already gets a number. Raises ValueError, and adds nothing then.
    """
    label = check_label(label)
    sounds = [path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES]
    if not sounds:
        raise ValueError("None of these files is a sound: choose wav, flac, ogg, mp3 or the like.")
    for path in sounds:
        check_file_name(path.name)
    budget = budget_of(limits, home())
    existing = collection if collection and _is_of_files(collection) else None
    before = list((home() / existing / FILES).glob("*/*")) if existing else []
    _check_files(before, sounds, limits)
    spelt = _match_existing(label, [path.parent.name for path in before])
    if existing is None:
        with new_collection() as new_folder:
            copy_sounds(sounds, new_folder / FILES / spelt, budget)
        return new_folder.name
    if _is_trained_on(existing):  # the training keeps its files: another collection has more
        with new_collection() as new_folder:
            shutil.copytree(
                home() / existing, new_folder, copy_function=os.link, dirs_exist_ok=True
            )
            copy_sounds(sounds, new_folder / FILES / spelt, budget)
        return new_folder.name
    folder = home() / existing / FILES / spelt
    delete_staged(home())
    with oserror_as_valueerror(home()), staging(home()) as staged:
        copied = copy_sounds(sounds, staged / "files", budget)
        with one_at_a_time(home() / ADDING):
            taken: set[Path] = set()
            move_in(staged, [(path, unique_path(folder / path.name, taken)) for path in copied])
    return existing


def copy_sounds(paths: Sequence[Path], folder: Path, budget: Budget) -> list[Path]:
    """Copies of files in a folder, where each has a name of its own. Raises ValueError."""
    folder.mkdir(parents=True, exist_ok=True)
    budget.add_files(len(paths))
    taken: set[Path] = set()
    copied = []
    for path in paths:
        budget.add_bytes(path.stat().st_size)
        copied.append(unique_path(folder / path.name, taken))
        shutil.copy(path, copied[-1])
    return copied


def check_file_name(name: str) -> None:
    """Raise ValueError for a name that no file of a data set may have."""
    if wrong := names.fault(name):
        raise ValueError(f"“{names.shown(name)}” {wrong}.")


def _check_files(before: Sequence[Path], sounds: Sequence[Path], limits: Limits) -> None:
    """Raise ValueError where these would be too many, or too large, together with those before."""
    n_bytes = sum(path.stat().st_size for path in (*before, *sounds))
    if limits.max_archive_bytes and n_bytes > limits.max_archive_bytes:
        mb = limits.max_archive_bytes / 1e6
        raise ValueError(f"At most {mb:,.0f} MB may be added here: add fewer or shorter clips.")
    if limits.max_clips and len(before) + len(sounds) > limits.max_clips:
        raise ValueError(f"At most {limits.max_clips} clips may be added here: add fewer.")


def fingerprint(folder: Path) -> str:
    """A name for a folder's files as they are now: their places, sizes and times of change."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.stat() if path.is_file() else None
        if stat is not None:
            digest.update(
                f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()
            )
    return digest.hexdigest()[:32]


def check(data: Dataset, limits: Limits) -> None:
    """Raise ValueError for more than the limits allow."""
    if limits.max_clips and len(data.clips) > limits.max_clips:
        raise ValueError(
            f"These are {len(data.clips):,} clips, and {limits.max_clips:,} may be added here: "
            "add fewer."
        )
    if limits.max_classes and len(data.classes) > limits.max_classes:
        raise ValueError(
            f"These are {len(data.classes)} classes, and {limits.max_classes} may be added here: "
            "add fewer."
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
    if wrong := names.fault(label):
        raise ValueError(f"“{names.shown(label)}” {wrong}.")
    return label


def delete_old(seconds: float = DAY_S) -> None:
    """Remove older uploads, unless a job that is still here was trained on them."""
    delete_staged(home())  # of a process that was killed
    read = {Path(one.read_request().folder).parent for one in job.find_all()}
    for path in home().glob("*"):
        is_collection = path.is_dir() and not path.name.startswith(".")
        if is_collection and path not in read and time.time() - path.stat().st_mtime > seconds:
            shutil.rmtree(path, ignore_errors=True)


def _is_trained_on(collection: str) -> bool:
    folder = home() / collection
    return folder in {Path(one.read_request().folder).parent for one in job.find_all()}


def check_quota(limits: Limits, folder: Path) -> None:
    """Raise ValueError where all uploads in that folder fill their share of the disk."""
    if limits.max_bytes_of_all is None:
        return
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if n_bytes > limits.max_bytes_of_all:
        raise ValueError("This page is full just now: try again in a few hours.")


def _is_of_files(collection: str) -> bool:
    return bool(ID.fullmatch(collection)) and (home() / collection / FILES).is_dir()


def _match_existing(label: str, labels: Sequence[str]) -> str:
    """A class's folder: “Dog” goes to “dog” where that is there already."""
    name = safe_name(label)
    return next((existing for existing in labels if existing.casefold() == name.casefold()), name)


def safe_name(name: str) -> str:
    """A name as a folder's."""
    safe = NO_NAMES.sub("_", name).strip(" .")[:MAX_NAME].rstrip(" .")
    return safe if safe and not safe.startswith("__") and not names.fault(safe) else "sounds"
