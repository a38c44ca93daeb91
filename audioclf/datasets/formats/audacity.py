"""Audacity label tracks: start, end and label, separated by tabs, without a header.

One track per sound file, named like it with the ending .txt.
"""

from collections import defaultdict
from collections.abc import Iterable

from audioclf.datasets.formats.base import Durations, Interval, Label, Texts, number, one_line

UNDEFINED = -1.0  # a frequency that is not known


def track(intervals: Iterable[Interval]) -> str:
    """The text of a label file, to be saved as UTF-8 with the ending .txt."""
    return "".join(
        f"{start_s:.6f}\t{end_s:.6f}\t{one_line(text)}\n" for start_s, end_s, text in intervals
    )


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """A track per file; a label with a frequency band has a second line. Raises ValueError."""
    tracks: dict[str, str] = defaultdict(str)
    for label in labels:
        tracks[f"{label.file}.txt"] += track([Interval(*label.span(durations), label.name)])
        if label.low_hz is not None or label.high_hz is not None:
            low, high = (UNDEFINED if hz is None else hz for hz in (label.low_hz, label.high_hz))
            tracks[f"{label.file}.txt"] += f"\\\t{low:.6f}\t{high:.6f}\n"
    return dict(tracks)


def read(texts: Texts) -> list[Label]:
    """The labels of tracks whose names are those of the sounds, with .txt. Raises ValueError.

    Lines of frequencies may be there or not; so may a fourth column, which other tools append.
    """
    labels: list[Label] = []
    for path, text in texts.items():
        file = path.removesuffix(".txt")
        for line in filter(str.strip, text.removeprefix("\ufeff").splitlines()):
            parts = line.split("\t")
            if parts[0] == "\\" and labels and len(parts) >= 3:
                labels[-1] = _with_band(labels[-1], parts, path)
                continue
            if len(parts) < 2:
                raise ValueError(f"“{path}” has a line without tabs: export it as labels again.")
            start_s, end_s = (number(part, "a time in seconds", path) for part in parts[:2])
            name = parts[2] if len(parts) > 2 else ""
            labels.append(Label(file, name.strip(), start_s, end_s))
    return labels


def _with_band(label: Label, parts: list[str], path: str) -> Label:
    low, high = (number(part, "a frequency in Hz", path) for part in parts[1:3])
    return Label(
        label.file, label.name, label.start_s, label.end_s,
        None if low == UNDEFINED else low, None if high == UNDEFINED else high,
    )  # fmt: skip
