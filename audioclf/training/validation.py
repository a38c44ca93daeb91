"""Validation after every epoch, on whole clips that are held out from training."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.features import windowing
from audioclf.features.windowing import Features
from audioclf.inference import calibration
from audioclf.training.config import never
from audioclf.training.data import TrainingSet
from audioclf.training.errors import TrainingInterruptedError

BATCH = 32  # windows that are predicted at a time


@dataclass(frozen=True)
class Validation:
    """The held-out clips, if there are any, and whether the training should stop."""

    clips: TrainingSet | None = None
    should_stop: Callable[[], bool] = never


def validate(
    model: keras.Model,
    clips: TrainingSet,
    weights: list[NDArray] | None = None,
    should_stop: Callable[[], bool] = never,
) -> tuple[float, float]:
    """Mean loss in nats and accuracy on whole clips, from the mean probabilities of their windows.

    `weights`: evaluated in place of the model's own, such as their average. Raises
    TrainingInterruptedError where the training should stop; then the model has these weights.
    """
    own_weights = model.get_weights() if weights else None
    if weights:
        model.set_weights(weights)
    predictions = []
    for features in clips.clips:
        if should_stop():
            raise TrainingInterruptedError
        predictions.append(_predict(model, clips, features[0]))
    if own_weights is not None:
        model.set_weights(own_weights)
    probabilities, truth = np.stack(predictions), clips.targets.argmax(axis=1)
    totals = probabilities.sum(axis=1, keepdims=True)  # not 1 where classes are independent
    probabilities = probabilities / np.maximum(totals, 1e-12)
    loss = calibration.negative_log_likelihood(probabilities, truth)
    return loss, float((probabilities.argmax(axis=1) == truth).mean())


def _predict(model: keras.Model, clips: TrainingSet, features: Features) -> NDArray[np.floating]:
    """A clip's mean probabilities, (frames, bins, channels) -> (classes,)."""
    frontend = clips.frontend
    starts = windowing.window_starts(frontend, len(features))
    batches = []
    for first in range(0, len(starts), BATCH):
        windows = windowing.cut_windows(frontend, features, starts[first : first + BATCH])
        inputs = windowing.to_model_input(frontend, windows)
        batches.append(keras.ops.convert_to_numpy(model.predict_on_batch(inputs)["label"]))
    mean: NDArray[np.floating] = np.concatenate(batches).mean(axis=0)
    return mean
