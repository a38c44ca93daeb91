"""Silence: where a recording is silent, and a recording without its silences.

On mono (samples,) float32; safe on silence, on a single sample and on NaN.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audioclf.audio.io import Samples

FRAME_LENGTH, HOP_LENGTH = 2048, 512
SILENT_PEAK = 1e-7  # below the least significant bit of 24-bit sound


@dataclass(frozen=True)
class Split:
    """When sound counts as silence, and how the rest is put together."""

    top_db: float = 40.0  # this far below the loudest frame is silence
    min_length_s: float = 0.1  # shorter segments are dropped
    min_gap_s: float = 0.1  # shorter silences are bridged

    def __post_init__(self) -> None:
        if not (self.top_db > 0 and self.min_length_s >= 0 and self.min_gap_s >= 0):
            raise ValueError(
                "The silence threshold must be above 0 dB and lengths cannot be negative: "
                "choose other settings."
            )


def split(
    samples: Samples, sample_rate_hz: int, settings: Split | None = None
) -> NDArray[np.floating]:
    """Find the segments that are not silent.

    A frame of 2,048 samples is silent when its RMS is more than `settings.top_db` below that of the
    loudest frame.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples; NaN and infinity count as 0.
    sample_rate_hz : int
        Their rate in Hz.
    settings : Split, optional
        The threshold in dB below the loudest frame, and the shortest segments and silences in
        seconds; None for the defaults of `Split`.

    Returns
    -------
    ndarray of float, shape (segments, 2)
        Start and end of each segment in seconds; no segments where all is silent.

    Raises
    ------
    ValueError
        For more than one channel.

    References
    ----------
    The threshold is that of `librosa.effects.split`.
    """
    return split_blocks([samples], sample_rate_hz, settings)


def split_blocks(
    blocks: Iterable[Samples], sample_rate_hz: int, settings: Split | None = None
) -> NDArray[np.floating]:
    """`split` of a sound that comes in blocks, (samples,) each, in memory that does not grow."""
    settings = settings or Split()
    powers, n_samples, any_sound = [], 0, False
    rest = np.zeros(FRAME_LENGTH // 2, np.float32)  # frames are centred
    for block in blocks:
        samples = finite_mono(block)
        n_samples += len(samples)
        any_sound = any_sound or not is_silent(samples)
        power, rest = _frame_power(np.concatenate([rest, samples]))
        powers.append(power)
    if not any_sound:
        return np.zeros((0, 2))
    end = np.zeros(FRAME_LENGTH // 2, np.float32)
    power = np.concatenate([*powers, _frame_power(np.concatenate([rest, end]))[0]])
    loud = 10 * np.log10(np.maximum(power, 1e-20) / np.max(power)) > -settings.top_db
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    segments: NDArray[np.floating] = (
        np.minimum(edges.reshape(-1, 2) * HOP_LENGTH, n_samples) / sample_rate_hz
    )
    segments = _bridge(segments, settings.min_gap_s)
    lengths_s = segments[:, 1] - segments[:, 0]
    return segments[lengths_s >= settings.min_length_s]


def trim(
    samples: Samples, sample_rate_hz: int, settings: Split | None = None
) -> tuple[float, float]:
    """Find where a sound starts and ends without the silence at both ends.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples; NaN and infinity count as 0.
    sample_rate_hz : int
        Their rate in Hz.
    settings : Split, optional
        What counts as silence, as for `split`; None for the defaults of `Split`.

    Returns
    -------
    start_s : float
        The start of the first segment in seconds.
    end_s : float
        The end of the last segment in seconds; both are 0 where all is silent.

    Raises
    ------
    ValueError
        For more than one channel.
    """
    segments = split(samples, sample_rate_hz, settings)
    return (float(segments[0, 0]), float(segments[-1, 1])) if len(segments) else (0.0, 0.0)


def cut(samples: Samples, sample_rate_hz: int, start_s: float, end_s: float) -> Samples:
    """The samples between two times in seconds, (samples,) -> (fewer,)."""
    return samples[round(start_s * sample_rate_hz) : round(end_s * sample_rate_hz)]


def join(samples: Samples, sample_rate_hz: int, segments: NDArray[np.floating]) -> Samples:
    """The segments concatenated, without the silences between them."""
    parts = [cut(samples, sample_rate_hz, *segment) for segment in segments]
    return np.concatenate(parts) if parts else samples[:0]


def original_time(
    joined_s: NDArray[np.floating], segments: NDArray[np.floating], *, ends: bool = False
) -> NDArray[np.floating]:
    """Times in a joined sound, in seconds, as times in the sound it was made from.

    At a seam a time starts the later segment; with `ends` it ends the earlier one.
    """
    lengths_s = segments[:, 1] - segments[:, 0]
    seams_s = np.cumsum(lengths_s)
    index = np.searchsorted(seams_s, joined_s, side="left" if ends else "right")
    index = np.minimum(index, len(segments) - 1)
    return segments[index, 0] + joined_s - (seams_s - lengths_s)[index]


def is_silent(samples: Samples) -> bool:
    """Whether nothing rises above the least bit of 24-bit sound (or is not a number)."""
    peak = np.nanmax(np.abs(samples), initial=0.0)
    return bool(peak < SILENT_PEAK)


def finite_mono(samples: Samples) -> Samples:
    """One channel as float32 with 0 for NaN and infinity, (samples,). Raises ValueError."""
    if np.ndim(samples) != 1:
        raise ValueError(
            f"Preprocessing works on one channel, (samples,), and got shape {np.shape(samples)}: "
            "mix the channels first."
        )
    return np.nan_to_num(np.asarray(samples, np.float32), posinf=0.0, neginf=0.0)


def _frame_power(samples: Samples) -> tuple[NDArray[np.float32], Samples]:
    """Mean square per frame, (frames,), and the samples with which the next frame begins."""
    n_frames = max(0, 1 + (len(samples) - FRAME_LENGTH) // HOP_LENGTH)
    if n_frames == 0:
        return np.zeros(0, np.float32), samples
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_LENGTH)[::HOP_LENGTH]
    power = np.einsum("fs,fs->f", frames, frames) / FRAME_LENGTH
    return power, samples[n_frames * HOP_LENGTH :]


def _bridge(segments: NDArray[np.floating], min_gap_s: float) -> NDArray[np.floating]:
    """Segments with a gap shorter than `min_gap_s` between them become one."""
    if len(segments) == 0:
        return segments
    apart = segments[1:, 0] - segments[:-1, 1] >= min_gap_s
    starts_s = segments[np.concatenate([[True], apart]), 0]
    ends_s = segments[np.concatenate([apart, [True]]), 1]
    return np.stack([starts_s, ends_s], axis=1)
