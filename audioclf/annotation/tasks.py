"""Candidates: what a person is asked about, one at a time.

A short file is one candidate; a long recording is cut where it is silent, or into windows. Where a
file is silent is found once per setting, and kept in the data set.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import numpy as np

from audioclf.annotation import catalog, database
from audioclf.annotation.catalog import File
from audioclf.annotation.project import LabelledSet
from audioclf.audio import clean, io
from audioclf.audio.clean import Split
from audioclf.audio.io import Samples

WHOLE, SILENCES, WINDOWS = "whole", "silences", "windows"
KINDS = (WHOLE, SILENCES, WINDOWS)
MOST = 100_000  # candidates of a set: more is a sign of windows that are too short


class Candidate(NamedTuple):
    """A file, or a stretch of one in seconds."""

    file: str
    start_s: float | None = None  # None: the whole file
    end_s: float | None = None


@dataclass(frozen=True)
class Cutting:
    """How long recordings become candidates."""

    kind: str = WINDOWS
    long_s: float = 30.0  # what is shorter stays whole
    window_s: float = 5.0
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no cutting “{self.kind}”: choose one of {KINDS}.")
        if not (self.long_s >= 0 and 0.1 <= self.window_s <= 3_600):
            raise ValueError("Windows last from 0.1 s to an hour: choose another length.")

    @property
    def key(self) -> str:
        """What tells where silences are from what other settings find."""
        return json.dumps(asdict(self.split), sort_keys=True)


def of_set(one: LabelledSet, cutting: Cutting) -> list[Candidate]:
    """What to ask about, file by file; what cannot be heard is left out.

    Of long files in which silences were not looked for yet (see `listen`) there is nothing.
    Raises ValueError for more than MOST.
    """
    with database.opened(one.store) as db:
        files = catalog.files(db)
        known = catalog.stretches(db, cutting.key) if cutting.kind == SILENCES else {}
    found: list[Candidate] = []
    for file in files:
        if file.trouble is None:
            found += _of_file(file, cutting, known)
        if len(found) > MOST:
            raise ValueError(f"These are more than {MOST:,} candidates: choose longer windows.")
    return found


def listen(one: LabelledSet, cutting: Cutting) -> Iterator[int]:
    """Find the silences of long files in which they were not looked for yet, and keep them.

    Yields how many files are left after each. What cannot be heard is remembered with the reason.
    """
    with database.opened(one.store) as db:
        missing = unlistened(db, cutting)
        for n_left, file in zip(range(len(missing) - 1, -1, -1), missing, strict=True):
            try:
                ends = stretches(one, file, cutting.split)
            except ValueError as error:
                catalog.set_trouble(db, file.place, str(error))
            else:
                catalog.keep_stretches(db, file.place, cutting.key, ends)
            yield n_left


def is_cut(one: LabelledSet, cutting: Cutting) -> bool:
    """Whether it is known of all long files where they are cut."""
    with database.opened(one.store) as db:
        return not unlistened(db, cutting)


def unlistened(db: sqlite3.Connection, cutting: Cutting) -> list[File]:
    """Long files of which nothing is known yet."""
    if cutting.kind != SILENCES:
        return []
    known = catalog.stretches(db, cutting.key)
    return [
        file
        for file in catalog.files(db)
        if file.trouble is None and is_long(file, cutting) and file.place not in known
    ]


def stretches(one: LabelledSet, file: File, split: Split) -> list[tuple[float, float]]:
    """Where a file is not silent, in seconds. Raises ValueError."""
    path = one.path_of(file.place)
    rate_hz = io.read_header(path).sample_rate_hz
    found = clean.split_blocks(io.read_blocks(path), rate_hz, split)
    return [(float(start), float(end)) for start, end in found]


def preview(
    file: File, cutting: Cutting, samples: Samples, rate_hz: int
) -> list[tuple[float, float]]:
    """What would be asked about in the beginning of a long file, in seconds."""
    if cutting.kind == SILENCES:
        found = clean.split(samples, rate_hz, cutting.split)
        return [(float(start), float(end)) for start, end in found]
    end_s = len(samples) / rate_hz
    part = File(file.place, end_s, rate_hz)
    return [(one.start_s or 0.0, one.end_s or end_s) for one in _windows(part, cutting.window_s)]


def is_long(file: File, cutting: Cutting) -> bool:
    """Whether a file is cut; one of unknown length is not."""
    return cutting.kind != WHOLE and (file.duration_s or 0.0) > cutting.long_s


def _of_file(
    file: File, cutting: Cutting, known: dict[str, list[tuple[float, float]]]
) -> Iterator[Candidate]:
    if not is_long(file, cutting):
        yield Candidate(file.place)
    elif cutting.kind == SILENCES:
        for start_s, end_s in known.get(file.place, ()):
            yield Candidate(file.place, start_s, end_s)
    else:
        yield from _windows(file, cutting.window_s)


def _windows(file: File, window_s: float) -> Iterator[Candidate]:
    """Windows of equal length; the last one is as long as they are, and ends with the file."""
    duration_s, rate_hz = file.duration_s or 0.0, file.rate_hz or 1
    n_samples, n_window = round(duration_s * rate_hz), round(window_s * rate_hz)
    starts = list(range(0, max(1, n_samples - n_window + 1), n_window))
    if starts[-1] + n_window < n_samples - n_window // 10:
        starts.append(n_samples - n_window)
    for start in starts:
        end = min(start + n_window, n_samples)
        yield Candidate(file.place, start / rate_hz, end / rate_hz)


def shares(candidate: Candidate, starts_s: np.ndarray, ends_s: np.ndarray) -> np.ndarray:
    """How much of each window, (windows,) from its start to its end, a candidate hears; sum 1.

    One that no window overlaps hears the nearest.
    """
    if candidate.start_s is None or candidate.end_s is None:
        return np.full(len(starts_s), 1 / len(starts_s))
    overlap = np.minimum(ends_s, candidate.end_s) - np.maximum(starts_s, candidate.start_s)
    weight = np.maximum(overlap, 0.0)
    if weight.sum() == 0:
        weight = (np.arange(len(overlap)) == overlap.argmax()).astype(float)
    found: np.ndarray = weight / weight.sum()
    return found
