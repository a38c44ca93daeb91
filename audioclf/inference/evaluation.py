"""Evaluation on labelled clips: one prediction per clip, never per window."""

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
from audioclf.models.ranking import wilson_interval

MAX_NAMED = 12  # classes in a sentence


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a model on labelled clips, one prediction per clip.

    Attributes
    ----------
    classes : tuple of str
        The class names, in the order of the confusion matrix.
    accuracy : float
        The share of the clips whose most probable class is the true one, in [0, 1].
    macro_f1 : float
        The mean F1 of the classes that have clips, in [0, 1].
    per_class : dict of dict
        "precision", "recall", "f1" and "n_clips" of every class, by its name.
    confusion : ndarray of int, shape (classes, classes)
        Numbers of clips; the true classes are the rows.
    n_clips : int
        The number of clips.
    nll : float
        The mean negative log likelihood of the true classes, in nats.
    ece : float
        The expected calibration error, in [0, 1]; of temperatures that were fitted on other clips.
    ece_uncalibrated : float
        The expected calibration error without any temperature, in [0, 1].

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks", ICML 2017,
    arXiv:1706.04599: temperatures and the expected calibration error.
    """

    classes: tuple[str, ...]
    accuracy: float
    macro_f1: float
    per_class: dict[str, dict[str, float]]
    confusion: NDArray[np.int64]
    n_clips: int
    nll: float
    ece: float
    ece_uncalibrated: float

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The accuracy's 95 % interval (Wilson)."""
        return wilson_interval(self.accuracy, self.n_clips)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
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
class DatasetPredictions:
    """A model's uncalibrated predictions of labelled clips, and their classes."""

    windows: tuple[Probabilities, ...]  # (windows, classes) per clip
    truth: NDArray[np.int64]  # (clips,)
    key: str  # of these clips and labels

    def temperature(self) -> float | None:
        """The temperature that suits these clips best; None where they are too few."""
        return calibration.fit_temperature(self.windows, self.truth)


def evaluate(
    model: Checkpoint,
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Evaluation:
    """Evaluate a model on labelled clips.

    Parameters
    ----------
    model : Checkpoint
        The model, which has all classes of the data.
    data : Dataset
        The clips and their classes.
    progress : callable, optional
        Wraps the clips while they are predicted, as `tqdm` does.

    Returns
    -------
    Evaluation
        Accuracy, F1, confusion matrix and calibration error.

    Raises
    ------
    ValueError
        For classes that the model lacks, and for a clip that cannot be read.
    """
    return evaluate_predictions(predict_dataset(model, data, progress), model)


def predict_dataset(
    model: Checkpoint,
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> DatasetPredictions:
    """Predict every clip. Raises ValueError for classes that the model lacks."""
    if unknown := sorted(set(data.classes) - set(model.classes)):
        raise ValueError(
            f"“{model.name}” does not know the class {unknown[0]}: it knows {_some(model.classes)}."
        )
    uncalibrated = model.uncalibrated()
    windows = [predict_file(clip.path, uncalibrated).probabilities for clip in progress(data.clips)]
    truth = [model.classes.index(clip.label) for clip in data.clips]
    named = sorted(f"{clip.path.name} {clip.label}" for clip in data.clips)
    key = hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]
    return DatasetPredictions(tuple(windows), np.array(truth), key)


def _some(classes: Sequence[str]) -> str:
    """The classes, or the first of many."""
    if len(classes) <= MAX_NAMED:
        return ", ".join(classes)
    return f"{', '.join(classes[:MAX_NAMED])} and {len(classes) - MAX_NAMED} others"


def evaluate_predictions(predictions: DatasetPredictions, model: Checkpoint) -> Evaluation:
    """Accuracy, F1, confusion and calibration error, with the model's temperature.

    Where that was fitted on these clips, the calibration error is cross-fitted: that of
    temperatures which were fitted on others of them.
    """
    probabilities = calibration.clip_probabilities(predictions.windows, model.temperature)
    uncalibrated = calibration.clip_probabilities(predictions.windows, 1.0)
    calibrated = probabilities
    if (model.card.get("calibration") or {}).get("clips_sha256") == predictions.key:
        cross_fitted = calibration.cross_fitted(predictions.windows, predictions.truth)
        calibrated = uncalibrated if cross_fitted is None else cross_fitted  # too few clips
    return score(predictions.truth, probabilities, model.classes, calibrated, uncalibrated)


def score(
    truth: NDArray[np.int64],
    probabilities: Probabilities,
    classes: Sequence[str],
    calibrated: Probabilities,
    uncalibrated: Probabilities,
) -> Evaluation:
    """Metrics of one prediction per clip, (clips,) and (clips, classes).

    `calibrated`: the probabilities whose calibration error counts; `uncalibrated`: without any
    temperature.
    """
    numbers = np.arange(len(classes))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, n_clips = metrics.precision_recall_fscore_support(
        truth, predicted, labels=numbers, zero_division=0
    )
    table = zip(classes, precision, recall, f1, n_clips, strict=True)
    return Evaluation(
        classes=tuple(classes),
        accuracy=float(metrics.accuracy_score(truth, predicted)),
        macro_f1=float(f1[n_clips > 0].mean()),
        per_class={
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "n_clips": int(n)}
            for name, p, r, f, n in table
        },
        confusion=metrics.confusion_matrix(truth, predicted, labels=numbers),
        n_clips=len(truth),
        nll=calibration.negative_log_likelihood(calibrated, truth),
        ece=calibration.expected_calibration_error(calibrated, truth),
        ece_uncalibrated=calibration.expected_calibration_error(uncalibrated, truth),
    )
