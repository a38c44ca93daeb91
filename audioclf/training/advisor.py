"""What to start a training from: heads on the best few models, compared by cross-validation.

Embeddings are computed once and cached, and the head is a logistic regression on the mean embedding
of a clip, so the comparison takes seconds. Folds are those of the data set: what shares a recording
is never on both sides. Training all layers costs minutes to hours and is not tried: its cost
follows from steps that are timed here, and what it usually brings from `benchmarks/few_clips.md`.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf.datasets.dataset import Dataset
from audioclf.inference import calibration, embedding_cache, out_of_fold
from audioclf.inference.prediction import normalize_class_name
from audioclf.jobs.records import TrainingMode
from audioclf.models import download, ranking
from audioclf.models.checkpoint import KERAS, Checkpoint
from audioclf.progress import StageProgress

N_STARTS = 6
MAX_CLIPS = 400  # compared on; of more, whole folds' shares of them are drawn
BUDGET_S = 45.0  # the timing of steps comes on top
N_TIMED = 4  # clips that are embedded to see how long all of them will take
C = 0.1  # as a head is fitted
N_FINE_TUNED = 2  # starts whose training of all layers is estimated
# Of a head's errors, the share that training all layers removed: benchmarks/few_clips.md, from 94.4
# to 97.7 % in the mean of nine draws.
USUALLY_REMOVED = 0.59

Timing = Callable[[Checkpoint, int], float]  # seconds of training all layers on so many clips


@dataclass(frozen=True)
class Row:
    """A start and a training mode: how accurate it is or may be, and what it costs."""

    start: str
    mode: str
    accuracy: float | None  # cross-validated; None: not tried
    interval: tuple[float, float] | None  # 95 %, Wilson (1927)
    expected: float | None  # what it usually brings, where it is not tried
    seconds: float | None  # for all clips, on this machine
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "start": self.start,
            "mode": self.mode,
            "accuracy": _rounded(self.accuracy),
            "interval": [round(end, 4) for end in self.interval] if self.interval else None,
            "expected": _rounded(self.expected),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "note": self.note,
        }


@dataclass(frozen=True)
class Recommendation:
    """The table, the best first, and the start that is chosen."""

    rows: tuple[Row, ...]
    best: Checkpoint
    n_clips: int  # that were compared on
    errors: tuple[str, ...]  # of clips that cannot be read

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "starts": [row.to_dict() for row in self.rows],
            "best": self.best.name,
            "mode": TrainingMode.LINEAR_PROBE.value,
            "n_clips": self.n_clips,
        }


@dataclass(frozen=True)
class _Tried:
    row: Row
    model: Checkpoint
    nll: float  # of two that are as accurate, the lower one is chosen
    errors: tuple[str, ...] = ()

    @property
    def low(self) -> float:
        return self.row.interval[0] if self.row.interval else 0.0


def recommend(
    data: Dataset,
    progress: StageProgress,
    starts: Sequence[Checkpoint] | None = None,
    timing: Timing | None = None,
    budget_s: float = BUDGET_S,
) -> Recommendation:
    """Compare heads on these starts, else on the best few, and choose one.

    timing: the seconds of training all layers, so that what it would cost stands beside. A start
    that would exceed the budget is not tried. The lower end of the interval decides, since not
    every accuracy is of as many clips. Raises ValueError where nothing can be compared.
    """
    started, sample = time.perf_counter(), drawn(data, MAX_CLIPS)
    tried: list[_Tried] = []
    skipped: list[Row] = []
    for model in starts or candidates():
        left_s = budget_s - (time.perf_counter() - started)
        reason = _too_slow(model, sample, left_s) if tried else ""
        if reason:
            skipped.append(
                Row(model.name, TrainingMode.LINEAR_PROBE, None, None, None, None, reason)
            )
        else:
            tried.append(_try_head(model, sample, len(data.clips), progress))
    if not tried:
        raise ValueError("There is no model to start from: run “audioclf download yamnet”.")
    tried.sort(key=lambda one: (-one.low, one.nll))
    trainable = [one for one in tried if (one.model.folder / KERAS).is_file()][:N_FINE_TUNED]
    whole = [_whole(one, len(data.clips), timing) for one in trainable]
    rows = (*(one.row for one in tried), *whole, *skipped)
    return Recommendation(rows, tried[0].model, len(sample.clips), tried[0].errors)


def candidates() -> list[Checkpoint]:
    """The general-purpose model where it is installed, then the best model of every feature."""
    general = download.installed(download.YAMNET)
    starts = [general] if general else []
    features = {model.feature_names() for model in starts}
    for model in ranking.best_first():
        if model.is_ensemble or model.is_head or model.unavailable_reason():
            continue
        if model.feature_names() not in features:
            features.add(model.feature_names())
            starts.append(model)
    return starts[:N_STARTS]


def drawn(data: Dataset, n_clips: int) -> Dataset:
    """At most so many clips, drawn at random with their class's share of each fold."""
    if len(data.clips) <= n_clips:
        return data
    rng, share = np.random.default_rng(0), n_clips / len(data.clips)
    strata: dict[tuple[int, str], list[int]] = {}
    for number, clip in enumerate(data.clips):
        strata.setdefault((clip.fold, clip.label), []).append(number)
    chosen: list[int] = []
    for members in strata.values():
        n_drawn = max(1, round(share * len(members)))
        chosen += rng.choice(members, n_drawn, replace=False).tolist()
    return replace(data, clips=tuple(data.clips[number] for number in sorted(chosen)))


