"""Agreement of several models on one clip, and the mean of their predictions."""

from collections.abc import Sequence

import numpy as np

from audioclf.inference.prediction import UNSURE_BELOW, Prediction, normalize_class_name
from audioclf.text import listed


def agreement(predictions: Sequence[Prediction]) -> str:
    """One sentence on who predicts what: “2 of 3 models predict rain; lstm predicts a dog.”.

    Classes are the same where their normalised names are.
    """
    groups: dict[str, list[str]] = {}
    for prediction in predictions:
        best_class = normalize_class_name(prediction.ranking()[0][0])
        groups.setdefault(best_class, []).append(prediction.checkpoint)
    (best, first), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    rest = [f"{_predict(names)} {name}" for name, names in others]
    if not others:
        sentence = f"{_all_predict(first)} {best}"
    elif len(first) == 1:
        sentence = "The models differ: " + "; ".join([f"{_predict(first)} {best}", *rest])
    else:
        majority = f"{len(first)} of {len(predictions)} models predict {best}"
        sentence = "; ".join([majority, *rest])
    return f"{sentence}.{_doubt(predictions)}"


def mean_over_shared_classes(predictions: Sequence[Prediction]) -> Prediction | None:
    """The mean of the clips' probabilities over the classes of all models; None under two.

    Its probabilities are (1, classes): one window as long as the first prediction.
    """
    first = predictions[0]
    names = [_normalized_classes(prediction) for prediction in predictions]
    shared = [
        name for name in first.classes if all(normalize_class_name(name) in own for own in names)
    ]
    if len(shared) < 2:
        return None
    rows = [
        [prediction.clip[own.index(normalize_class_name(name))] for name in shared]
        for prediction, own in zip(predictions, names, strict=True)
    ]
    return Prediction(
        checkpoint="together",
        classes=tuple(shared),
        starts_s=first.starts_s[:1],
        ends_s=first.ends_s[-1:],
        probabilities=np.mean(rows, axis=0, keepdims=True, dtype=np.float32),
    )


def _normalized_classes(prediction: Prediction) -> list[str]:
    return [normalize_class_name(name) for name in prediction.classes]


def _predict(names: Sequence[str]) -> str:
    return f"{listed(names)} predict{'s' if len(names) == 1 else ''}"


def _all_predict(names: Sequence[str]) -> str:
    if len(names) == 1:
        return _predict(names)
    return "Both models predict" if len(names) == 2 else f"All {len(names)} models predict"


def _doubt(predictions: Sequence[Prediction]) -> str:
    unsure = [p.checkpoint for p in predictions if p.clip.max() < UNSURE_BELOW]
    if not unsure:
        return ""
    if len(unsure) == len(predictions) > 1:
        return " Neither is sure." if len(predictions) == 2 else " None of them is sure."
    return f" Not sure: {listed(unsure)}."
