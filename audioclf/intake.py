"""Sounds that people bring into a data set: files, and archives of them. Nothing is overwritten."""

import filecmp
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from audioclf import archive, labelled
from audioclf.collection import Limits, check_room
from audioclf.kept_values import saying_why
from audioclf.labelled import LabelledSet
from audioclf.layouts import SOUNDS


def bring(one: LabelledSet, paths: Sequence[Path], limits: Limits) -> int:
    """Copy sounds, and those of ZIPs, into the set; how many are new.

    A file that is there already is not taken twice; another one of its name gets a number. Raises
    ValueError, and takes nothing then.
    """
    wanted = [path for path in paths if path.suffix.lower() in SOUNDS | {".zip"}]
    if not wanted:
        raise ValueError("None of these files is a sound: choose wav, flac, ogg, mp3 or the like.")
    if one.is_elsewhere:
        raise ValueError(
            f"“{one.name}” is a folder that stays as it is: put the sounds into that folder."
        )
    check_room(limits, labelled.home())
    with saying_why(one.folder), tempfile.TemporaryDirectory(dir=one.folder) as temporary:
        found: list[tuple[Path, str]] = []
        for number, path in enumerate(wanted):
            if path.suffix.lower() == ".zip":
                folder = Path(temporary, str(number), path.stem)
                archive.unpack(path, folder, limits.archive)
                found += _sounds(folder)
            else:
                found.append((path, path.name))
        _check(one, found, limits)
        for path, name in found:
            _keep(path, one.sounds / name)
    return labelled.look(one, limits=limits.sound)


def _sounds(folder: Path) -> list[tuple[Path, str]]:
    """The sounds of an archive, and their places under its name."""
    return [
        (path, path.relative_to(folder.parent).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SOUNDS and path.is_file()
    ]


def _check(one: LabelledSet, found: list[tuple[Path, str]], limits: Limits) -> None:
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


def _keep(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, target
    while free.exists():
        if filecmp.cmp(path, free, shallow=False):
            return
        number += 1
        free = target.with_name(f"{target.stem} {number}{target.suffix}")
    shutil.copy(path, free)
