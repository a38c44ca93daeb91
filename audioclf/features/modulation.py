"""Modulation: how strongly, and how fast, the level of each mel band goes up and down.

A frame is seen through short spectra, as many as the fastest rate needs: 16 in a frame of 80 ms, 8
in one of 23 ms. Their means over each quarter of the frame are its levels; the band's envelope
(the root of its power) through complex Gabor filters along time gives, at ten rates from 3 to
85 Hz, how much of the power goes up and down at that rate. Rain, engines and crackling fire with
like spectra differ in these.

Chi, Ru and Shamma (2005), "Multiresolution spectrotemporal analysis of complex sounds", JASA
118(2); here the filters along time alone, with magnitudes.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audioclf.features.base import Values
from audioclf.features.spectrograms import decibels, mel_triangles
from audioclf.features.spectrum import SpectrogramConfig, Spectrum, framed, hann

RATES_HZ = (3.0, 4.5, 6.5, 9.0, 13.0, 18.0, 26.0, 36.0, 55.0, 85.0)
N_SHORTS, N_LEVELS = (4, 8, 16), 4  # short spectra of a frame, and levels that are kept of them
SHORT_S = 0.023  # of a short spectrum, to the nearest power of two samples
RELATIVE_WIDTH = 0.2  # a filter's deviation in Hz is this part of its rate, over 1.4
PART = 4_096  # short spectra at a time
N_DEVIATIONS = 3.0  # of the Gaussian on either side
FLOOR_DB = -45.0  # of a modulation, relative to the level


def modulation(spectrum: Spectrum) -> Values:
    """Four levels in dB and ten modulations in dB relative to them, (samples,) ->
    (frames, mels, 4 + 10).
    """
    analysis, n_frames = spectrum.analysis, spectrum.n_frames
    short = replace(analysis, n_fft=_short_n_fft(analysis), hop_length=1)
    reach = _reach(analysis)
    n_short = _n_short(analysis)
    first, last = -n_short // 2 - reach, (n_frames - 1) * n_short + n_short // 2 + reach
    to_mel = mel_triangles(short)
    power = np.concatenate(  # at a high rate the short spectra would take a gigabyte at once
        [
            to_mel(_short_spectra(spectrum, short.n_fft, np.arange(start, min(start + PART, last))))
            for start in range(first, last, PART)
        ]
    )
    inside = power[reach : len(power) - reach].reshape(n_frames, N_LEVELS, -1, power.shape[1])
    levels = inside.mean(axis=2)  # (frames, 4, mels)
    swings = _modulated(np.sqrt(power), analysis)  # (rates, short spectra, mels)
    swings = swings.reshape(len(RATES_HZ), n_frames, n_short, -1).mean(axis=2)
    carrier = levels.mean(axis=1) + np.float32(1e-9)
    ratios = 10 * np.log10(np.maximum(swings / carrier, np.float32(10 ** (FLOOR_DB / 10))))
    return np.concatenate(
        [np.moveaxis(decibels(levels)[..., 0], 1, 2), np.moveaxis(ratios, 0, 2)], axis=2
    ).astype(np.float32)


def margin(analysis: SpectrogramConfig) -> int:
    """Samples that `modulation` looks at on both sides of a frame's centre."""
    n_short = _n_short(analysis)
    n_beside = _reach(analysis) + n_short // 2
    return -(-n_beside * analysis.hop_length // n_short) + _short_n_fft(analysis) // 2


def _n_short(analysis: SpectrogramConfig) -> int:
    """The fewest short spectra per frame whose rate is three times the fastest modulation's."""
    rates_hz = ((n, n / analysis.hop_s) for n in N_SHORTS)
    enough = (n for n, rate_hz in rates_hz if rate_hz >= 3 * RATES_HZ[-1])
    return next(enough, N_SHORTS[-1])


def _short_n_fft(analysis: SpectrogramConfig) -> int:
    return max(32, int(2 ** np.round(np.log2(SHORT_S * analysis.sample_rate_hz))))


def _short_rate_hz(analysis: SpectrogramConfig) -> float:
    return _n_short(analysis) / analysis.hop_s


def _reach(analysis: SpectrogramConfig) -> int:
    """Short spectra on either side that the slowest filter looks at."""
    return int(np.ceil(N_DEVIATIONS * _deviation_s(RATES_HZ[0]) * _short_rate_hz(analysis)))


def _deviation_s(rate_hz: float) -> float:
    return 1.4 / (2 * np.pi * rate_hz * RELATIVE_WIDTH)


def _short_spectra(
    spectrum: Spectrum, n_fft: int, numbers: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Power of the short spectra of these numbers; every `_n_short`th is at a frame's centre."""
    hop_length, n_short = spectrum.analysis.hop_length, _n_short(spectrum.analysis)
    starts = spectrum.margin - n_fft // 2 + numbers * hop_length // n_short
    if hop_length % n_short == 0:
        every = hop_length // n_short
        frames = framed(spectrum.samples[starts[0] :], n_fft, every, len(numbers))
    else:
        frames = spectrum.samples[starts[:, None] + np.arange(n_fft)]
    values = scipy.fft.rfft(frames * hann(n_fft), axis=1)
    power: NDArray[np.float32] = values.real**2 + values.imag**2
    return power


def _modulated(envelope: NDArray[np.float32], analysis: SpectrogramConfig) -> NDArray[np.float32]:
    """Power of the envelopes through each filter, (n + 2 reach, mels) -> (rates, n, mels)."""
    reach = _reach(analysis)
    n = len(envelope)
    n_fft = scipy.fft.next_fast_len(n)
    values = scipy.fft.fft(envelope.astype(np.float64), n_fft, axis=0)  # loud next to quiet
    power = np.empty((len(RATES_HZ), n - 2 * reach, envelope.shape[1]), np.float32)
    for number, kernel in enumerate(_gabors(analysis)):
        response = scipy.fft.fft(kernel, n_fft)[:, None]
        through = scipy.fft.ifft(values * response, axis=0)[2 * reach : n]
        power[number] = through.real**2 + through.imag**2
    return power


@lru_cache(maxsize=8)
def _gabors(analysis: SpectrogramConfig) -> NDArray[np.complex128]:
    """Filters along the short spectra, (rates, 2 reach + 1): blind to what does not change."""
    rate_hz, reach = _short_rate_hz(analysis), _reach(analysis)
    times_s = np.arange(-reach, reach + 1) / rate_hz
    kernels = np.zeros((len(RATES_HZ), len(times_s)), complex)
    for kernel, hz in zip(kernels, RATES_HZ, strict=True):
        if hz >= rate_hz / 2:
            continue  # so few frames cannot go up and down that fast
        deviation_s = _deviation_s(hz)
        bell = np.exp(-0.5 * (times_s / deviation_s) ** 2)
        bell *= np.abs(times_s) <= N_DEVIATIONS * deviation_s
        bell /= bell.sum()
        wave = bell * np.exp(2j * np.pi * hz * times_s)
        kernel[:] = wave - bell * wave.sum()
    return kernels
