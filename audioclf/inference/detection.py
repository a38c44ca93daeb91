"""From a sound or a file to its events.

A model's windows are three or five seconds long, and two sounds that follow each other share many
of them. For events a sound is cut into segments of one second, and each is repeated until it fills
a window, which is what happens to a short clip in training and in prediction. On 50 mixtures of
real clips this, a median filter and the noise floor took the event F1 (collar 0.5 s) of windows of
five seconds from 0.02 to 0.55; with full windows every 0.25 s it is 0.19 (`benchmarks/events.py`).
"""

from collections.abc import Iterator
from pathlib import Path

from audioclf.audio import io
from audioclf.audio.io import Limits, Samples
from audioclf.features.windowing import Cut
from audioclf.inference import predict
from audioclf.inference.events import EventSettings, SoundEvents, Unfamiliar, find_events
from audioclf.inference.levels import Levels, measure_levels
from audioclf.inference.unfamiliar import Judgement, unfamiliar, unfamiliar_file
from audioclf.models.checkpoint import Checkpoint

# A second is as long as YAMNet's window; segments start every half of the 0.5 s within which an
# event's times count as right.
SEGMENTS = Cut(length_s=1.0, hop_s=0.25)


def detect(
    samples: Samples,
    sample_rate_hz: int,
    model: Checkpoint,
    settings: EventSettings | None = None,
    preprocessing: str | None = None,
) -> SoundEvents:
    """Find the sound events in mono samples: what occurs from when to when.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples, at least one.
    sample_rate_hz : int
        Their rate in Hz.
    model : Checkpoint
        The model whose classes are found.
    settings : EventSettings, optional
        Thresholds and shortest lengths; None for the defaults.
    preprocessing : str, optional
        A value of `Preprocessing` in place of the front end's own; None keeps that.

    Returns
    -------
    SoundEvents
        The events by time, and where the sound is quiet or unlike what the model was trained on.

    Raises
    ------
    ValueError
        As `audioclf.inference.predict.predict`, and for damaged statistics of the training clips.
    """
    prediction = predict.predict(samples, sample_rate_hz, model, preprocessing, SEGMENTS)
    levels = measure_levels([samples], sample_rate_hz)
    judgement = unfamiliar(samples, sample_rate_hz, model, levels)
    return find_events(prediction, levels, settings).with_unknown(_unknown(judgement))


def detect_file(
    path: str | Path,
    model: Checkpoint,
    settings: EventSettings | None = None,
    preprocessing: str | None = None,
    limits: Limits = io.ANY,
) -> SoundEvents:
    """Find the sound events in a sound file; a long one is read in blocks.

    Parameters
    ----------
    path : str or Path
        A sound file of any format that `audioclf.audio.io.load` reads.
    model : Checkpoint
        The model whose classes are found.
    settings : EventSettings, optional
        Thresholds and shortest lengths; None for the defaults.
    preprocessing : str, optional
        A value of `Preprocessing` in place of the front end's own; None keeps that.
    limits : Limits, optional
        What is accepted; nothing is refused by default.

    Returns
    -------
    SoundEvents
        The events by time, and where the sound is quiet or unlike what the model was trained on.

    Raises
    ------
    ValueError
        As `audioclf.inference.predict.predict_file`, and for damaged statistics of the training
        clips.
    """
    prediction = predict.predict_file(path, model, preprocessing, limits, SEGMENTS)
    levels = levels_of_file(path, limits)
    judgement = unfamiliar_file(path, model, levels, limits)
    return find_events(prediction, levels, settings).with_unknown(_unknown(judgement))


def levels_of_file(path: str | Path, limits: Limits = io.ANY) -> Levels:
    """The level of an audio file over time, in memory that hardly grows. Raises AudioError."""
    rate_hz = io.read_header(path, limits).sample_rate_hz
    blocks: Iterator[Samples] = io.read_blocks(path, limits=limits)
    return measure_levels(blocks, rate_hz)


def _unknown(judgement: Judgement | None) -> tuple[Unfamiliar, ...]:
    return judgement.unknown if judgement else ()
