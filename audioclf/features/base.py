"""What a feature is: a function of the spectrum, and words for its channels and axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.features.spectrum import SpectrogramConfig, Spectrum

Values = NDArray[np.float32]  # (frames, bins, channels)


class Axis(NamedTuple):
    """What the bins of a channel stand for. Neither Hz nor names: they are numbered from 0."""

    label: str
    hz: Callable[[SpectrogramConfig], NDArray[np.floating]] | None = None  # centres, (bins,)
    are_notes: bool = False  # its frequencies are called C4 and A5
    names: Callable[[SpectrogramConfig], Sequence[tuple[str, int]]] | None = (
        None  # and bins of each
    )


class Channel(NamedTuple):
    """One picture of a feature."""

    title: str
    # dB, Np (nepers), ratio (dB of the levels), rad, amplitude, share (0 to 1), coefficient, mixed
    unit: str
    axis: Axis


def _half_frame(analysis: SpectrogramConfig) -> int:
    return analysis.n_fft // 2


def _as_many_as_asked(analysis: SpectrogramConfig) -> int:
    return analysis.n_bins


@dataclass(frozen=True)
class Feature:
    """What is computed, from how much sound around a frame, and how it is shown."""

    compute: Callable[[Spectrum], Values]
    channels: tuple[Channel, ...]
    label: str  # as people choose it
    description: str
    margin: Callable[[SpectrogramConfig], int] = (
        _half_frame  # samples on both sides of a frame's centre
    )
    n_bins: Callable[[SpectrogramConfig], int] = _as_many_as_asked
    # What a network sees of a window, where it is not its frames:
    # (windows, frames, bins, channels) -> (windows, 1, bins', channels').
    summarise: Callable[[Values], Values] | None = None
    is_waveform: bool = False  # a frame is one sample
    # Whether zeros lie beyond a clip's ends, so that the first frame's centre is its first sample;
    # else the first frame begins with it, and no frame reaches beyond the end.
    is_padded: bool = True

    @property
    def units(self) -> frozenset[str]:
        """The units of its channels."""
        return frozenset(channel.unit for channel in self.channels)


def repeat_bins(values: Values, n_bins: int) -> Values:
    """Fewer bins as `n_bins`, (frames, few, channels) -> (frames, n_bins, channels).

    Bin b repeats bin floor(b * few / n_bins): 12 pitch classes over 128 bins are bands of 10 or 11.
    """
    few = values.shape[1]
    return values if few == n_bins else values[:, np.arange(n_bins) * few // n_bins]


def stacked(parts: Sequence[Feature], label: str, description: str) -> Feature:
    """Several features as the channels of one. Raises ValueError where their bins disagree.

    Pitch classes are stretched to the height of the others (see `stretched`).
    """
    if any(part.summarise or part.is_waveform for part in parts):
        raise ValueError(
            "Summaries and the waveform have no frames to stack: choose them alone, or choose "
            "other features."
        )
    if not all(part.is_padded for part in parts):
        raise ValueError(
            "YAMNet's frames lie elsewhere than those of other features: choose it alone."
        )

    def n_bins(analysis: SpectrogramConfig) -> int:
        heights = {part.n_bins(analysis) for part in parts}
        tallest = max(heights)
        if heights - {tallest, N_PITCH_CLASSES}:
            raise ValueError(
                f"These features have {' and '.join(map(str, sorted(heights)))} bins, and channels "
                "need as many each: choose others, or fewer bins."
            )
        return tallest

    def compute(spectrum: Spectrum) -> Values:
        height = n_bins(spectrum.analysis)
        made = [repeat_bins(spectrum.shared(part.compute), height) for part in parts]
        return made[0] if len(made) == 1 else np.concatenate(made, axis=2)

    return Feature(
        compute,
        tuple(channel for part in parts for channel in part.channels),
        label,
        description,
        margin=lambda analysis: max(part.margin(analysis) for part in parts),
        n_bins=n_bins,
    )


N_PITCH_CLASSES = 12
