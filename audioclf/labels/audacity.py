"""Audacity label tracks: start, end and label, separated by tabs, without a header."""

from collections.abc import Iterable

from audioclf.labels import Interval, one_line


def write(intervals: Iterable[Interval]) -> str:
    """The text of a label file, to be saved as UTF-8 with the ending .txt."""
    return "".join(
        f"{start_s:.6f}\t{end_s:.6f}\t{one_line(text)}\n" for start_s, end_s, text in intervals
    )
