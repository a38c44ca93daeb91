"""Why a model answers as it does: what it loses when parts of a window are taken away.

Occlusion: patches of the input are made as quiet as its quietest part, one after the other, and
the fall of the class's log odds is drawn where the patch was; Zeiler and Fergus (2014),
"Visualizing and Understanding Convolutional Networks", ECCV 2014, arXiv:1311.2901. A map must
change with the weights, or it explains the sound and not the model: Adebayo, Gilmer, Muelly,
Goodfellow, Hardt and Kim (2018), "Sanity Checks for Saliency Maps", NeurIPS 2018,
arXiv:1810.03292, which a test does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import io
from audioclf.audio.io import Samples
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig
from audioclf.inference.onnx_session import InferenceFn, load_classifier, load_output
from audioclf.models.checkpoint import Checkpoint

N_TIMES, N_BANDS = 12, 8  # 96 patches: each is one window for the model
QUIET_PERCENTILE = 5.0
TINY = 1e-6  # probabilities nearer to 0 or 1 are not told apart
NO_TIMES = "Its input are statistics of the window: which times count is not explained."
NO_BANDS = "Its input is the waveform: which frequencies matter is not explained."
NO_ATTENTION = "It has no attention: only what is taken away is shown."


@dataclass(frozen=True)
class Explanation:
    """What the answer for one class rests on, within one window."""

    label: str
    probability: float
    start_s: float  # of the window in the samples
    end_s: float
    importance: NDArray[np.float32]  # (times, bands), low bands first; positive speaks for it
    attention: NDArray[np.float32] | None  # (frames,), sums to one; None where there is none
    notes: tuple[str, ...]  # what is not explained, in sentences


def explain(
    samples: Samples, sample_rate_hz: int, model: Checkpoint, label: str | None = None
) -> Explanation:
    """Why a model gives a class to the first window of samples, (samples,) mono.

    `label`: by default its most probable class. Raises ValueError for an ensemble, for a class
    that the model does not know, and for zero samples.
    """
    if model.is_ensemble:
        names = " or ".join(f"“{member.name}”" for member in model.load_members())
        raise ValueError(f"“{model.name}” averages others and is not explained: choose {names}.")
    if label is not None and label not in model.classes:
        raise ValueError(f"“{model.name}” does not know “{label}”: choose one of its classes.")
    frontend = model.frontend
    at_rate = io.resample(samples, sample_rate_hz, frontend.spectrogram.sample_rate_hz)
    windows = windowing.windows(frontend, at_rate)
    window = windows.inputs[0]
    classify = load_classifier(model)
    probabilities = classify(window[None])[0]
    column = int(probabilities.argmax()) if label is None else model.classes.index(label)
    attention = _attention(model, window)
    return Explanation(
        model.classes[column],
        float(probabilities[column]),
        float(windows.starts_s[0]),
        float(windows.ends_s[0]),
        occlusion(classify, window, column),
        attention,
        _notes(frontend, attention is not None),
    )


def occlusion(
    classify: InferenceFn, window: NDArray[np.float32], column: int
) -> NDArray[np.float32]:
    """The fall of a class's log odds by patch, (frames, bins, channels) -> (times, bands).

    As many times and bands as the window has frames and bins, at most twelve and eight.
    """
    n_frames, n_bins, _ = window.shape
    times = np.array_split(np.arange(n_frames), min(N_TIMES, n_frames))
    bands = np.array_split(np.arange(n_bins), min(N_BANDS, n_bins))
    is_waveform = n_bins == 1 and n_frames > 1_000
    quiet = np.zeros(window.shape[2]) if is_waveform else _quiet(window)
    inputs = [window]
    for frames in times:
        for rows in bands:
            occluded = window.copy()
            occluded[frames[0] : frames[-1] + 1, rows[0] : rows[-1] + 1] = quiet
            inputs.append(occluded)
    likely = classify(np.stack(inputs))[:, column].astype(float)
    odds = np.log(np.clip(likely, TINY, 1 - TINY) / np.clip(1 - likely, TINY, 1 - TINY))
    falls: NDArray[np.float32] = (odds[0] - odds[1:]).reshape(len(times), len(bands))
    return falls.astype(np.float32)


def _quiet(window: NDArray[np.float32]) -> NDArray[np.floating]:
    """What the quietest parts of a window are, per channel."""
    quiet: NDArray[np.floating] = np.percentile(window, QUIET_PERCENTILE, axis=(0, 1))
    return quiet


def _attention(model: Checkpoint, window: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The weights of the frames, where the model has them."""
    if "attention" not in (model.card.get("outputs") or {}):
        return None
    weights = np.abs(load_output(model, "attention")(window[None])[0]).reshape(-1)
    total = float(weights.sum())
    return (weights / total).astype(np.float32) if total > 0 else None


def _notes(frontend: FrontendConfig, has_attention: bool) -> tuple[str, ...]:
    notes = []
    if frontend.definition.summarise:
        notes.append(NO_TIMES)
    if frontend.definition.is_waveform:
        notes.append(NO_BANDS)
    if not has_attention:
        notes.append(NO_ATTENTION)
    return tuple(notes)
