"""From a sound to a Prediction, with ONNX Runtime: no Keras, no TensorFlow.

A session is opened once per network and kept; all windows of a clip go through it in one batch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf import audio, calibrate, checkpoint, windows
from audioclf.audio import Limits, Samples
from audioclf.checkpoint import Checkpoint
from audioclf.recipe import Recipe
from audioclf.windows import Windows

UNSURE_BELOW = 0.5
SURENESS = ((0.9, "almost certain"), (0.7, "quite sure"), (0.0, "probably"))
MAX_BATCH = 64  # windows at a time: bounds memory on long sounds
MAX_ROWS = 512  # windows of an ensemble at a time: likewise


@dataclass(frozen=True)
class Prediction:
    """What a network hears: probabilities per window, and when the windows are."""

    checkpoint: str
    classes: tuple[str, ...]
    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)
    probabilities: NDArray[np.float32]  # (windows, classes)
    is_silent: bool = False  # digital silence: whatever the network says, there is no sound

    @property
    def clip(self) -> NDArray[np.float32]:
        """The clip's probabilities, (classes,): the mean over its windows."""
        return self.probabilities.mean(axis=0)

    def ranking(self) -> list[tuple[str, float]]:
        """Classes and their probabilities for the clip, most probable first."""
        order = np.argsort(-self.clip, kind="stable")
        return [(self.classes[i], float(self.clip[i])) for i in order]

    def sentence(self) -> str:
        """The clip's answer in words, such as “Rain, quite sure (87 %)”."""
        if self.is_silent:
            return "Silence: there is nothing to hear in this sound"
        (best, probability), (second, _) = self.ranking()[:2]
        if probability < UNSURE_BELOW:
            return f"Not sure: {_spoken(best)} or {_spoken(second)}"
        how = next(words for above, words in SURENESS if probability >= above)
        percent = "over 99" if probability >= 0.995 else f"{100 * probability:.0f}"
        return f"{_spoken(best).capitalize()}, {how} ({percent} %)"

    def to_dict(self, file: str) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        rows = zip(self.starts_s, self.ends_s, self.probabilities, strict=True)
        return {
            "file": file,
            "checkpoint": self.checkpoint,
            "classes": list(self.classes),
            "clip": {
                name: round(float(p), 6) for name, p in zip(self.classes, self.clip, strict=True)
            },
            "windows": [
                {
                    "start_s": round(float(start_s), 4),
                    "end_s": round(float(end_s), 4),
                    "probabilities": [round(float(p), 6) for p in row],
                }
                for start_s, end_s, row in rows
            ],
        }


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
    at_rate = audio.resample(samples, sample_rate_hz, made.analysis.sample_rate_hz)
    found = _predict_windows([windows.windows(made, at_rate)], network)
    return replace(found, is_silent=_peak(samples) <= windows.DIGITAL_SILENCE)


def predict_file(
    path: str | Path,
    network: Checkpoint,
    cleaning: str | None = None,
    limits: Limits = audio.ANY,
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

    parts = windows.windows_of_file(_recipe(network, cleaning), path, limits, hear)
    found = _predict_windows(parts, network)
    return replace(found, is_silent=peak <= windows.DIGITAL_SILENCE)


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
        probabilities=calibrate.tempered(mean, network.temperature),
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


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _recipe(network: Checkpoint, cleaning: str | None) -> Recipe:
    return replace(network.recipe, cleaning=cleaning) if cleaning else network.recipe


def _predict_windows(parts: Iterable[Windows], network: Checkpoint) -> Prediction:
    session = _session(str(network.folder / checkpoint.ONNX), network.stamp)
    starts_s, ends_s = [], []
    probabilities: list[NDArray[np.float32]] = []
    for part in parts:
        starts_s.append(part.starts_s)
        ends_s.append(part.ends_s)
        probabilities.extend(_batches(session, part.inputs))
    return Prediction(
        network.name,
        network.classes,
        np.concatenate(starts_s),
        np.concatenate(ends_s),
        calibrate.tempered(np.concatenate(probabilities), network.temperature),
    )


def _batches(session: Any, inputs: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Probabilities, (up to MAX_BATCH, classes) at a time."""
    name = session.get_inputs()[0].name
    for first in range(0, len(inputs), MAX_BATCH):
        yield session.run(["label"], {name: inputs[first : first + MAX_BATCH]})[0]


@lru_cache(maxsize=32)
def _session(path: str, stamp: str) -> Any:
    """A session that is kept; `stamp` opens a new one when the file was replaced."""
    return open_session(Path(path), stamp)


def open_session(path: Path, stamp: str) -> Any:
    """An ONNX Runtime session of a file that must be `stamp`. Raises ValueError."""
    import onnxruntime

    checkpoint.verify_file(path, stamp)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Idle threads that spin take the cores from the next sound's decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise ValueError(
            f"The network “{path.parent.name}” cannot be opened: copy or publish it again."
        ) from error
