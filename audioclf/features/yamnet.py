"""YAMNet's front end: magnitudes through HTK's mel triangles, as natural logarithms.

Plakal and Ellis (2020), YAMNet, github.com/tensorflow/models, research/audioset/yamnet: frames of
25 ms every 10 ms, the first of which begins with the sound; periodic Hann window; log(mel + 0.001).
The triangles after Young et al. (2002), "The HTK Book", section 5.4: their peaks are 1.
"""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audioclf.features.base import Values
from audioclf.features.filter_bank import FilterBank, filter_bank
from audioclf.features.spectrum import SpectrogramConfig, Spectrum, framed

FRAME_S = 0.025
OFFSET = np.float32(1e-3)
_HTK_MEL, _HTK_HZ = 1_127.0, 700.0


def log_mel(spectrum: Spectrum) -> Values:
    """log(mel magnitude + 0.001), (samples,) -> (frames, mels, 1) in nepers."""
    analysis = spectrum.analysis
    n_samples = 2 * margin(analysis)
    frames = framed(
        spectrum.samples[spectrum.margin - margin(analysis) :],
        n_samples, analysis.hop_length, spectrum.n_frames,
    )  # fmt: skip
    magnitudes = np.abs(scipy.fft.rfft(frames * _hann(n_samples), analysis.n_fft, axis=1))
    found: Values = np.log(_triangles(analysis)(magnitudes) + OFFSET)[..., None]
    return found


def margin(analysis: SpectrogramConfig) -> int:
    """Half a frame of 25 ms, which is no longer than the FFT, in samples."""
    return min(round(FRAME_S * analysis.sample_rate_hz), analysis.n_fft) // 2


def mel_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """The centres of the triangles, (mels,) in Hz."""
    return _HTK_HZ * (np.exp(_edges_mel(analysis)[1:-1] / _HTK_MEL) - 1)


def _hz_to_mel(hz: NDArray[np.floating]) -> NDArray[np.floating]:
    return _HTK_MEL * np.log1p(hz / _HTK_HZ)


def _edges_mel(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    low, high = _hz_to_mel(np.array([analysis.low_hz, analysis.high_hz]))
    return np.linspace(low, high, analysis.n_bins + 2)


@lru_cache(maxsize=8)
def _triangles(analysis: SpectrogramConfig) -> FilterBank:
    """Triangles in mel with peaks of 1, (n_fft / 2 + 1, mels); 0 Hz is heard by none."""
    edges = _edges_mel(analysis)
    hz = np.fft.rfftfreq(analysis.n_fft, 1 / analysis.sample_rate_hz)
    bins = _hz_to_mel(hz)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0
    return filter_bank(weights)


@lru_cache(maxsize=8)
def _hann(n_samples: int) -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples)).astype(np.float32)
