"""Raven selection tables: tab-separated with a header, one row per selection.

A table of several files names each file, and says in `File Offset (s)` when a selection begins in
it: `Begin Time (s)` runs on from file to file.
"""

from collections.abc import Iterable, Iterator, Mapping

from audioclf.datasets.formats.base import Durations, Interval, Label, Texts, number, one_line

HEADER = (
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)",
    "High Freq (Hz)", "Annotation",
)  # fmt: skip
FILE = "selections.txt"
WHERE = ("Begin Path", "File Offset (s)")
NAMES = ("Annotation", "Species", "Label", "Class")  # columns that hold a class, the first found
FILES = ("Begin Path", "Begin File")
HIGH_HZ = 11_025.0


def table(intervals: Iterable[Interval], high_hz: float) -> str:
    """The text of a selection table whose boxes reach from 0 to `high_hz`."""
    rows = ["\t".join(HEADER)]
    for row_number, (start_s, end_s, text) in enumerate(intervals, start=1):
        box = f"{start_s:.6f}\t{end_s:.6f}\t0.0\t{high_hz:.1f}"
        rows.append(f"{row_number}\tSpectrogram 1\t1\t{box}\t{one_line(text)}")
    return "\n".join(rows) + "\n"


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """One table of all files, in the order in which they come. Raises ValueError."""
    offsets = _offsets(labels, durations)
    rows = ["\t".join((*HEADER, *WHERE))]
    for row_number, label in enumerate(labels, start=1):
        start_s, end_s = label.span(durations)
        before_s = offsets[label.file]
        low = 0.0 if label.low_hz is None else label.low_hz
        high = HIGH_HZ if label.high_hz is None else label.high_hz
        times = f"{before_s + start_s:.6f}\t{before_s + end_s:.6f}\t{low:.3f}\t{high:.3f}"
        where = f"{one_line(label.file)}\t{start_s:.6f}"
        rows.append(f"{row_number}\tSpectrogram 1\t1\t{times}\t{one_line(label.name)}\t{where}")
    return {FILE: "\n".join(rows) + "\n"}


def read(texts: Texts) -> list[Label]:
    """The labels of tables; a selection of several views counts once. Raises ValueError.

    A table that names no file is of the file whose name it bears.
    """
    labels = []
    for path, text in texts.items():
        seen = set()
        for row in read_rows(text, path):
            if row.get("Selection") and (row["Selection"] in seen):
                continue
            seen.add(row.get("Selection"))
            labels.append(_label(row, path))
    return labels


def _label(row: Mapping[str, str], path: str) -> Label:
    file = next((row[name] for name in FILES if row.get(name)), _sound_of(path))
    name = next((row[name] for name in NAMES if name in row), "")
    if not name and row.get("Confidence"):
        raise ValueError(
            f"“{path}” holds what a model detected, and no labels: import it as detections of "
            "BirdNET-Analyzer."
        )
    begin, end = (number(row.get(f"{n} Time (s)", ""), f"{n} Time", path) for n in ("Begin", "End"))
    offset = row.get("File Offset (s)")
    start_s = number(offset, "File Offset", path) if offset else begin
    low, high = (
        number(row[f"{n} Freq (Hz)"], f"{n} Freq", path) if row.get(f"{n} Freq (Hz)") else None
        for n in ("Low", "High")
    )
    return Label(file, name, start_s, start_s + end - begin, low, high)


def read_rows(text: str, path: str) -> Iterator[dict[str, str]]:
    """The rows of a selection table by its header. Raises ValueError."""
    lines = text.removeprefix("\ufeff").splitlines()
    header = lines[0].split("\t") if lines else []
    if "Begin Time (s)" not in header or "End Time (s)" not in header:
        raise ValueError(f"“{path}” is no selection table: it lacks Begin Time and End Time.")
    for line in filter(str.strip, lines[1:]):
        yield dict(zip(header, line.split("\t"), strict=False))


def _offsets(labels: list[Label], durations: Durations) -> dict[str, float]:
    """When each file begins, where they stand one after the other."""
    offsets, now_s = {}, 0.0
    for file in dict.fromkeys(label.file for label in labels):
        offsets[file] = now_s
        now_s += durations.get(file, 0.0)
    return offsets


def _sound_of(path: str) -> str:
    """The file that a table is of, by the table's own name: `a.wav.Table.1.selections.txt`."""
    name = path.removesuffix(".txt").removesuffix(".selections")
    stem, dot, last = name.rpartition(".Table.")
    return stem if dot and last.isdecimal() else name
