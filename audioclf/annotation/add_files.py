"""Adding audio files, and ZIP archives of them, to a project. Nothing is overwritten.

The files of one call are staged in a folder, checked there, and then renamed into the project: a
refusal leaves nothing, and what a killed process has left is removed by the next call.
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

StagedFiles = list[
    tuple[Path, str]
]  # where a new file is now, and its relative path in the project


def add_files(target: AnnotationProject, paths: Sequence[Path], limits: Limits) -> int:
    """Copy audio files, and those of ZIPs, into the project; returns how many are new.

    A file that is there already is not added twice; another one of its name gets a number. Raises
    ValueError, and adds nothing then.
    """
    accepted = [path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES | {".zip"}]
    if not accepted:
        raise ValueError("None of these files is audio: choose wav, flac, ogg, mp3 or the like.")
    if target.is_external():
        raise ValueError(
            f"“{target.read_name()}” is a folder that stays as it is: put the files into that "
            "folder."
        )
    for path in accepted:
        check_file_name(path.name)
    budget = budget_of(limits, project.home())
    remove_staged(target)
    with oserror_as_valueerror(target.folder), staging(target.folder) as staged:
        staged_files = _staged(accepted, staged, budget)
        with one_at_a_time(target.folder / ADDING):
            _check(target, staged_files, limits)
            move_in(staged, _moves(staged_files, target.audio_folder()))
    return project.scan_files(target, limits=limits.sound)


def remove_staged(target: AnnotationProject) -> None:
    """Remove what an addition whose process was killed has left."""
    delete_staged(target.folder)


def _staged(accepted: Sequence[Path], staged: Path, budget: Budget) -> StagedFiles:
    """The files of archives, under the archive's name, and copies of the others."""
    staged_files: StagedFiles = []
    for number, path in enumerate(accepted):
        if path.suffix.lower() == ".zip":
            folder = staged / str(number) / path.stem
            zip_archive.unpack(path, folder, budget)
            staged_files += _sounds(folder)
        else:
            (copy,) = copy_sounds([path], staged / str(number), budget)
            staged_files.append((copy, path.name))
    return staged_files


def _sounds(folder: Path) -> StagedFiles:
    """The audio files of an archive, and their paths under its name."""
    return [
        (path, path.relative_to(folder.parent).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    ]


def _check(target: AnnotationProject, staged_files: StagedFiles, limits: Limits) -> None:
    """Raise ValueError for more than the limits allow."""
    n_files = target.count_files() + len(staged_files)
    if limits.max_clips and n_files > limits.max_clips:
        raise ValueError(
            f"These would be {n_files:,} files, and {limits.max_clips:,} may be added here: "
            "add fewer."
        )
    before = sum(path.stat().st_size for path in target.audio_folder().rglob("*") if path.is_file())
    n_bytes = before + sum(path.stat().st_size for path, _ in staged_files)
    if limits.max_archive_bytes and n_bytes > 2 * limits.max_archive_bytes:
        mb = 2 * limits.max_archive_bytes / 1e6
        raise ValueError(f"At most {mb:,.0f} MB may be added here: add fewer or shorter ones.")


def _moves(staged_files: StagedFiles, sounds: Path) -> list[tuple[Path, Path]]:
    """The source and target paths of all files that are not there yet."""
    moves: list[tuple[Path, Path]] = []
    moved: dict[Path, Path] = {}
    for source, name in staged_files:
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
