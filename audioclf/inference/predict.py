"""From a sound to a Prediction or to embeddings, with ONNX Runtime: no Keras, no TensorFlow."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import io
from audioclf.audio.io import Limits, Samples
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig
from audioclf.features.windowing import Windows
from audioclf.inference import calibration
from audioclf.inference.onnx_session import load_classifier, load_embedder, through
from audioclf.inference.prediction import Prediction
from audioclf.models.checkpoint import Checkpoint

MAX_ROWS = 512  # windows of an ensemble at a time: bounds memory on long sounds


class Embeddings(NamedTuple):
    """What a network makes of windows before its head, and when the windows are."""

    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)
    values: NDArray[np.float32]  # (windows, d)


def predict(
    samples: Samples, sample_rate_hz: int, network: Checkpoint, cleaning: str | None = None
) -> Prediction:
    """A sound in memory, (samples,) mono, through a network; `cleaning` replaces its recipe's.

    Raises ValueError (a sentence) for zero samples, an unknown cleaning, a broken checkpoint.
    """
    if network.is_ensemble:
        heard = [predict(samples, sample_rate_hz, member, cleaning) for member in network.members]
        return together(heard, network)
    made = _recipe(network, cleaning)
    at_rate = io.resample(samples, sample_rate_hz, made.analysis.sample_rate_hz)
    found = _predict_windows([windowing.windows(made, at_rate)], network)
    return replace(found, is_silent=_peak(samples) <= windowing.DIGITAL_SILENCE)


def predict_file(
    path: str | Path,
    network: Checkpoint,
    cleaning: str | None = None,
    limits: Limits = io.ANY,
) -> Prediction:
    """A sound file through a network; a long one in blocks, in memory that does not grow.

    Cleaning needs the whole sound at once, and then memory grows with it. Raises ValueError.
    """
    if network.is_ensemble:
        return together(
            [predict_file(path, member, cleaning, limits) for member in network.members], network
        )
    peak = 0.0

    def hear(block: Samples) -> None:
        nonlocal peak
        peak = max(peak, _peak(block))

    parts = windowing.windows_of_file(_recipe(network, cleaning), path, limits, hear)
    found = _predict_windows(parts, network)
    return replace(found, is_silent=peak <= windowing.DIGITAL_SILENCE)


def warm(network: Checkpoint) -> None:
    """Open the network's session and run it once, so that the first sound is not the slow one."""
    predict(np.zeros(1, np.float32), network.members[0].recipe.analysis.sample_rate_hz, network)


def together(heard: Sequence[Prediction], network: Checkpoint) -> Prediction:
    """The ensemble's opinion: the mean of its members', on the windows of the finest of them.

    Each of these windows hears from a member the same window, or the mean over those that overlap
    it, by how much.
    """
    finest = max(heard, key=lambda one: len(one.starts_s))
    votes = [_resampled(one, finest.starts_s, finest.ends_s) for one in heard]
    mean = np.stack(votes).mean(axis=0)
    return replace(
        finest,
        checkpoint=network.name,
        probabilities=calibration.apply_temperature(mean, network.temperature),
        is_silent=any(one.is_silent for one in heard),
    )


def _resampled(
    heard: Prediction, starts_s: NDArray[np.floating], ends_s: NDArray[np.floating]
) -> NDArray[np.float32]:
    """A prediction on other windows, (windows, classes): those that overlap none hear the nearest.

    The same windows stay as they are. In parts, so that hours of windows need no table of all
    against all.
    """
    if np.array_equal(heard.starts_s, starts_s) and np.array_equal(heard.ends_s, ends_s):
        return heard.probabilities
    parts = []
    middles_s = (heard.starts_s + heard.ends_s) / 2
    for first in range(0, len(starts_s), MAX_ROWS):
        start_s = starts_s[first : first + MAX_ROWS, None]
        end_s = ends_s[first : first + MAX_ROWS, None]
        overlap = np.minimum(end_s, heard.ends_s) - np.maximum(start_s, heard.starts_s)
        weights = np.maximum(overlap, 0)
        alone = weights.sum(axis=1) <= 0
        nearest = np.abs((start_s + end_s) / 2 - middles_s).argmin(axis=1)
        weights[alone, nearest[alone]] = 1
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ heard.probabilities)
    return np.concatenate(parts).astype(np.float32)


def _peak(samples: Samples) -> float:
    return float(np.nanmax(np.abs(samples), initial=0.0))


def _recipe(network: Checkpoint, cleaning: str | None) -> FrontendConfig:
    return replace(network.recipe, cleaning=cleaning) if cleaning else network.recipe


def _predict_windows(parts: Iterable[Windows], network: Checkpoint) -> Prediction:
    starts_s, ends_s, probabilities = through(load_classifier(network), parts)
    return Prediction(
        network.name,
        network.classes,
        starts_s,
        ends_s,
        calibration.apply_temperature(probabilities, network.temperature),
        is_multi_label=network.is_multi_label,
    )


def embed_file(path: str | Path, network: Checkpoint, limits: Limits = io.ANY) -> Embeddings:
    """What a network makes of a file's windows before its head, window by window.

    Raises ValueError for a file that cannot be read, and for an ensemble.
    """
    if network.is_ensemble:
        raise ValueError(
            f"“{network.name}” has no embedding of its own: choose one of its members."
        )
    parts = windowing.windows_of_file(network.recipe, path, limits)
    return Embeddings(*through(load_embedder(network.backbone or network), parts))
