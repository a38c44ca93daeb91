"""How labelled folders are laid out: a folder per class, or one of the tables that people use.

Hugging Face audiofolder (`metadata.csv` or `metadata.jsonl`), ESC-50 (Piczak, 2015, with its
`meta/esc50.csv`) and UrbanSound8K (Salamon, Jacoby and Bello, 2014: `metadata/UrbanSound8K.csv`).
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from audioclf.datasets.formats import clip_tables
from audioclf.datasets.formats.clip_tables import AUDIOFOLDER, ESC50, URBANSOUND8K, ClipRow

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".caf"}
    | {".m4a", ".aac", ".mp4", ".webm", ".wma"}  # through PyAV
)
NUMBERED = re.compile(r"\d{3} - (.+)")  # classes of the ESC-10 release: “001 - Dog bark”
DEEPEST = 3  # folders around the one that is meant

TABLES = {
    "metadata.csv": AUDIOFOLDER,
    "metadata.jsonl": AUDIOFOLDER,
    ESC50.path: ESC50,
    URBANSOUND8K.path: URBANSOUND8K,
}


def find_root(folder: Path) -> Path:
    """The folder that is meant: itself, or the only one in it, as archives often hold it."""
    for _ in range(DEEPEST):
        inside = [path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path)]
        if _table_of(folder) or len(inside) != 1:
            break
        if any(_sounds(folder)) and _table_of(inside[0]) is None:
            break  # it is a class
        folder = inside[0]
    return folder


def read(folder: Path) -> tuple[str, list[ClipRow]]:
    """What the folder's layout is called, and a row per clip. Raises ValueError."""
    name = _table_of(folder)
    if name is None:
        return "a folder per class", _folder_rows(folder)
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeError as error:
        kind = path.suffix[1:].upper()
        raise ValueError(f"“{path.name}” is no {kind} in UTF-8: save it as that.") from error
    rows = clip_tables.rows(text, path.name, TABLES[name])
    return name, [_checked(row, path, folder) for row in rows]


class IgnoredFile(NamedTuple):
    """A file or an empty folder in a data set that is no clip of it, and why."""

    path: str  # from the folder of the data set
    reason: str


def find_ignored(folder: Path, clips: Collection[str]) -> list[IgnoredFile]:
    """All files of a data set that are none of its clips, and its empty folders.

    Left out is only what systems hide among them, such as `.DS_Store`. Raises OSError.
    """
    table, kept = _table_of(folder), {PurePosixPath(clip) for clip in clips}
    ignored = []
    for path in sorted(folder.rglob("*")):
        relative = PurePosixPath(path.relative_to(folder).as_posix())
        is_hidden = any(part.startswith((".", "__")) for part in relative.parts)
        if is_hidden or relative in kept or str(relative) == table:
            continue
        if reason := _why_ignored(path, relative, table):
            ignored.append(IgnoredFile(str(relative), reason))
    return ignored


def _why_ignored(path: Path, relative: PurePosixPath, table: str | None) -> str:
    """Why it is no clip; nothing for a folder that holds something."""
    if path.is_dir():
        return "" if any(path.iterdir()) else "an empty folder"
    if path.suffix.lower() not in AUDIO_SUFFIXES:
        return "no audio file"
    if table is not None:
        return f"not in {PurePosixPath(table).name}"
    n_folders = len(relative.parts) - 1
    return "in no folder of a class" if n_folders == 0 else "deeper than the folders of the classes"


def _table_of(folder: Path) -> str | None:
    """The path of the folder's table, if it has one."""
    return next((name for name in TABLES if (folder / name).is_file()), None)


def _checked(row: ClipRow, table: Path, root: Path) -> ClipRow:
    """A row whose label is there and whose file lies in the folder."""
    row = row._replace(file=row.file.strip())
    if not row.labels:
        raise ValueError(f"Line {row.line} of “{table.name}” has no label: write one.")
    if len(row.labels) > 1:
        raise ValueError(
            f"Line {row.line} of “{table.name}” has several labels: leave one, the clip's class."
        )
    shown = row.file.replace("\0", "?")
    path = root / shown
    inside = path.resolve().is_relative_to(root.resolve())
    if "\0" in row.file or not inside or not path.is_file():
        raise ValueError(
            f"Line {row.line} of “{table.name}” names “{shown}”, which is not in the "
            "folder: add the file or take the line out."
        )
    return row


def _folder_rows(folder: Path) -> list[ClipRow]:
    paths = sorted(_sounds(folder))
    numbered = [NUMBERED.fullmatch(path.parent.name) for path in paths]
    names = [
        match[1] if match and all(numbered) else path.parent.name
        for path, match in zip(paths, numbered, strict=True)
    ]
    return [
        ClipRow(0, str(path.relative_to(folder)), (name,))
        for path, name in zip(paths, names, strict=True)
    ]


def _sounds(folder: Path) -> Iterator[Path]:
    """Sound files in the folder's folders."""
    for path in folder.glob("*/*"):
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not _is_hidden(path):
            yield path


def _is_hidden(path: Path) -> bool:
    """What systems leave among the sounds: `.cache/`, `._1.wav`, `__MACOSX/`."""
    return any(name.startswith((".", "__")) for name in (path.name, path.parent.name))
