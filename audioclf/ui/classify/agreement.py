"""What several networks say about one sound: how far they agree, and their common answer."""

from collections.abc import Sequence

import numpy as np

from audioclf.inference.prediction import UNSURE_BELOW, Prediction, key
from audioclf.text import listed


def agreement(heard: Sequence[Prediction]) -> str:
    """One sentence on who hears what, such as “2 of 3 networks hear rain; lstm hears a dog.”.

    Classes are the same where their names are, whatever else the networks know.
    """
    groups: dict[str, list[str]] = {}
    for prediction in heard:
        groups.setdefault(key(prediction.ranking()[0][0]), []).append(prediction.checkpoint)
    (best, first), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    rest = [f"{_hear(names)} {name}" for name, names in others]
    if not others:
        said = f"{_everybody(first)} {best}"
    elif len(first) == 1:
        said = "The networks differ: " + "; ".join([f"{_hear(first)} {best}", *rest])
    else:
        said = "; ".join([f"{len(first)} of {len(heard)} networks hear {best}", *rest])
    return f"{said}.{_doubt(heard)}"


def together(heard: Sequence[Prediction]) -> Prediction | None:
    """The mean of the clips' probabilities over the classes that all know; None under two.

    Its probabilities are (1, classes): one window as long as the first prediction.
    """
    shared = [name for name in heard[0].classes if all(key(name) in _keys(p) for p in heard)]
    if len(shared) < 2:
        return None
    rows = [[p.clip[_keys(p).index(key(name))] for name in shared] for p in heard]
    return Prediction(
        checkpoint="together",
        classes=tuple(shared),
        starts_s=heard[0].starts_s[:1],
        ends_s=heard[0].ends_s[-1:],
        probabilities=np.mean(rows, axis=0, keepdims=True, dtype=np.float32),
    )


def _keys(prediction: Prediction) -> list[str]:
    return [key(name) for name in prediction.classes]


def _hear(names: Sequence[str]) -> str:
    return f"{listed(names)} hear{'s' if len(names) == 1 else ''}"


def _everybody(names: Sequence[str]) -> str:
    if len(names) == 1:
        return _hear(names)
    return "Both networks hear" if len(names) == 2 else f"All {len(names)} networks hear"


def _doubt(heard: Sequence[Prediction]) -> str:
    unsure = [p.checkpoint for p in heard if p.clip.max() < UNSURE_BELOW]
    if not unsure:
        return ""
    if len(unsure) == len(heard) > 1:
        return " Neither is sure." if len(heard) == 2 else " None of them is sure."
    return f" Not sure: {listed(unsure)}."
