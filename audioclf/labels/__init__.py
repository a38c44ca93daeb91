"""What is said about stretches of sound, and the formats in which other tools exchange it.

An exchange format is one file in this folder with `write(intervals) -> str`.
"""

from typing import NamedTuple


class Interval(NamedTuple):
    """A named stretch of a sound file, in seconds."""

    start_s: float
    end_s: float
    text: str


def one_line(text: str) -> str:
    """Text that cannot break a row or a column of a tab-separated file."""
    return " ".join(text.split())
