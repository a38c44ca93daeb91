"""UrbanSound8K's table, `metadata/UrbanSound8K.csv` (Salamon, Jacoby and Bello, 2014): excerpts of
recordings, `fsID`, in ten folds.
"""

from pathlib import PurePosixPath

from audioclf.datasets.formats.base import Durations, Label, Texts, flat_names, number, whole_only
from audioclf.storage import csv_cells

FILE = "metadata/UrbanSound8K.csv"
COLUMNS = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
FOREGROUND = 1


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """The table; files belong in `audio/fold1/` and so on. Raises ValueError."""
    names = flat_names(labels)
    numbers = {name: i for i, name in enumerate(sorted({label.name for label in labels}))}
    rows = (
        {
            "slice_file_name": names[label.file],
            "fsID": label.group or PurePosixPath(label.file).stem,
            "start": 0.0,
            "end": durations.get(label.file, ""),
            "salience": FOREGROUND,
            "fold": 1 if label.fold is None else label.fold,
            "classID": numbers[label.name],
            "class": label.name,
        }
        for label in whole_only(labels, "UrbanSound8K")
    )
    return {FILE: csv_cells.write(COLUMNS, rows)}


def read(texts: Texts) -> list[Label]:
    """The labels; the excerpts are files of their own, so they are of whole files."""
    return [
        Label(
            f"audio/fold{row['fold']}/{row['slice_file_name']}",
            row["class"],
            fold=int(number(row["fold"], "the fold", place)),
            group=row.get("fsID", ""),
        )
        for place, text in texts.items()
        for row in csv_cells.read(text, place, ("slice_file_name", "fold", "class"))
    ]
