"""From audio to a Prediction or to embeddings, with ONNX Runtime: no Keras, no TensorFlow."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import excerpt, io
from audioclf.audio.io import Limits, Samples
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig
from audioclf.features.windowing import Cut, Windows
from audioclf.inference import calibration
from audioclf.inference.onnx_session import load_classifier, load_embedder, run_batched
from audioclf.inference.prediction import Prediction
from audioclf.models.checkpoint import Checkpoint

BEGINNING_S = 30.0  # of a long sound, that an ensemble answers first
MAX_ROWS = 512  # windows of an ensemble at a time: bounds memory on long sounds


class Embeddings(NamedTuple):
    """Embeddings of windows, the model's output before its head, and when the windows are."""

    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)
    values: NDArray[np.float32]  # (windows, d)


def predict(
    samples: Samples,
    sample_rate_hz: int,
    model: Checkpoint,
    preprocessing: str | None = None,
    cut: Cut | None = None,
) -> Prediction:
    """Predict the classes of mono samples, window by window.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples, at least one.
    sample_rate_hz : int
        Their rate in Hz; they are resampled to that of the front end.
    model : Checkpoint
        The model; of an ensemble, all members predict and are averaged.
    preprocessing : str, optional
        A value of `Preprocessing` in place of the front end's own; None keeps that.
    cut : Cut, optional
        Shorter segments, each repeated until it fills a window; None for the front end's windows.

    Returns
    -------
    Prediction
        Calibrated probabilities, (windows, classes), and the windows' times.

    Raises
    ------
    ValueError
        For zero samples, an unknown preprocessing, a checkpoint that is damaged or incomplete, and
        samples for which the model's output is not finite.
    """
    if model.is_ensemble:
        members = [
            predict(samples, sample_rate_hz, member, preprocessing, cut)
            for member in model.load_members()
        ]
        return average_predictions(members, model)
    frontend = _frontend_with(model, preprocessing)
    at_rate = io.resample(samples, sample_rate_hz, frontend.spectrogram.sample_rate_hz)
    prediction = _predict_windows([windowing.windows(frontend, at_rate, cut)], model)
    return replace(prediction, is_silent=_peak(samples) <= windowing.DIGITAL_SILENCE)


def predict_file(
    path: str | Path,
    model: Checkpoint,
    preprocessing: str | None = None,
    limits: Limits = io.ANY,
    cut: Cut | None = None,
) -> Prediction:
    """Predict the classes of a sound file; a long one in blocks, in memory that does not grow.

    Preprocessing needs the whole sound at once, and then memory grows with it.

    Parameters
    ----------
    path : str or Path
        A sound file of any format that `audioclf.audio.io.load` reads.
    model : Checkpoint
        The model; of an ensemble, all members predict and are averaged.
    preprocessing : str, optional
        A value of `Preprocessing` in place of the front end's own; None keeps that.
    limits : Limits, optional
        What is accepted; nothing is refused by default.
    cut : Cut, optional
        Shorter segments, each repeated until it fills a window; None for the front end's windows.

    Returns
    -------
    Prediction
        Calibrated probabilities, (windows, classes), and the windows' times.

    Raises
    ------
    ValueError
        As `predict`, and as an `AudioError` for a file that is missing, empty, damaged or beyond
        the limits.
    """
    if model.is_ensemble:
        return average_predictions(
            [
                predict_file(path, member, preprocessing, limits, cut)
                for member in model.load_members()
            ],
            model,
        )
    peak = 0.0

    def update_peak(block: Samples) -> None:
        nonlocal peak
        peak = max(peak, _peak(block))

    parts = windowing.windows_of_file(
        _frontend_with(model, preprocessing), path, limits, update_peak, cut
    )
    prediction = _predict_windows(parts, model)
    return replace(prediction, is_silent=peak <= windowing.DIGITAL_SILENCE)


def predict_parts(
    path: str | Path, model: Checkpoint, limits: Limits = io.ANY, cut: Cut | None = None
) -> Iterator[Prediction]:
    """`predict_file` of a long file as its windows come: each Prediction holds one part more.

    Of an ensemble, first its members' mean on the first BEGINNING_S seconds, then the whole.
    """
    if model.is_ensemble:
        samples, rate_hz = excerpt.samples_of(Path(path), 0.0, BEGINNING_S, limits)
        yield predict(samples, rate_hz, model, "as_is", cut)
        yield predict_file(path, model, "as_is", limits, cut)
        return
    peak, parts = 0.0, []

    def update_peak(block: Samples) -> None:
        nonlocal peak
        peak = max(peak, _peak(block))

    frontend = _frontend_with(model, "as_is")
    for windows in windowing.windows_of_file(frontend, path, limits, update_peak, cut):
        parts.append(_predict_windows([windows], model))
        yield replace(
            parts[-1],
            starts_s=np.concatenate([part.starts_s for part in parts]),
            ends_s=np.concatenate([part.ends_s for part in parts]),
            probabilities=np.concatenate([part.probabilities for part in parts]),
            is_silent=peak <= windowing.DIGITAL_SILENCE,
        )


