"""What a training is watched by: clips that it is not taught, and somebody who may stop it."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.features import windowing
from audioclf.features.windowing import Features
from audioclf.inference import calibration
from audioclf.training.data import TrainingSet
from audioclf.training.errors import TrainingInterruptedError

BATCH = 32  # windows that are heard at a time


def never() -> bool:
    """Nobody stops it."""
    return False


@dataclass(frozen=True)
class Validation:
    """Clips that every epoch is measured on, and whether somebody wants it to end."""

    unseen: TrainingSet | None = None
    should_stop: Callable[[], bool] = never


def validate(
    model: keras.Model,
    unseen: TrainingSet,
    weights: list[NDArray] | None = None,
    should_stop: Callable[[], bool] = never,
) -> tuple[float, float]:
    """Mean loss in nats and accuracy on whole clips, each the mean opinion of its windows.

    `weights`: of the network that is measured, such as their average, in place of its own. Raises
    TrainingInterruptedError where somebody wants the training to end; then the weights stay exchanged.
    """
    own = model.get_weights() if weights else None
    if weights:
        model.set_weights(weights)
    heard = []
    for clip in unseen.clips:
        if should_stop():
            raise TrainingInterruptedError
        heard.append(_hear(model, unseen, clip[0]))
    if own is not None:
        model.set_weights(own)
    clips, truth = np.stack(heard), unseen.targets.argmax(axis=1)
    clips = clips / np.maximum(clips.sum(axis=1, keepdims=True), 1e-12)  # several may be likely
    loss = calibration.negative_log_likelihood(clips, truth)
    return loss, float((clips.argmax(axis=1) == truth).mean())


def _hear(model: keras.Model, unseen: TrainingSet, features: Features) -> NDArray[np.floating]:
    """A clip's mean probabilities, (frames, bins, channels) -> (classes,)."""
    recipe = unseen.recipe
    starts = windowing.window_starts(recipe, len(features))
    found = []
    for first in range(0, len(starts), BATCH):
        cut = windowing.cut_windows(recipe, features, starts[first : first + BATCH])
        inputs = windowing.finish(recipe, cut)
        found.append(keras.ops.convert_to_numpy(model.predict_on_batch(inputs)["label"]))
    mean: NDArray[np.floating] = np.concatenate(found).mean(axis=0)
    return mean
