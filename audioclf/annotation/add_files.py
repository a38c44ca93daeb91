"""Sounds that people bring into a data set: files, and archives of them. Nothing is overwritten.

All that one call brings is prepared in a staging folder, judged there, and then renamed in: a
refusal leaves nothing, and what a killed process has left is taken back by the next call.
"""

import filecmp
from collections.abc import Sequence
from pathlib import Path

from audioclf.annotation import project
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets import zip_archive
from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.datasets.uploads import ADDING, Limits, budget_of, check_file_name, copy_sounds
from audioclf.datasets.zip_archive import Budget
from audioclf.storage.atomic import delete_staged, move_in, one_at_a_time, staging
from audioclf.storage.files import oserror_as_valueerror

Found = list[tuple[Path, str]]  # where a new sound is now, and its place in the set


def add_files(one: AnnotationProject, paths: Sequence[Path], limits: Limits) -> int:
    """Copy sounds, and those of ZIPs, into the set; how many are new.

    A file that is there already is not taken twice; another one of its name gets a number. Raises
    ValueError, and takes nothing then.
    """
    wanted = [path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES | {".zip"}]
    if not wanted:
        raise ValueError("None of these files is a sound: choose wav, flac, ogg, mp3 or the like.")
    if one.is_external:
        raise ValueError(
            f"“{one.name}” is a folder that stays as it is: put the sounds into that folder."
        )
    for path in wanted:
        check_file_name(path.name)
    budget = budget_of(limits, project.home())
    take_back(one)
    with oserror_as_valueerror(one.folder), staging(one.folder) as staged:
        found = _staged(wanted, staged, budget)
        with one_at_a_time(one.folder / ADDING):
            _check(one, found, limits)
            move_in(staged, _moves(found, one.sounds))
    return project.scan_files(one, limits=limits.sound)


def take_back(one: AnnotationProject) -> None:
    """Remove what an addition has left whose process was killed in the middle."""
    delete_staged(one.folder)


def _staged(wanted: Sequence[Path], staged: Path, budget: Budget) -> Found:
    """The sounds of archives, under the archive's name, and copies of the others."""
    found: Found = []
    for number, path in enumerate(wanted):
        if path.suffix.lower() == ".zip":
            folder = staged / str(number) / path.stem
            zip_archive.unpack(path, folder, budget)
            found += _sounds(folder)
        else:
            (copy,) = copy_sounds([path], staged / str(number), budget)
            found.append((copy, path.name))
    return found


def _sounds(folder: Path) -> Found:
    """The sounds of an archive, and their places under its name."""
    return [
        (path, path.relative_to(folder.parent).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    ]


def _check(one: AnnotationProject, found: Found, limits: Limits) -> None:
    """Raise ValueError for more than the limits allow."""
    n_files = one.n_files + len(found)
    if limits.max_clips and n_files > limits.max_clips:
        raise ValueError(
            f"These would be {n_files:,} sounds, and {limits.max_clips:,} may be brought here: "
            "bring fewer."
        )
    before = sum(path.stat().st_size for path in one.sounds.rglob("*") if path.is_file())
    n_bytes = before + sum(path.stat().st_size for path, _ in found)
    if limits.max_archive_bytes and n_bytes > 2 * limits.max_archive_bytes:
        mb = 2 * limits.max_archive_bytes / 1e6
        raise ValueError(f"At most {mb:,.0f} MB may be brought here: bring fewer or shorter ones.")


def _moves(found: Found, sounds: Path) -> list[tuple[Path, Path]]:
    """Where every sound that is not there yet goes."""
    moves: list[tuple[Path, Path]] = []
    moved: dict[Path, Path] = {}
    for source, name in found:
        target = _target(source, sounds / name, moved)
        if target is not None:
            moved[target] = source
            moves.append((source, target))
    return moves


def _target(source: Path, target: Path, moved: dict[Path, Path]) -> Path | None:
    """A name that is free; None where the same file has one already, or gets one."""
    number, free = 1, target
    while free in moved or free.exists():
        if filecmp.cmp(source, moved.get(free, free), shallow=False):
            return None
        number += 1
        free = target.with_name(f"{target.stem} {number}{target.suffix}")
    return free
