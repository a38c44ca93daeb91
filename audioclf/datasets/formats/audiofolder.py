"""Hugging Face audiofolder: `metadata.csv` beside the sounds, or `metadata.jsonl` where files have
several classes.

The table suppresses labels that folders would give, so it names every file.
"""

import json
from collections import defaultdict
from typing import Any

from audioclf.datasets.formats.base import Durations, Label, Texts, whole_only
from audioclf.storage import csv_cells

CSV, JSONL = "metadata.csv", "metadata.jsonl"


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """One table; of labels of whole files alone. Raises ValueError."""
    if has_several(labels):
        return write_lines(labels, durations)
    found = _by_file(labels)
    columns = ["file_name", "label"]
    columns += ["fold"] if any(label.fold is not None for label in labels) else []
    columns += ["group"] if any(label.group for label in labels) else []
    table = (
        {"file_name": file, "label": own[0].name, "fold": own[0].fold, "group": own[0].group}
        for file, own in found.items()
    )
    return {CSV: csv_cells.write(columns, table)}


def write_lines(labels: list[Label], durations: Durations) -> dict[str, str]:
    """`metadata.jsonl`, with a list of classes for every file. Raises ValueError."""
    rows = (_row(file, own) for file, own in _by_file(labels).items())
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    return {JSONL: "".join(f"{line}\n" for line in lines)}


def has_several(labels: list[Label]) -> bool:
    """Whether a file has several classes."""
    return any(len(own) > 1 for own in _by_file(labels).values())


def read(texts: Texts) -> list[Label]:
    """The labels of either table. Raises ValueError."""
    found = []
    for place, text in texts.items():
        rows = _lines(text, place) if place.endswith(".jsonl") else _rows(text, place)
        folder = place.rpartition("/")[0]
        for row in rows:
            names = row["label"] if isinstance(row["label"], list) else [row["label"]]
            file = f"{folder}/{row['file_name']}" if folder else str(row["file_name"])
            fold = int(row["fold"]) if str(row.get("fold") or "").isdecimal() else None
            group = str(row.get("group") or "")
            found += [Label(file, str(name), fold=fold, group=group) for name in names]
    return found


def _by_file(labels: list[Label]) -> dict[str, list[Label]]:
    """The labels of every file, each class once. Raises ValueError for those of stretches."""
    found: dict[str, dict[str, Label]] = defaultdict(dict)
    for label in whole_only(labels, "An audiofolder"):
        found[label.file].setdefault(label.name, label)
    return {file: list(own.values()) for file, own in found.items()}


def _row(file: str, own: list[Label]) -> dict[str, Any]:
    extra = {"fold": own[0].fold, "group": own[0].group}
    kept = {key: value for key, value in extra.items() if value not in (None, "")}
    return {"file_name": file, "label": [label.name for label in own], **kept}


def _rows(text: str, place: str) -> list[dict[str, Any]]:
    return list(csv_cells.read(text, place, ("file_name", "label")))


def _lines(text: str, place: str) -> list[dict[str, Any]]:
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"“{place}” is no JSON lines: write one object per line.") from error
    for row in rows:
        if not isinstance(row, dict) or "file_name" not in row or "label" not in row:
            raise ValueError(f"A line of “{place}” lacks file_name or label: add them.")
    return rows
