"""From a sound or a file to its events: windows closer to each other than in a prediction.

A prediction's windows overlap by half, and then a boundary is known to half a window. Here they
start every `HOP_S`.
"""

from collections.abc import Iterator
from pathlib import Path

from audioclf.audio import io
from audioclf.audio.io import Limits, Samples
from audioclf.inference import predict
from audioclf.inference.events import EventSettings, SoundEvents, find_events
from audioclf.inference.levels import Levels, measure_levels
from audioclf.models.checkpoint import Checkpoint

HOP_S = 0.25  # half of the 0.5 s within which an event's times count as right


def detect(
    samples: Samples,
    sample_rate_hz: int,
    model: Checkpoint,
    settings: EventSettings | None = None,
    preprocessing: str | None = None,
) -> SoundEvents:
    """The events of samples, (samples,) mono. Raises ValueError, as `predict.predict` does."""
    prediction = predict.predict(samples, sample_rate_hz, model, preprocessing, HOP_S)
    return find_events(prediction, measure_levels([samples], sample_rate_hz), settings)


def detect_file(
    path: str | Path,
    model: Checkpoint,
    settings: EventSettings | None = None,
    preprocessing: str | None = None,
    limits: Limits = io.ANY,
) -> SoundEvents:
    """The events of an audio file; of a long one in blocks. Raises ValueError."""
    prediction = predict.predict_file(path, model, preprocessing, limits, HOP_S)
    return find_events(prediction, levels_of_file(path, limits), settings)


def levels_of_file(path: str | Path, limits: Limits = io.ANY) -> Levels:
    """The level of an audio file over time, in memory that hardly grows. Raises AudioError."""
    rate_hz = io.read_header(path, limits).sample_rate_hz
    blocks: Iterator[Samples] = io.read_blocks(path, limits=limits)
    return measure_levels(blocks, rate_hz)
