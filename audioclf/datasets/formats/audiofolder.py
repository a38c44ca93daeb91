"""Hugging Face audiofolder: `metadata.csv` among the sounds, or `metadata.jsonl` where files have
several classes.

The table suppresses labels that folders would give, so it names every file.
"""

import json
from collections import defaultdict
from typing import Any

from audioclf.datasets.formats import clip_tables
from audioclf.datasets.formats.base import Durations, Label, Texts, whole_only
from audioclf.datasets.formats.clip_tables import AUDIOFOLDER
from audioclf.storage import csv_cells

CSV, JSONL = "metadata.csv", "metadata.jsonl"


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """One table; of labels of whole files alone. Raises ValueError."""
    if has_several(labels):
        return write_lines(labels, durations)
    by_path = _by_file(labels)
    columns = ["file_name", "label"]
    columns += ["fold"] if any(label.fold is not None for label in labels) else []
    columns += ["group"] if any(label.group for label in labels) else []
    table = (
        {
            "file_name": file,
            "label": clip_labels[0].name,
            "fold": clip_labels[0].fold,
            "group": clip_labels[0].group,
        }
        for file, clip_labels in by_path.items()
    )
    return {CSV: csv_cells.write(columns, table)}


def write_lines(labels: list[Label], durations: Durations) -> dict[str, str]:
    """`metadata.jsonl`, with a list of classes for every file. Raises ValueError."""
    rows = (_row(file, clip_labels) for file, clip_labels in _by_file(labels).items())
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    return {JSONL: "".join(f"{line}\n" for line in lines)}


def has_several(labels: list[Label]) -> bool:
    """Whether a file has several classes."""
    return any(len(clip_labels) > 1 for clip_labels in _by_file(labels).values())


def read(texts: Texts) -> list[Label]:
    """The labels of either table. Raises ValueError."""
    labels = []
    for path, text in texts.items():
        folder = path.rpartition("/")[0]
        for row in clip_tables.rows(text, path, AUDIOFOLDER):
            if not row.file or not row.labels:
                raise ValueError(f"Line {row.line} of “{path}” lacks file_name or label: add them.")
            file = f"{folder}/{row.file}" if folder else row.file
            fold = int(row.fold) if row.fold.isdecimal() else None
            labels += [Label(file, name, fold=fold, group=row.group) for name in row.labels]
    return labels


def _by_file(labels: list[Label]) -> dict[str, list[Label]]:
    """The labels of every file, each class once. Raises ValueError for those of segments."""
    by_file: dict[str, dict[str, Label]] = defaultdict(dict)
    for label in whole_only(labels, "An audiofolder"):
        by_file[label.file].setdefault(label.name, label)
    return {file: list(labels_by_name.values()) for file, labels_by_name in by_file.items()}


def _row(file: str, labels: list[Label]) -> dict[str, Any]:
    extra = {"fold": labels[0].fold, "group": labels[0].group}
    filled = {key: value for key, value in extra.items() if value not in (None, "")}
    return {"file_name": file, "label": [label.name for label in labels], **filled}
