"""The one spectrum of a clip, from which the features follow as matrix products."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audioclf.audio import Samples


@dataclass(frozen=True)
class Analysis:
    """How a waveform becomes frames and bins."""

    sample_rate_hz: int = 22_050
    n_fft: int = 1_024
    hop_length: int = 512
    n_bins: int = 128
    low_hz: float = 0.0
    high_hz: float = 11_025.0

    def __post_init__(self) -> None:
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                f"The frequency range {self.low_hz:.0f} to {self.high_hz:.0f} Hz must lie between "
                f"0 and half the sample rate, {self.sample_rate_hz / 2:.0f} Hz: narrow it."
            )
        if self.n_fft < 16 or self.n_fft % 2 or self.n_bins < 1:
            raise ValueError("n_fft must be even and at least 16, n_bins at least 1.")
        if not 1 <= self.hop_length <= self.n_fft // 2:
            raise ValueError(
                "hop_length must lie between 1 and half of n_fft, or sound between the frames "
                "goes unheard."
            )

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_length / self.sample_rate_hz

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip: one centred on every hop, from the first sample on."""
        return 1 + n_samples // self.hop_length


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The short-time Fourier transform of a clip, `values` (frames, n_fft / 2 + 1) complex64."""

    values: NDArray[np.complex64]
    analysis: Analysis

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """|X|^2, (frames, n_fft / 2 + 1)."""
        return self.values.real**2 + self.values.imag**2


def spectrum(samples: Samples, analysis: Analysis) -> Spectrum:
    """The spectrum of a whole clip, (samples,) -> (1 + samples / hop, n_fft / 2 + 1).

    Periodic Hann window, frames centred, zeros beyond the ends: `librosa.stft` transposed.
    """
    return framed_spectrum(np.pad(samples, analysis.n_fft // 2), analysis)


def framed_spectrum(padded: Samples, analysis: Analysis) -> Spectrum:
    """The spectrum of the frames that fit, the first at the first sample."""
    frames = np.lib.stride_tricks.sliding_window_view(padded, analysis.n_fft)
    windowed = frames[:: analysis.hop_length] * _hann(analysis.n_fft)
    return Spectrum(scipy.fft.rfft(windowed, axis=1), analysis)  # float32 in, complex64 out


@lru_cache(maxsize=8)
def _hann(n_fft: int) -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
