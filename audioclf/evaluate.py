"""How well a network does on labelled clips: one judgement per clip, never per window."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from audioclf.checkpoint import Checkpoint
from audioclf.dataset import Dataset, LabelledClip
from audioclf.predict import predict_file


@dataclass(frozen=True)
class Evaluation:
    """What came out on `n_clips` clips; `confusion` has the true classes as rows."""

    classes: tuple[str, ...]
    accuracy: float
    macro_f1: float
    per_class: dict[str, dict[str, float]]
    confusion: NDArray[np.int64]  # (classes, classes)
    n_clips: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
            "n_clips": self.n_clips,
        }


def evaluate(
    network: Checkpoint,
    data: Dataset,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Evaluation:
    """Predict every clip and compare. Raises ValueError for classes that the network lacks."""
    if unknown := sorted(set(data.classes) - set(network.classes)):
        raise ValueError(
            f"“{network.name}” does not know the class {unknown[0]}: it hears "
            f"{', '.join(network.classes)}."
        )
    truth, heard = [], []
    for clip in progress(data.clips):
        truth.append(clip.label)
        heard.append(predict_file(clip.path, network).ranking()[0][0])
    return score(truth, heard, network.classes)


def score(truth: list[str], heard: list[str], classes: tuple[str, ...]) -> Evaluation:
    """Accuracy, F1 and confusion of judgements, one per clip."""
    precision, recall, f1, n_clips = metrics.precision_recall_fscore_support(
        truth, heard, labels=classes, zero_division=0
    )
    table = zip(classes, precision, recall, f1, n_clips, strict=True)
    present = n_clips > 0
    return Evaluation(
        classes=classes,
        accuracy=float(metrics.accuracy_score(truth, heard)),
        macro_f1=float(f1[present].mean()),
        per_class={
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "n_clips": int(n)}
            for name, p, r, f, n in table
        },
        confusion=metrics.confusion_matrix(truth, heard, labels=classes),
        n_clips=len(truth),
    )
