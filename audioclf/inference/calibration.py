"""Calibration: probabilities that are right as often as they say.

Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks", ICML 2017,
arXiv:1706.04599: one temperature, learnt on clips that the network was not trained on.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]  # (windows, classes) of one clip, or (clips, classes)

MIN_CLIPS = 20  # fewer say nothing about a temperature
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.25, 4.0
N_BINS = 10
N_PARTS = 5
TINY = 1e-12


def apply_temperature(probabilities: Probabilities, temperature: float) -> NDArray[np.float32]:
    """The softmax of the logits over the temperature, (..., classes) -> the same shape.

    Probabilities to the power 1 / T, scaled to sum to one; the order of classes stays.
    """
    if temperature == 1:
        return probabilities.astype(np.float32, copy=False)
    logits = np.log(np.maximum(probabilities, TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def clip_probabilities(windows: Sequence[Probabilities], temperature: float) -> NDArray[np.float32]:
    """Every clip's mean over its windows, tempered before, (clips, classes)."""
    return np.stack([apply_temperature(clip, temperature).mean(axis=0) for clip in windows])


def learn(windows: Sequence[Probabilities], truth: NDArray[np.int64]) -> float | None:
    """The temperature whose clip probabilities are the most likely; None for too few clips.

    `windows`: (windows, classes) per clip, as the network says; `truth`: (clips,) class numbers.
    """
    if len(windows) < MIN_CLIPS:
        return None
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(
            clip_probabilities(windows, float(np.exp(log_t))), truth
        ),
        bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 4)


def cross_fitted(
    windows: Sequence[Probabilities], truth: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Clip probabilities, each with a temperature learnt on other clips, (clips, classes).

    What a temperature would be worth on clips that it was not learnt on; None for too few clips.
    """
    parts = np.arange(len(windows)) % N_PARTS
    found = np.zeros((len(windows), windows[0].shape[1]), np.float32)
    for part in range(N_PARTS):
        others, own = np.flatnonzero(parts != part).tolist(), np.flatnonzero(parts == part).tolist()
        temperature = learn([windows[i] for i in others], truth[others])
        if temperature is None:
            return None
        found[own] = clip_probabilities([windows[i] for i in own], temperature)
    return found


def negative_log_likelihood(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    """Mean of -log p of the true class, (clips, classes) and (clips,) -> nats."""
    right = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, TINY)).mean())


def expected_calibration_error(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    """How far confidence and accuracy lie apart, (clips, classes) and (clips,) -> 0 to 1.

    In ten equal bins of the highest probability, weighted by their clips.
    """
    confidence, chosen = probabilities.max(axis=1), probabilities.argmax(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].mean() - (chosen == truth)[bins == b].mean()))
        * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))
