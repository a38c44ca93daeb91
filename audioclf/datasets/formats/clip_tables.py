"""Tables that name audio files and their classes: one reader, whatever the columns are called.

It reads labelled folders (`audioclf.datasets.layouts`) and the labels of other tools alike: ESC-50
(Piczak, 2015), UrbanSound8K (Salamon, Jacoby and Bello, 2014) and Hugging Face's audiofolder.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from audioclf.datasets.formats.base import Durations, Label, Texts, flat_names, number, whole_only
from audioclf.storage import csv_cells


@dataclass(frozen=True)
class ClipTable:
    """Where a table lies in a data set, and what its columns are called."""

    path: str
    title: str
    file: str  # the path of an audio file, as a template of columns
    label: str
    fold: str = "fold"
    group: str = "group"
    required: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()  # as they are published, in their order
    file_name: str = ""  # the column of the name without its folders
    class_number: str = ""
    duration: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)


class ClipRow(NamedTuple):
    """A row of a table; the fold as it is written there, what is missing is empty."""

    line: int
    file: str  # its path, from the folder of the data set
    labels: tuple[str, ...]
    fold: str = ""
    group: str = ""
    author: str = ""
    license: str = ""
    cells: Mapping[str, str] = MappingProxyType({})  # all of the row, by column


ESC50 = ClipTable(
    "meta/esc50.csv",
    "ESC-50",
    "audio/{filename}",
    label="category",
    group="src_file",
    required=("filename", "fold", "category"),
    columns=("filename", "fold", "target", "category", "esc10", "src_file", "take"),
    file_name="filename",
    class_number="target",
    constants={"esc10": False, "take": "A"},
)
URBANSOUND8K = ClipTable(
    "metadata/UrbanSound8K.csv",
    "UrbanSound8K",
    "audio/fold{fold}/{slice_file_name}",
    label="class",
    group="fsID",
    required=("slice_file_name", "fold", "class"),
    columns=("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"),
    file_name="slice_file_name",
    class_number="classID",
    duration="end",
    constants={"start": 0.0, "salience": 1},  # 1: in the foreground
)
AUDIOFOLDER = ClipTable(
    "metadata.csv",
    "An audiofolder",
    "{file_name}",
    label="label",
    required=("file_name", "label"),
)


def rows(text: str, path: str, table: ClipTable) -> Iterator[ClipRow]:
    """The rows of a CSV, or of JSON lines where the path says so. Raises ValueError."""
    columns = (table.fold, table.group, "author", "license")
    is_jsonl = path.endswith(".jsonl")
    lines = _json_lines(text, path) if is_jsonl else csv_cells.lines(text, path, table.required)
    for line, values in lines:
        cells = {key: _text(value) for key, value in values.items()}
        label = values.get(table.label)
        names = [_text(name) for name in label] if isinstance(label, list) else [_text(label)]
        fold, group, author, license = (cells.get(column, "").strip() for column in columns)
        yield ClipRow(
            line,
            table.file.format_map({**dict.fromkeys(table.required, ""), **cells}),
            tuple(name for name in map(str.strip, names) if name),
            fold,
            group,
            author,
            license,
            cells,
        )


def read(table: ClipTable, texts: Texts) -> list[Label]:
    """The labels, of whole files in the folders that are published. Raises ValueError."""
    return [
        Label(row.file, name, fold=int(number(row.fold, "the fold", path)), group=row.group)
        for path, text in texts.items()
        for row in rows(text, path, table)
        for name in row.labels
    ]


def write(table: ClipTable, labels: list[Label], durations: Durations) -> dict[str, str]:
    """The table; audio files are named without their folders. Raises ValueError for segments."""
    names = flat_names(labels)
    numbers = {name: i for i, name in enumerate(sorted({label.name for label in labels}))}
    cells = (
        {
            **table.constants,
            table.file_name: names[label.file],
            table.label: label.name,
            table.class_number: numbers[label.name],
            table.duration: durations.get(label.file, ""),
            table.fold: 1 if label.fold is None else label.fold,
            table.group: label.group or PurePosixPath(label.file).stem,
        }
        for label in whole_only(labels, table.title)
    )
    return {table.path: csv_cells.write(table.columns, cells)}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value)


def _json_lines(text: str, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers and objects. Raises ValueError."""
    for number_of_line, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                values = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise ValueError(
                    f"“{path}” is no JSONL in UTF-8: write one JSON object per line."
                ) from error
            yield number_of_line, values if isinstance(values, dict) else {}
