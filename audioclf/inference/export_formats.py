"""A Prediction as text, in the formats that people take away: JSON, CSV, Audacity, Raven."""

import csv
import io
import json
from collections.abc import Callable

from audioclf.datasets.formats import audacity, raven
from audioclf.datasets.formats.base import Interval, one_line
from audioclf.inference.prediction import Prediction

RAVEN_HIGH_HZ = 11_025.0


def to_json(prediction: Prediction, file: str) -> str:
    """The clip's and every window's probabilities."""
    return json.dumps(prediction.to_dict(file), indent=1, ensure_ascii=False) + "\n"


def to_csv(prediction: Prediction, file: str) -> str:
    """A row per window: the most probable class, then every class in a column of its own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["file", "start_s", "end_s", "class", "probability", *map(_cell, prediction.classes)]
    )
    for interval, row in zip(_intervals(prediction), prediction.probabilities, strict=True):
        start_s, end_s, name = interval
        times = [f"{start_s:.4f}", f"{end_s:.4f}"]
        shares = [f"{p:.6f}" for p in (row.max(), *row)]
        writer.writerow([_cell(file), *times, _cell(name), *shares])
    return text.getvalue()


def to_audacity(prediction: Prediction, file: str) -> str:
    """A label per window: its most probable class."""
    return audacity.track(_intervals(prediction))


def to_raven(prediction: Prediction, file: str) -> str:
    """A selection per window: its most probable class."""
    return raven.table(_intervals(prediction), RAVEN_HIGH_HZ)


FORMATS: dict[str, Callable[[Prediction, str], str]] = {
    "json": to_json,
    "csv": to_csv,
    "audacity": to_audacity,
    "raven": to_raven,
}


def _intervals(prediction: Prediction) -> list[Interval]:
    rows = zip(
        prediction.starts_s, prediction.ends_s, prediction.probabilities.argmax(axis=1), strict=True
    )
    return [
        Interval(float(start_s), float(end_s), prediction.classes[best])
        for start_s, end_s, best in rows
    ]


def _cell(text: str) -> str:
    """A cell of one line that no spreadsheet takes for a formula."""
    line = one_line(text)
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line