def may_know(model: Checkpoint, data: Dataset) -> bool:
    """Whether its own classes are most of these, so that it may have been trained on these clips.

    Then a head on it is right about clips that its backbone has learnt by heart.
    """
    if model.is_multi_label:
        return False
    known = {normalize_class_name(name) for name in model.classes}
    own = {normalize_class_name(name) for name in data.classes}
    return len(own & known) > len(own) / 2


def _try_head(model: Checkpoint, data: Dataset, n_all: int, progress: StageProgress) -> _Tried:
    """The head's cross-validation, with what the head costs for all clips."""
    started = time.perf_counter()
    embedded = out_of_fold.embed_means(model, [clip.path for clip in data.clips], progress)
    clips = [data.clips[number] for number in embedded.readable]
    classes = sorted({clip.label for clip in clips})
    labels = np.array([classes.index(clip.label) for clip in clips])
    folds = np.array([clip.fold for clip in clips])
    probabilities = out_of_fold.predict(out_of_fold.components(embedded.values), labels, folds, C)
    seconds = (time.perf_counter() - started) * n_all / len(data.clips)
    accuracy, n_clips, note = (
        float((probabilities.argmax(axis=1) == labels).mean()),
        len(labels),
        "",
    )
    if may_know(model, data) and model.evaluation:
        accuracy = float(model.evaluation["accuracy"])
        n_clips = int(model.evaluation.get("n_clips") or 1)
        note = "knows these classes, perhaps from these clips: its own held-out result"
    row = Row(
        model.name,
        TrainingMode.LINEAR_PROBE,
        accuracy,
        ranking.wilson_interval(accuracy, n_clips),
        None,
        seconds,
        note,
    )
    nll = calibration.negative_log_likelihood(probabilities, labels)
    return _Tried(row, model, nll, tuple(embedded.errors))


def _too_slow(model: Checkpoint, data: Dataset, left_s: float) -> str:
    """Why a start is not tried, from a few clips that are timed; empty where it is."""
    paths: list[Path] = [clip.path for clip in data.clips]
    numbers: NDArray[np.intp] = np.linspace(0, len(paths) - 1, min(N_TIMED, len(paths))).astype(int)
    seconds = []  # the first includes the opening of the model
    for number in numbers:
        started = time.perf_counter()
        with suppress(ValueError):
            embedding_cache.file_embeddings(model, paths[number])
        seconds.append(time.perf_counter() - started)
    needed_s = median(seconds) * (len(paths) - len(numbers))
    return f"not tried: it would take about {needed_s:.0f} s" if needed_s > left_s else ""


def _whole(tried: _Tried, n_clips: int, timing: Timing | None) -> Row:
    """What training all layers from the same start costs, and usually brings."""
    accuracy = tried.row.accuracy or 0.0
    expected = accuracy + USUALLY_REMOVED * (1 - accuracy)
    seconds = timing(tried.model, n_clips) if timing else None
    note = "not tried: what it usually brings"
    return Row(tried.model.name, TrainingMode.FINE_TUNE, None, None, expected, seconds, note)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
