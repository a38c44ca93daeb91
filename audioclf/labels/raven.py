"""Raven selection tables: tab-separated with a header, one row per selection."""

from collections.abc import Iterable

from audioclf.labels import Interval, one_line

HEADER = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Annotation",
)


def write(intervals: Iterable[Interval], high_hz: float) -> str:
    """The text of a selection table whose boxes reach from 0 to `high_hz`."""
    rows = ["\t".join(HEADER)]
    rows += [
        f"{number}\tSpectrogram 1\t1\t{start_s:.6f}\t{end_s:.6f}\t0.0\t{high_hz:.1f}\t"
        f"{one_line(text)}"
        for number, (start_s, end_s, text) in enumerate(intervals, start=1)
    ]
    return "\n".join(rows) + "\n"
