"""The one spectrum of a clip, from which the features follow as matrix products."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audioclf.audio.io import Samples


@dataclass(frozen=True)
class SpectrogramConfig:
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
    """Samples and, computed once on first access, their spectrum.

    `samples` (samples,) hold `margin` samples before the centre of the first frame and as many
    after that of the last: what lies beyond a clip's ends is zeros.
    """

    samples: Samples
    margin: int
    analysis: SpectrogramConfig
    _shared: dict[Any, Any] = field(default_factory=dict)

    @property
    def n_frames(self) -> int:
        """Frames whose centres have the margin on both sides."""
        return (len(self.samples) - 2 * self.margin) // self.analysis.hop_length + 1

    def frames(self) -> NDArray[np.float32]:
        """The samples of every frame, (frames, n_fft), as views."""
        n_fft = self.analysis.n_fft
        first = self.margin - n_fft // 2
        return framed(self.samples[first:], n_fft, self.analysis.hop_length, self.n_frames)

    @cached_property
    def values(self) -> NDArray[np.complex64]:
        """The short-time Fourier transform, (frames, n_fft / 2 + 1): periodic Hann window.

        `librosa.stft(y, pad_mode="constant")` transposed.
        """
        windowed = self.frames() * hann(self.analysis.n_fft)
        transform: NDArray[np.complex64] = scipy.fft.rfft(
            windowed, axis=1
        )  # float32 in, complex64 out
        return transform

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """|X|^2, (frames, n_fft / 2 + 1)."""
        power: NDArray[np.float32] = np.abs(self.values)
        power *= power
        return power

    def shared(self, make: Callable[["Spectrum"], NDArray[Any]]) -> NDArray[Any]:
        """What `make` makes of this spectrum, made once: features that build on it share it."""
        if make not in self._shared:
            self._shared[make] = make(self)
        result: NDArray[Any] = self._shared[make]
        return result


def spectrum(samples: Samples, analysis: SpectrogramConfig, margin: int | None = None) -> Spectrum:
    """The spectrum of a whole clip, (samples,) -> 1 + samples / hop frames, zeros beyond its ends.

    `margin`: samples that a feature looks at on both sides of a frame's centre; n_fft / 2 unless
    given.
    """
    margin = analysis.n_fft // 2 if margin is None else margin
    padded = np.zeros(len(samples) + 2 * margin, np.float32)
    padded[margin : margin + len(samples)] = samples
    return Spectrum(padded, margin, analysis)


def framed(samples: Samples, n_samples: int, hop_length: int, n_frames: int) -> NDArray[np.float32]:
    """The first `n_frames` segments of `n_samples`, one every hop, as views: (frames, samples).

    `sliding_window_view` does the same in ten times the time, which shows in features of 1 ms.
    """
    if n_frames > 0 and (n_frames - 1) * hop_length + n_samples > len(samples):
        raise ValueError("These frames reach beyond the end of the samples.")
    stride = samples.strides[0]
    return np.lib.stride_tricks.as_strided(
        samples, (max(0, n_frames), n_samples), (hop_length * stride, stride), writeable=False
    )


@lru_cache(maxsize=8)
def hann(n_samples: int) -> NDArray[np.float32]:
    """The periodic Hann window, (samples,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples)).astype(np.float32)
