"""Where the ticks of a feature's axis stand, and what they are called."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audioclf.features import Axis, SpectrogramConfig
from audioclf.features.chroma import PITCH_CLASSES

A4_HZ, A4_SEMITONE = 440.0, 69  # semitones are counted from C-1, as MIDI has it
Ticks = list[tuple[float, str]]  # heights from 0 to 1, and words


def ticks(axis: Axis, analysis: SpectrogramConfig, n_bins: int, n_ticks: int) -> Ticks:
    """The ticks of an axis over `n_bins` bins, from the top down, about `n_ticks` at most."""
    if axis.names:
        return _named(axis.names(analysis), n_ticks)
    if axis.hz is None:
        return _numbered(n_bins, n_ticks)
    hz = axis.hz(analysis)
    return note_ticks(hz, n_ticks) if axis.are_notes else frequency_ticks(hz, n_ticks)


def frequency_ticks(bins_hz: NDArray[np.floating], n_ticks: int) -> Ticks:
    """Round frequencies on the bins' axis: evenly spaced where the bins are."""
    steps_hz = np.diff(bins_hz)
    if len(steps_hz) and np.allclose(steps_hz, steps_hz[0]):
        return _even_ticks(bins_hz, n_ticks)
    inside = np.zeros(0)
    for mantissas in ((1, 2, 5), np.arange(1, 10, 0.5), np.arange(1, 10, 0.1)):
        round_hz = np.array([m * 10.0**e for e in range(0, 5) for m in mantissas])
        inside = round_hz[(round_hz >= bins_hz[0]) & (round_hz <= bins_hz[-1])]
        if len(inside) >= 3:
            break
    return _apart(_heights(inside, bins_hz), _hz_labels(inside), n_ticks)


def _even_ticks(bins_hz: NDArray[np.floating], n_ticks: int) -> Ticks:
    width_hz = bins_hz[1] - bins_hz[0]
    low_hz, high_hz = bins_hz[0] - width_hz / 2, bins_hz[-1] + width_hz / 2
    steps_hz = [m * 10.0**e for e in range(-1, 5) for m in (1, 2, 5)]
    step_hz = next(s for s in steps_hz if (high_hz - low_hz) / s <= n_ticks - 1)
    hz = np.arange(np.ceil(low_hz / step_hz), np.floor(high_hz / step_hz) + 1) * step_hz
    heights = np.clip((hz - low_hz) / (high_hz - low_hz), 0, 1)
    return _apart(heights, _hz_labels(hz), n_ticks)


def _hz_labels(hz: NDArray[np.floating]) -> list[str]:
    return [f"{f / 1000:g} kHz" if f >= 1000 else f"{f:g} Hz" for f in hz]


def note_ticks(bins_hz: NDArray[np.floating], n_ticks: int) -> Ticks:
    """Notes on the bins' axis: C of every octave, or more where there are few octaves."""
    low, high = A4_SEMITONE + 12 * np.log2(np.array([bins_hz[0], bins_hz[-1]]) / A4_HZ)
    semitones = np.arange(int(np.ceil(low - 1e-6)), int(np.floor(high + 1e-6)) + 1)
    shown = semitones
    for every in (12, 6, 3, 1):
        shown = semitones[semitones % every == 0]
        if len(shown) >= 3:
            break
    labels = [f"{PITCH_CLASSES[number % 12]}{number // 12 - 1}" for number in shown.tolist()]
    hz = A4_HZ * 2.0 ** ((shown - A4_SEMITONE) / 12)
    return _apart(_heights(hz, bins_hz), labels, n_ticks)


def _heights(hz: NDArray[np.floating], bins_hz: NDArray[np.floating]) -> NDArray[np.floating]:
    n_bins = len(bins_hz)
    return np.interp(hz, bins_hz, (np.arange(n_bins) + 0.5) / n_bins)


def _numbered(n_bins: int, n_ticks: int) -> Ticks:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, n_bins) if n_bins / s <= n_ticks)
    numbers = np.arange(0, n_bins, step)
    return _apart((numbers + 0.5) / n_bins, [str(number) for number in numbers], n_ticks)


def _named(names: Sequence[tuple[str, int]], n_ticks: int) -> Ticks:
    """Names in the middle of their bins; where these are equally high, all or every other one."""
    counts = np.array([count for _, count in names])
    middles = (np.cumsum(counts) - counts / 2) / counts.sum()
    if (counts == counts[0]).all():
        n_ticks = len(counts) if n_ticks > len(counts) // 3 else len(counts) // 2
    return _apart(middles, [name for name, _ in names], n_ticks)


def _apart(heights: NDArray[np.floating], labels: list[str], n_ticks: int) -> Ticks:
    """Ticks from the top down, leaving out what would stand too close to the one before."""
    shown: Ticks = []
    for height, word in sorted(zip(heights.tolist(), labels, strict=True), reverse=True):
        if not shown or shown[-1][0] - height >= 1 / n_ticks - 1e-9:
            shown.append((height, word))
    return shown