def warm_up(model: Checkpoint) -> None:
    """Open the model's session and run it once, so that the first prediction is not slow."""
    predict(
        np.zeros(1, np.float32), model.load_members()[0].frontend.spectrogram.sample_rate_hz, model
    )


def average_predictions(members: Sequence[Prediction], model: Checkpoint) -> Prediction:
    """The ensemble's prediction: its members' mean, on the windows of the one that has most.

    A member with other windows counts with the mean of those that overlap, weighted by how much.
    """
    finest = max(members, key=lambda member: len(member.starts_s))
    resampled = [_resampled(member, finest.starts_s, finest.ends_s) for member in members]
    mean = np.stack(resampled).mean(axis=0)
    return replace(
        finest,
        checkpoint=model.name,
        probabilities=calibration.apply_temperature(mean, model.temperature),
        is_silent=any(member.is_silent for member in members),
    )


def _resampled(
    prediction: Prediction, starts_s: NDArray[np.floating], ends_s: NDArray[np.floating]
) -> NDArray[np.float32]:
    """A prediction on other windows, (windows, classes); the nearest where none overlaps.

    The same windows stay as they are. In parts, so that hours of windows need no table of all
    against all.
    """
    if np.array_equal(prediction.starts_s, starts_s) and np.array_equal(prediction.ends_s, ends_s):
        return prediction.probabilities
    parts = []
    middles_s = (prediction.starts_s + prediction.ends_s) / 2
    for first in range(0, len(starts_s), MAX_ROWS):
        start_s = starts_s[first : first + MAX_ROWS, None]
        end_s = ends_s[first : first + MAX_ROWS, None]
        overlap = np.minimum(end_s, prediction.ends_s) - np.maximum(start_s, prediction.starts_s)
        weights = np.maximum(overlap, 0)
        alone = weights.sum(axis=1) <= 0
        nearest = np.abs((start_s + end_s) / 2 - middles_s).argmin(axis=1)
        weights[alone, nearest[alone]] = 1
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ prediction.probabilities)
    return np.concatenate(parts).astype(np.float32)


def _peak(samples: Samples) -> float:
    return float(np.nanmax(np.abs(samples), initial=0.0))


def _frontend_with(model: Checkpoint, preprocessing: str | None) -> FrontendConfig:
    return replace(model.frontend, preprocessing=preprocessing) if preprocessing else model.frontend


def _predict_windows(parts: Iterable[Windows], model: Checkpoint) -> Prediction:
    starts_s, ends_s, probabilities = run_batched(load_classifier(model), parts)
    return Prediction(
        model.name,
        model.classes,
        starts_s,
        ends_s,
        calibration.apply_temperature(probabilities, model.temperature),
        is_multi_label=model.is_multi_label,
    )


def embed(samples: Samples, sample_rate_hz: int, model: Checkpoint) -> Embeddings:
    """The embeddings of the windows of samples, (samples,) mono. Raises ValueError."""
    single = _single(model)
    at_rate = io.resample(samples, sample_rate_hz, single.frontend.spectrogram.sample_rate_hz)
    parts = [windowing.windows(single.frontend, at_rate)]
    return Embeddings(*run_batched(load_embedder(single.load_backbone() or single), parts))


def embed_file(
    path: str | Path,
    model: Checkpoint,
    limits: Limits = io.ANY,
    on_block: Callable[[Samples], None] = lambda samples: None,
) -> Embeddings:
    """Compute the embeddings of a sound file's windows.

    Parameters
    ----------
    path : str or Path
        A sound file of any format that `audioclf.audio.io.load` reads.
    model : Checkpoint
        The model; of a linear head, its backbone computes the embeddings.
    limits : Limits, optional
        What is accepted; nothing is refused by default.
    on_block : callable, optional
        Called with every block of samples, (samples,), as it is read; what it raises ends the work.

    Returns
    -------
    Embeddings
        The embeddings, (windows, d), and the windows' starts and ends in seconds, (windows,) each.

    Raises
    ------
    ValueError
        For an ensemble, a checkpoint that is damaged or incomplete, and as an `AudioError` for a
        file that is missing, empty, damaged or beyond the limits.
    """
    parts = windowing.windows_of_file(_single(model).frontend, path, limits, on_block)
    return Embeddings(*run_batched(load_embedder(model.load_backbone() or model), parts))


def _single(model: Checkpoint) -> Checkpoint:
    if model.is_ensemble:
        raise ValueError(f"“{model.name}” has no embedding of its own: choose one of its members.")
    return model
