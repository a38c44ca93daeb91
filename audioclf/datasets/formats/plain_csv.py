"""A plain table, `labels.csv`: one row per label, with all that is known of it."""

from audioclf.datasets.formats.base import Durations, Label, Texts, number
from audioclf.storage import csv_cells

FILE = "labels.csv"
COLUMNS = (
    "file", "start_s", "end_s", "low_hz", "high_hz", "label", "fold", "group", "who", "when",
)  # fmt: skip
NUMBERS = ("start_s", "end_s", "low_hz", "high_hz")


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """The table; a label of a whole file has no times."""
    rows = (
        {**vars(label), "label": label.name, "who": label.annotator, "when": label.created_at}
        for label in labels
    )
    return {FILE: csv_cells.write(COLUMNS, rows)}


def read(texts: Texts) -> list[Label]:
    """The labels of the table, or of any table with `file` and `label`. Raises ValueError."""
    return [
        _label(row, path)
        for path, text in texts.items()
        for row in csv_cells.read(text, path, ("file", "label"))
    ]


def _label(row: dict[str, str], path: str) -> Label:
    start_s, end_s, low_hz, high_hz = (
        number(row[name], name, path) if row.get(name) else None for name in NUMBERS
    )
    fold = int(number(row["fold"], "the fold", path)) if row.get("fold") else None
    group, annotator, created_at = (row.get(name, "") for name in ("group", "who", "when"))
    return Label(
        row["file"],
        row["label"],
        start_s,
        end_s,
        low_hz,
        high_hz,
        fold,
        group,
        annotator,
        created_at,
    )
