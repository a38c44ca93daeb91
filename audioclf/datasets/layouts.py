"""How labelled folders are laid out: a folder per class, or one of the tables that people use.

Hugging Face audiofolder (`metadata.csv` or `metadata.jsonl`), ESC-50 (Piczak, 2015, with its
`meta/esc50.csv`) and UrbanSound8K (Salamon, Jacoby and Bello, 2014: `metadata/UrbanSound8K.csv`).
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audioclf.storage import csv_cells

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".caf"}
    | {".m4a", ".aac", ".mp4", ".webm", ".wma"}  # through PyAV
)
NUMBERED = re.compile(r"\d{3} - (.+)")  # classes of the ESC-10 release: “001 - Dog bark”
DEEPEST = 3  # folders around the one that is meant

Row = dict[str, str]  # file_name (from the folder), label, and where known fold, group, author, ...


@dataclass(frozen=True)
class Table:
    """A file that names clips and their classes, and what its columns are called."""

    path: str
    columns: tuple[str, ...]  # that must be there
    row: Callable[[Row], Row]  # in our words


def _as_it_is(row: Row) -> Row:
    return row


def _esc50(row: Row) -> Row:
    return {
        "file_name": f"audio/{row['filename']}",
        "label": row["category"],
        "fold": row.get("fold", ""),
        "group": row.get("src_file", ""),
    }


def _urbansound(row: Row) -> Row:
    return {
        "file_name": f"audio/fold{row['fold']}/{row['slice_file_name']}",
        "label": row["class"],
        "fold": row["fold"],
        "group": row.get("fsID", ""),
    }


TABLES = (
    Table("metadata.csv", ("file_name", "label"), _as_it_is),
    Table("metadata.jsonl", ("file_name", "label"), _as_it_is),
    Table("meta/esc50.csv", ("filename", "category"), _esc50),
    Table("metadata/UrbanSound8K.csv", ("slice_file_name", "class", "fold"), _urbansound),
)


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


def read(folder: Path) -> tuple[str, list[Row]]:
    """What the folder's layout is called, and a row per clip. Raises ValueError."""
    table = _table_of(folder)
    if table is None:
        return "a folder per class", _folder_rows(folder)
    path = folder / table.path
    try:
        rows = [_checked(row, line, path, folder) for line, row in _rows(path, table)]
    except (UnicodeError, csv.Error, json.JSONDecodeError) as error:
        kind = path.suffix[1:].upper()
        raise ValueError(f"“{path.name}” is no {kind} in UTF-8: save it as that.") from error
    return table.path, rows


def _table_of(folder: Path) -> Table | None:
    return next((table for table in TABLES if (folder / table.path).is_file()), None)


def _rows(path: Path, table: Table) -> Iterator[tuple[int, Row]]:
    """Line numbers and rows in our words."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = _jsonl(file) if path.suffix == ".jsonl" else _csv(file, path, table)
        for line, values in lines:
            known = {key: _text(value) for key, value in values.items() if key}
            for column in table.columns:
                known.setdefault(column, "")
            yield line, table.row(known)


def _csv(file: Any, path: Path, table: Table) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file)
    for column in table.columns:
        if column not in (reader.fieldnames or ()):
            raise ValueError(
                f"“{path.name}” has no column “{column}”: its first line names the columns, "
                f"{','.join(table.columns)} and optionally fold."
            )
    for row in reader:
        yield (
            reader.line_num,
            {key: csv_cells.unescape_formula(value or "") for key, value in row.items() if key},
        )


def _jsonl(file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, 1):
        if text.strip():
            values = json.loads(text)
            yield line, values if isinstance(values, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _checked(row: Row, line: int, table: Path, root: Path) -> Row:
    """A row whose label is there and whose file lies in the folder."""
    if not row["label"]:
        raise ValueError(f"Line {line} of “{table.name}” has no label: write one.")
    name = row["file_name"]
    shown = name.replace("\0", "?")
    path = root / shown
    inside = path.resolve().is_relative_to(root.resolve())
    if "\0" in name or not inside or not path.is_file():
        raise ValueError(
            f"Line {line} of “{table.name}” names “{shown}”, which is not in the "
            "folder: add the file or take the line out."
        )
    return row


def _folder_rows(folder: Path) -> list[Row]:
    paths = sorted(_sounds(folder))
    numbered = [NUMBERED.fullmatch(path.parent.name) for path in paths]
    names = [
        found[1] if found and all(numbered) else path.parent.name
        for path, found in zip(paths, numbered, strict=True)
    ]
    return [
        {"file_name": str(path.relative_to(folder)), "label": name}
        for path, name in zip(paths, names, strict=True)
    ]


def _sounds(folder: Path) -> Iterator[Path]:
    """Sound files in the folder's folders."""
    for path in folder.glob("*/*"):
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not _is_hidden(path):
            yield path


def _is_hidden(path: Path) -> bool:
    """What systems leave beside the sounds: `.cache/`, `._1.wav`, `__MACOSX/`."""
    return any(name.startswith((".", "__")) for name in (path.name, path.parent.name))
