"""Inspection of a labelled folder before training: what is there, and what is wrong with it.

Every clip is read once. Errors make training impossible, warnings do not.
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
from audioclf.datasets.checks import DEFAULT_SHARE, ClipInfo, Finding, Severity
from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.features.windowing import DIGITAL_SILENCE

DURATIONS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LENGTHS = (*(f"up to {high:g} s" for high in DURATIONS_S), f"over {DURATIONS_S[-1]:g} s")


@dataclass(frozen=True)
class InspectionReport:
    """What a labelled folder holds, and what is wrong with it."""

    data: Dataset
    clips: tuple[ClipInfo, ...]
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether it cannot be trained on as it is."""
        return any(finding.kind == Severity.ERROR for finding in self.findings)

    @property
    def usable(self) -> tuple[LabelledClip, ...]:
        """The clips that can be read."""
        return tuple(info.clip for info in self.clips if info.error is None)

    def classes(self) -> list[dict[str, Any]]:
        """A row per class: clips, minutes, and clips that cannot be read."""
        rows = []
        for name in self.data.classes:
            clips = [info for info in self.clips if info.clip.label == name]
            rows.append(
                {
                    "class": name,
                    "clips": sum(info.error is None for info in clips),
                    "minutes": round(sum(info.duration_s for info in clips) / 60, 2),
                    "unreadable": sum(info.error is not None for info in clips),
                }
            )
        return rows

    def durations(self) -> list[tuple[str, int]]:
        """How many clips are how long: words and counts."""
        counts = [0] * len(LENGTHS)
        for info in self.clips:
            if info.error is None:  # to a millisecond: codecs add a few samples
                counts[bisect_left(DURATIONS_S, round(info.duration_s, 3))] += 1
        return list(zip(LENGTHS, counts, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        rates = Counter(info.rate_hz for info in self.clips if info.error is None)
        return {
            "name": self.data.name,
            "layout": self.data.layout,
            "classes": self.classes(),
            "sample_rates_hz": {str(rate): n for rate, n in sorted(rates.items())},
            "durations": dict(self.durations()),
            "findings": [vars(finding) for finding in self.findings],
        }


def inspect(
    data: Dataset,
    window_s: float,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> InspectionReport:
    """Read every clip and run the checks.

    `window_s`: the length of a model's window.
    """
    return build_report(data, tuple(inspect_clips(data, progress)), window_s)


def inspect_clips(
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
    limits: Limits = io.ANY,
) -> Iterator[ClipInfo]:
    """Inspect every clip, one after the other; files that have not changed are not read again."""
    for clip in progress(data.clips):
        yield _inspect_clip(clip, limits)


def unusable(report: InspectionReport) -> set[str]:
    """Relative paths of clips to skip in training: unreadable ones, and copies but for the first.

    Of a recording that is in several classes, every copy.
    """
    labels: dict[str, list[str]] = defaultdict(list)
    unusable_paths = set()
    for info in report.clips:
        earlier = labels[info.digest] if info.digest else []
        if info.error is not None or earlier:
            unusable_paths.add(info.clip.relative_path)
        earlier.append(info.clip.label)
    conflicting = {digest for digest, names in labels.items() if len(set(names)) > 1}
    return unusable_paths | {
        info.clip.relative_path for info in report.clips if info.digest in conflicting
    }


def build_report(
    data: Dataset, clips: tuple[ClipInfo, ...], window_s: float, share: float = DEFAULT_SHARE
) -> InspectionReport:
    """The report on inspected clips.

    `window_s`: the length of a model's window; `share`: how much is held out for validation.
    """
    return InspectionReport(data, clips, checks.run_checks(data, clips, window_s, share))


def _inspect_clip(clip: LabelledClip, limits: Limits) -> ClipInfo:
    try:
        stat = clip.path.stat()
        stats = _decode_stats(str(clip.path), stat.st_mtime_ns, stat.st_size, limits)
    except OSError as failure:
        why = f"“{clip.path.name}” cannot be read ({failure.strerror})."
        return ClipInfo(clip, "", error=why)
    return ClipInfo(clip, *stats)


@lru_cache(maxsize=50_000)
def _decode_stats(
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
