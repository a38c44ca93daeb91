"""Detections of BirdNET-Analyzer (Kahl et al., 2021), in three of the forms that it writes.

Selection tables of Raven, CSV tables and those of Kaleidoscope, of one recording or of many. A
detection is what a model says: it has a confidence, and is never a label.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from audioclf.datasets.formats import raven
from audioclf.datasets.formats.base import Label, Texts, number
from audioclf.storage import csv_cells

TITLE, SOURCE = "BirdNET-Analyzer detections, as suggestions", "BirdNET-Analyzer"
NO_CALL = "nocall"  # what it writes where it detects nothing
ENDINGS = (
    ".BirdNET.selection.table.txt", ".BirdNET.results.csv", ".BirdNET.results.kaleidoscope.csv",
    ".BirdNET.results.r.csv",
)  # fmt: skip


class Detection(NamedTuple):
    """A place and a class as a model detected them, and how probable it finds them."""

    label: Label
    probability: float


def read(texts: Texts) -> list[Detection]:
    """The detections of all tables, whichever form each has. Raises ValueError."""
    return [
        detection
        for path, text in texts.items()
        for detection in _read(text, path)
        if detection.label.name.casefold() != NO_CALL
    ]


def _read(text: str, path: str) -> Iterator[Detection]:
    header = text.removeprefix("\ufeff").partition("\n")[0]
    if "Begin Time (s)" in header and "\t" in header:
        rows = map(_of_raven, raven.read_rows(text, path))
    elif "Start (s)" in header:
        rows = map(_of_csv, csv_cells.read(text, path, ("Start (s)", "End (s)", "Confidence")))
    elif "OFFSET" in header and "DURATION" in header:
        rows = map(_of_kaleidoscope, csv_cells.read(text, path, ("IN FILE", "OFFSET", "DURATION")))
    else:
        raise ValueError(
            f"“{path}” is no table of BirdNET-Analyzer: have it write a Raven table, a CSV or a "
            "table of Kaleidoscope."
        )
    for file, name, start, end, confidence in rows:
        start_s, end_s = (number(time, "a time in seconds", path) for time in (start, end))
        probability = number(confidence, "a confidence", path)
        if not 0 <= probability <= 1:
            raise ValueError(f"“{path}” has the confidence {confidence}: it is between 0 and 1.")
        yield Detection(Label(file or _sound_of(path), name, start_s, end_s), probability)


Cells = tuple[str, str, str, str, str]  # file, class, start, end, confidence


def _of_raven(row: Mapping[str, str]) -> Cells:
    begin, end, offset = (
        row.get(name, "") for name in ("Begin Time (s)", "End Time (s)", "File Offset (s)")
    )
    if offset:  # times run on from file to file, the offset is that in the file
        end = str(_as_number(offset) + _as_number(end) - _as_number(begin))
    file = row.get("Begin Path") or row.get("Begin File") or ""
    name = row.get("Common Name") or row.get("Species Code") or ""
    return file, name, offset or begin, end, row.get("Confidence", "")


def _of_csv(row: Mapping[str, str]) -> Cells:
    name = row.get("Common name") or row.get("Scientific name") or ""
    return row.get("File", ""), name, row["Start (s)"], row["End (s)"], row["Confidence"]


def _of_kaleidoscope(row: Mapping[str, str]) -> Cells:
    folder, file = row.get("FOLDER", ""), row["IN FILE"]
    name = row.get("common_name") or row.get("scientific_name") or ""
    end = str(_as_number(row["OFFSET"]) + _as_number(row["DURATION"]))
    path = f"{folder.rstrip('/')}/{file}" if folder else file
    return path, name, row["OFFSET"], end, row.get("confidence", "")


def _as_number(text: str) -> float:
    return number(text, "a time in seconds", "the table")


def _sound_of(path: str) -> str:
    """The file that a table without names is of, by the table's own name."""
    ending = next((ending for ending in ENDINGS if path.endswith(ending)), "")
    return path.removesuffix(ending)
