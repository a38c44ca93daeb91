"""How well a network does on labelled clips: one judgement per clip, never per window."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.inference import calibration
from audioclf.inference.calibration import Probabilities
from audioclf.inference.predict import predict_file
from audioclf.models.checkpoint import Checkpoint

MOST_NAMED = 12  # classes in a sentence


@dataclass(frozen=True)
class Evaluation:
    """What came out on `n_clips` clips; `confusion` has the true classes as rows."""

    classes: tuple[str, ...]
    accuracy: float
    macro_f1: float
    per_class: dict[str, dict[str, float]]
    confusion: NDArray[np.int64]  # (classes, classes)
    n_clips: int
    nll: float  # mean negative log likelihood of the true classes, in nats
    ece: float  # expected calibration error; of temperatures that were learnt on other clips
    ece_uncalibrated: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
            "n_clips": self.n_clips,
            "nll": self.nll,
            "ece": self.ece,
            "ece_uncalibrated": self.ece_uncalibrated,
        }


@dataclass(frozen=True)
class Heard:
    """What a network says of labelled clips, before any temperature."""

    windows: tuple[Probabilities, ...]  # (windows, classes) per clip
    truth: NDArray[np.int64]  # (clips,)
    key: str  # of these clips and labels

    def temperature(self) -> float | None:
        """The temperature that suits these clips best; None where they are too few."""
        return calibration.learn(self.windows, self.truth)


def evaluate(
    network: Checkpoint,
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Evaluation:
    """Predict every clip and compare. Raises ValueError for classes that the network lacks."""
    return judge(hear(network, data, progress), network)


def hear(
    network: Checkpoint,
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Heard:
    """What the network says of every clip. Raises ValueError for classes that it lacks."""
    if unknown := sorted(set(data.classes) - set(network.classes)):
        raise ValueError(
            f"“{network.name}” does not know the class {unknown[0]}: it hears "
            f"{_some(network.classes)}."
        )
    plain = network.uncalibrated()
    windows = [predict_file(clip.path, plain).probabilities for clip in progress(data.clips)]
    truth = [network.classes.index(clip.label) for clip in data.clips]
    named = sorted(f"{clip.path.name} {clip.label}" for clip in data.clips)
    key = hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]
    return Heard(tuple(windows), np.array(truth), key)


def _some(classes: Sequence[str]) -> str:
    """The classes, or the first of many."""
    if len(classes) <= MOST_NAMED:
        return ", ".join(classes)
    return f"{', '.join(classes[:MOST_NAMED])} and {len(classes) - MOST_NAMED} others"


def judge(heard: Heard, network: Checkpoint) -> Evaluation:
    """Accuracy, F1, confusion and calibration, with the network's own temperature.

    Where that was learnt on these very clips, the calibration error is that of temperatures which
    were learnt on others of them: nothing is measured on what it was fitted to.
    """
    calibrated = calibration.clip_probabilities(heard.windows, network.temperature)
    plain = calibration.clip_probabilities(heard.windows, 1.0)
    fair = calibrated
    if (network.card.get("calibration") or {}).get("clips") == heard.key:
        others = calibration.cross_fitted(heard.windows, heard.truth)
        fair = plain if others is None else others  # too few clips to learn it on others of them
    return score(heard.truth, calibrated, network.classes, fair, plain)


def score(
    truth: NDArray[np.int64],
    probabilities: Probabilities,
    classes: Sequence[str],
    fair: Probabilities,
    plain: Probabilities,
) -> Evaluation:
    """Measures of one judgement per clip, (clips,) and (clips, classes).

    `fair` are the probabilities that calibration is measured on, `plain` those without any.
    """
    numbers = np.arange(len(classes))
    chosen = probabilities.argmax(axis=1)
    precision, recall, f1, n_clips = metrics.precision_recall_fscore_support(
        truth, chosen, labels=numbers, zero_division=0
    )
    table = zip(classes, precision, recall, f1, n_clips, strict=True)
    return Evaluation(
        classes=tuple(classes),
        accuracy=float(metrics.accuracy_score(truth, chosen)),
        macro_f1=float(f1[n_clips > 0].mean()),
        per_class={
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "n_clips": int(n)}
            for name, p, r, f, n in table
        },
        confusion=metrics.confusion_matrix(truth, chosen, labels=numbers),
        n_clips=len(truth),
        nll=calibration.negative_log_likelihood(fair, truth),
        ece=calibration.expected_calibration_error(fair, truth),
        ece_uncalibrated=calibration.expected_calibration_error(plain, truth),
    )
