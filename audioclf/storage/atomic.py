"""Folders, files and archives that appear under their name only when they are whole.

What is being made lies in a staging folder beside its place, which its process holds a lock on: so
what a killed process has left is told from what another one is making, and is taken back.
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STAGED = ".partial"  # the ending of a staging folder
LOCK, MOVES = ".lock", ".moves.json"
YOUNG_S = 60.0  # a staging folder is made before it is locked


@contextmanager
def staging(parent: Path, name: str = "new") -> Iterator[Path]:
    """An empty folder in `parent` to prepare things in; it is gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(
            dir=parent, prefix=f".{name[:40]}.", suffix=STAGED, ignore_cleanup_errors=True
        ) as made,
        Path(made, LOCK).open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(made)


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Whoever else asks for this lock, in whichever process, waits."""
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; it takes the place of `folder` unless something goes wrong."""
    with staging(folder.parent, folder.name) as made:
        partial = made / folder.name
        partial.mkdir()
        yield partial
        if folder.exists():
            os.replace(folder, made / "replaced")
        os.replace(partial, folder)


def move_in(staged: Path, moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename files that lie in a staging folder to where they belong: all of them, or none.

    What is going to be moved is written down first, so that it is taken back after a kill, too.
    """
    record = staged / MOVES
    part = staged / f"{MOVES}.part"
    part.write_text(json.dumps([[str(source), str(target)] for source, target in moves]))
    part.replace(record)
    try:
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(source, target)
    except BaseException:
        _take_back(record)
        raise
    record.unlink()  # from here on they count


def delete_staged(parent: Path, young_s: float = YOUNG_S) -> None:
    """Remove the staging folders of processes that ended in the middle, and what they moved."""
    for staged in parent.glob(f".*{STAGED}"):
        with suppress(OSError):  # another process was quicker
            if time.time() - staged.stat().st_mtime > young_s and not _is_held(staged / LOCK):
                _take_back(staged / MOVES)
                shutil.rmtree(staged, ignore_errors=True)


def _is_held(lock: Path) -> bool:
    """Whether the process that made it is still at work."""
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _take_back(record: Path) -> None:
    """Remove what was moved: what is not in the staging folder any more."""
    try:
        moves = json.loads(record.read_text())
    except (OSError, ValueError):
        return
    for source, target in moves:
        if not Path(source).exists():
            Path(target).unlink(missing_ok=True)
            with suppress(OSError):  # others lie there
                Path(target).parent.rmdir()
    record.unlink(missing_ok=True)


def unique_path(path: Path, taken: set[Path]) -> Path:
    """The path, or with a number where there is such a file or one is going to be."""
    number, free = 1, path
    while free in taken or free.exists():
        number += 1
        free = path.with_name(f"{path.stem} {number}{path.suffix}")
    taken.add(free)
    return free


def zip_folder(folder: Path, archive: Path) -> None:
    """A ZIP with that one folder in it."""
    part = archive.with_name(f".{archive.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                made.write(file, file.relative_to(folder.parent))
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
