"""Spectrograms in dB: the power spectrum through a filter bank, then the logarithm."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audioclf.features.spectrum import Analysis, Spectrum

FLOOR = 1e-10  # of the power: -100 dB


def stft(spectrum: Spectrum) -> NDArray[np.float32]:
    """Log power on a linear frequency axis in dB, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    `n_bins` equal bands between `low_hz` and `high_hz`, each the mean of the FFT bins in it;
    with n_fft / 2 + 1 bins or more over the full range, the FFT bins themselves, which equals
    `librosa.amplitude_to_db(abs(librosa.stft(y)), amin=1e-5, top_db=None)` transposed.
    """
    power = spectrum.power
    if not _is_plain(spectrum.analysis):
        power = power @ linear_bands(spectrum.analysis)
    return _decibels(power)


def mel(spectrum: Spectrum) -> NDArray[np.float32]:
    """Log-mel in dB, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    Slaney's mel scale and area-normalised triangles, as `librosa.feature.melspectrogram` with
    `librosa.power_to_db(top_db=None)`, transposed.

    Slaney, M. (1998), "Auditory Toolbox", Interval Research technical report 1998-010.
    """
    return _decibels(spectrum.power @ mel_triangles(spectrum.analysis))


def _decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """10 log10 of a power, not below -100 dB, (frames, bins) -> (frames, bins, 1)."""
    return (10 * np.log10(np.maximum(power, np.float32(FLOOR))))[..., None]


def _is_plain(analysis: Analysis) -> bool:
    full_range = analysis.low_hz == 0 and analysis.high_hz == analysis.sample_rate_hz / 2
    return full_range and analysis.n_bins >= analysis.n_fft // 2 + 1


def fft_hz(analysis: Analysis) -> NDArray[np.floating]:
    """The frequencies of the FFT's bins, (n_fft / 2 + 1,) in Hz."""
    return np.fft.rfftfreq(analysis.n_fft, 1 / analysis.sample_rate_hz)


def stft_hz(analysis: Analysis) -> NDArray[np.floating]:
    """The centres of `stft`'s bins, (bins,) in Hz."""
    if _is_plain(analysis):
        return fft_hz(analysis)
    edges_hz = np.linspace(analysis.low_hz, analysis.high_hz, analysis.n_bins + 1)
    return (edges_hz[1:] + edges_hz[:-1]) / 2


def mel_hz(analysis: Analysis) -> NDArray[np.floating]:
    """The centres of `mel`'s bins, (bins,) in Hz."""
    return _mel_edges_hz(analysis)[1:-1]


@lru_cache(maxsize=16)
def linear_bands(analysis: Analysis) -> NDArray[np.float32]:
    """Weights (n_fft / 2 + 1, bins) that average the FFT bins in equal bands.

    An FFT bin counts for the share of its width that lies in the band.
    """
    width_hz = analysis.sample_rate_hz / analysis.n_fft
    edges_hz = np.linspace(analysis.low_hz, analysis.high_hz, analysis.n_bins + 1)
    bins_hz = fft_hz(analysis)[:, None]
    upper = np.minimum(bins_hz + width_hz / 2, edges_hz[1:])
    lower = np.maximum(bins_hz - width_hz / 2, edges_hz[:-1])
    overlap = np.maximum(upper - lower, 0)
    return (overlap / overlap.sum(axis=0)).astype(np.float32)


@lru_cache(maxsize=16)
def mel_triangles(analysis: Analysis) -> NDArray[np.float32]:
    """Slaney's triangles of equal area, (n_fft / 2 + 1, bins)."""
    edges_hz = _mel_edges_hz(analysis)
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    bins_hz = fft_hz(analysis)[:, None]
    rising = (bins_hz - lower) / (centre - lower)
    falling = (upper - bins_hz) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)
    return triangles.astype(np.float32)


def _mel_edges_hz(analysis: Analysis) -> NDArray[np.floating]:
    """(bins + 2,) in Hz, evenly spaced in mel."""
    low, high = hz_to_mel(np.array([analysis.low_hz, analysis.high_hz]))
    return mel_to_hz(np.linspace(low, high, analysis.n_bins + 2))


# Slaney's scale: linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels per factor 6.4).
_LINEAR_HZ, _BREAK_HZ = 200 / 3, 1_000.0
_BREAK_MEL, _LOG_STEP = _BREAK_HZ / _LINEAR_HZ, np.log(6.4) / 27


def hz_to_mel(frequency_hz: NDArray[np.floating]) -> NDArray[np.floating]:
    """Hz to mel, Slaney's formula."""
    above = np.log(np.maximum(frequency_hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(frequency_hz < _BREAK_HZ, frequency_hz / _LINEAR_HZ, _BREAK_MEL + above)


def mel_to_hz(mels: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mel to Hz, Slaney's formula."""
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mels, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mels < _BREAK_MEL, mels * _LINEAR_HZ, above)
