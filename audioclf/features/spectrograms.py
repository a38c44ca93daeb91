"""Spectrograms: the spectrum through a bank of filters, as levels, parts or phases."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audioclf.features import constant_q, gammatone
from audioclf.features.base import Values
from audioclf.features.filter_bank import FilterBank, filter_bank
from audioclf.features.spectrum import SpectrogramConfig, Spectrum

FLOOR = 1e-10  # of the power: -100 dB


def stft(spectrum: Spectrum) -> Values:
    """Log power on a linear frequency axis in dB, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    `n_bins` equal bands between `low_hz` and `high_hz`, each the mean of the FFT bins in it;
    with n_fft / 2 + 1 bins or more over the full range, the FFT bins themselves, which equals
    `librosa.amplitude_to_db(abs(librosa.stft(y)), amin=1e-5, top_db=None)` transposed.
    """
    power = spectrum.power
    if not _is_plain(spectrum.analysis):
        power = linear_bands(spectrum.analysis)(power)
    return decibels(power)


def mel(spectrum: Spectrum) -> Values:
    """Log-mel in dB, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    Slaney's mel scale and area-normalised triangles, as `librosa.feature.melspectrogram` with
    `librosa.power_to_db(top_db=None)`, transposed.

    Slaney, M. (1998), "Auditory Toolbox", Interval Research technical report 1998-010.
    """
    return decibels(mel_triangles(spectrum.analysis)(spectrum.power))


def gammatone_power(spectrum: Spectrum) -> NDArray[np.float32]:
    """Power through the gammatone filters, (frames, n_fft / 2 + 1) -> (frames, bins)."""
    return gammatone.filters(spectrum.analysis)(spectrum.power)


def log_gammatone(spectrum: Spectrum) -> Values:
    """Gammatone spectrogram in dB, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    The filters of `audioclf.features.gammatone` on the power spectrum, as in Ellis (2009),
    "Gammatone-like spectrograms", who weights magnitudes.
    """
    return decibels(spectrum.shared(gammatone_power))


def cqt(spectrum: Spectrum) -> Values:
    """Log magnitude of the constant-Q transform in dB, (samples,) -> (frames, bins, 1).

    `librosa.amplitude_to_db(abs(librosa.cqt(y)), amin=1e-5, top_db=None)` transposed; see
    `audioclf.features.constant_q`. No bin lies below C1, 32.7 Hz. High bins cover a few
    milliseconds around a frame's centre, low ones up to 0.7 s.
    """
    return decibels(constant_q.powers(spectrum, constant_q.scale_of(spectrum.analysis)))


def complex_parts(spectrum: Spectrum) -> Values:
    """Real and imaginary part, (frames, n_fft / 2 + 1) -> (frames, bins, 2).

    With n_fft / 2 + 1 bins or more over the full range those of `librosa.stft`, transposed.
    Else of each band's coherent mean: the FFT bins averaged with their phases as seen from the
    frame's middle, which is the same as a shorter window with a wider band.
    """
    values = spectrum.shared(_complex_bands)
    return np.stack([values.real, values.imag], axis=-1)


def polar(spectrum: Spectrum) -> Values:
    """Log magnitude in dB and phase in radians, arctan2(imaginary, real), as (frames, bins, 2).

    Of the same bands as `complex_parts`. The phase of nothing is 0.
    """
    values = spectrum.shared(_complex_bands)
    level = decibels(values.real**2 + values.imag**2)
    return np.concatenate([level, np.arctan2(values.imag, values.real)[..., None]], axis=2)


def decibels(power: NDArray[np.float32]) -> Values:
    """10 log10 of a power, not below -100 dB, (frames, bins) -> (frames, bins, 1)."""
    return (10 * np.log10(np.maximum(power, np.float32(FLOOR))))[..., None]


def n_linear_bins(analysis: SpectrogramConfig) -> int:
    """Bins of `stft`, `complex_parts` and `polar`."""
    return analysis.n_fft // 2 + 1 if _is_plain(analysis) else analysis.n_bins


def _complex_bands(spectrum: Spectrum) -> NDArray[np.complex64]:
    """The spectrum in equal bands, (frames, n_fft / 2 + 1) -> (frames, bins)."""
    if _is_plain(spectrum.analysis):
        return spectrum.values
    bands = _bands_from_the_middle(spectrum.analysis)
    values = np.empty((spectrum.n_frames, spectrum.analysis.n_bins), np.complex64)
    values.real, values.imag = bands(spectrum.values.real), bands(spectrum.values.imag)
    return values


@lru_cache(maxsize=16)
def _bands_from_the_middle(analysis: SpectrogramConfig) -> FilterBank:
    """`linear_bands` times exp(i pi k): the FFT's phases as seen from a frame's middle."""
    signs = 1 - 2 * (np.arange(analysis.n_fft // 2 + 1) % 2)
    return filter_bank(linear_bands(analysis).weights * signs[:, None])


def _is_plain(analysis: SpectrogramConfig) -> bool:
    full_range = analysis.low_hz == 0 and analysis.high_hz == analysis.sample_rate_hz / 2
    return full_range and analysis.n_bins >= analysis.n_fft // 2 + 1


def fft_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """The frequencies of the FFT's bins, (n_fft / 2 + 1,) in Hz."""
    return np.fft.rfftfreq(analysis.n_fft, 1 / analysis.sample_rate_hz)


def linear_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """The centres of the linear bands, (bins,) in Hz."""
    if _is_plain(analysis):
        return fft_hz(analysis)
    edges_hz = np.linspace(analysis.low_hz, analysis.high_hz, analysis.n_bins + 1)
    return (edges_hz[1:] + edges_hz[:-1]) / 2


def mel_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """The centres of `mel`'s bins, (bins,) in Hz."""
    return _mel_edges_hz(analysis)[1:-1]


def cqt_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """The centres of `cqt`'s bins, (bins,) in Hz."""
    return constant_q.scale_of(analysis).hz


def cqt_margin(analysis: SpectrogramConfig) -> int:
    """Samples that `cqt` looks at on both sides of a frame's centre."""
    return constant_q.margin_of(constant_q.scale_of(analysis), analysis)


@lru_cache(maxsize=16)
def linear_bands(analysis: SpectrogramConfig) -> FilterBank:
    """Filters (n_fft / 2 + 1, bins) that average the FFT bins in equal bands.

    An FFT bin counts for the share of its width that lies in the band.
    """
    width_hz = analysis.sample_rate_hz / analysis.n_fft
    edges_hz = np.linspace(analysis.low_hz, analysis.high_hz, analysis.n_bins + 1)
    bins_hz = fft_hz(analysis)[:, None]
    upper = np.minimum(bins_hz + width_hz / 2, edges_hz[1:])
    lower = np.maximum(bins_hz - width_hz / 2, edges_hz[:-1])
    overlap = np.maximum(upper - lower, 0)
    return filter_bank(overlap / overlap.sum(axis=0))


@lru_cache(maxsize=16)
def mel_triangles(analysis: SpectrogramConfig) -> FilterBank:
    """Slaney's triangles of equal area, (n_fft / 2 + 1, bins)."""
    edges_hz = _mel_edges_hz(analysis)
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    bins_hz = fft_hz(analysis)[:, None]
    rising = (bins_hz - lower) / (centre - lower)
    falling = (upper - bins_hz) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)
    return filter_bank(triangles)


def _mel_edges_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
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
