"""A look at a labelled folder before anything is trained: what is there, and what is wrong with it.

Every clip is read once. What blocks a training and what only warns is told apart.
"""

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from audioclf.audio import io
from audioclf.audio.io import Limits
from audioclf.datasets import checks
from audioclf.datasets.checks import USUAL_SHARE, Finding, Heard, Severity
from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.features.windowing import DIGITAL_SILENCE

DURATIONS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LENGTHS = (*(f"up to {high:g} s" for high in DURATIONS_S), f"over {DURATIONS_S[-1]:g} s")


@dataclass(frozen=True)
class Survey:
    """What a folder holds."""

    data: Dataset
    clips: tuple[Heard, ...]
    findings: tuple[Finding, ...]

    @property
    def blocks(self) -> bool:
        """Whether it cannot be trained on as it is."""
        return any(finding.kind == Severity.ERROR for finding in self.findings)

    @property
    def usable(self) -> tuple[LabelledClip, ...]:
        """The clips that can be read."""
        return tuple(heard.clip for heard in self.clips if heard.trouble is None)

    def classes(self) -> list[dict[str, Any]]:
        """A row per class: clips, minutes, and clips that cannot be read."""
        rows = []
        for name in self.data.classes:
            own = [heard for heard in self.clips if heard.clip.label == name]
            rows.append(
                {
                    "class": name,
                    "clips": sum(heard.trouble is None for heard in own),
                    "minutes": round(sum(heard.duration_s for heard in own) / 60, 2),
                    "unreadable": sum(heard.trouble is not None for heard in own),
                }
            )
        return rows

    def durations(self) -> list[tuple[str, int]]:
        """How many clips are how long: words and counts."""
        counts = [0] * len(LENGTHS)
        for heard in self.clips:
            if heard.trouble is None:  # to a millisecond: codecs add a few samples
                counts[bisect_left(DURATIONS_S, round(heard.duration_s, 3))] += 1
        return list(zip(LENGTHS, counts, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        rates = Counter(heard.rate_hz for heard in self.clips if heard.trouble is None)
        return {
            "name": self.data.name,
            "layout": self.data.layout,
            "classes": self.classes(),
            "sample_rates_hz": {str(rate): n for rate, n in sorted(rates.items())},
            "durations": dict(self.durations()),
            "findings": [vars(finding) for finding in self.findings],
        }


def survey(
    data: Dataset,
    window_s: float,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Survey:
    """Read every clip, and look for what would go wrong.

    `window_s`: how much a network sees at once.
    """
    return report(data, tuple(parts(data, progress)), window_s)


def parts(
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
    limits: Limits = io.ANY,
) -> Iterator[Heard]:
    """What is found out about every clip, one after the other; what has not changed is known."""
    for clip in progress(data.clips):
        yield _hear(clip, limits)


def useless(found: Survey) -> set[str]:
    """Places of the clips that teach nothing: unreadable ones, and copies but for the first.

    Of a recording that stands under several classes, every copy.
    """
    labels: dict[str, list[str]] = defaultdict(list)
    out = set()
    for one in found.clips:
        known = labels[one.digest] if one.digest else []
        if one.trouble is not None or known:
            out.add(one.clip.place)
        known.append(one.clip.label)
    torn = {digest for digest, own in labels.items() if len(set(own)) > 1}
    return out | {one.clip.place for one in found.clips if one.digest in torn}


def report(
    data: Dataset, heard: tuple[Heard, ...], window_s: float, share: float = USUAL_SHARE
) -> Survey:
    """What would go wrong with these clips.

    `window_s`: how much a network sees at once; `share`: how much is held out to measure on.
    """
    return Survey(data, heard, checks.find(data, heard, window_s, share))


def _hear(clip: LabelledClip, limits: Limits) -> Heard:
    try:
        stat = clip.path.stat()
        known = _listen(str(clip.path), stat.st_mtime_ns, stat.st_size, limits)
    except OSError as error:
        return Heard(clip, "", trouble=f"“{clip.path.name}” cannot be read ({error.strerror}).")
    return Heard(clip, *known)


@lru_cache(maxsize=50_000)
def _listen(
    path: str, modified_ns: int, n_bytes: int, limits: Limits
) -> tuple[str, float, int, bool, str | None]:
    """Digest, seconds, rate, whether it is silent, and why it cannot be read."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        samples, rate_hz = io.load(path, limits=limits)
    except ValueError as error:
        return digest, 0.0, 0, False, str(error)
    if not len(samples):
        return digest, 0.0, 0, False, f"“{Path(path).name}” holds no sound."
    peak = float(np.nanmax(np.abs(samples)))
    return digest, len(samples) / rate_hz, rate_hz, peak <= DIGITAL_SILENCE, None
