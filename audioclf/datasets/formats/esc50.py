"""ESC-50's table, `meta/esc50.csv` (Piczak, 2015): one class per file, folds that keep a recording
together.
"""

from pathlib import PurePosixPath

from audioclf.datasets.formats.base import Durations, Label, Texts, flat_names, number, whole_only
from audioclf.storage import csv_cells

FILE, AUDIO = "meta/esc50.csv", "audio"
COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """The table; files are named as they are, and belong in `audio/`. Raises ValueError."""
    names = flat_names(labels)
    targets = {name: i for i, name in enumerate(sorted({label.name for label in labels}))}
    rows = (
        {
            "filename": names[label.file],
            "fold": 1 if label.fold is None else label.fold,
            "target": targets[label.name],
            "category": label.name,
            "esc10": False,
            "src_file": label.group or PurePosixPath(label.file).stem,
            "take": "A",
        }
        for label in whole_only(labels, "ESC-50")
    )
    return {FILE: csv_cells.write(COLUMNS, rows)}


def read(texts: Texts) -> list[Label]:
    """The labels, of files in `audio/`. Raises ValueError."""
    return [
        Label(
            f"{AUDIO}/{row['filename']}",
            row["category"],
            fold=int(number(row["fold"], "the fold", place)),
            group=row.get("src_file", ""),
        )
        for place, text in texts.items()
        for row in csv_cells.read(text, place, ("filename", "fold", "category"))
    ]
