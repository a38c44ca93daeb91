"""The gammatone filters of the inner ear, as weights on the power spectrum."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audioclf.features.filter_bank import FilterBank, filter_bank
from audioclf.features.spectrum import SpectrogramConfig

EAR_Q, MIN_BANDWIDTH_HZ = 9.26449, 24.7  # ERB = f / EAR_Q + MIN_BANDWIDTH_HZ
QUIETEST = 1e-10


def centres_hz(analysis: SpectrogramConfig) -> NDArray[np.floating]:
    """Centres evenly spaced in ERB, the lowest at the band's low end, (bins,) in Hz.

    Glasberg and Moore (1990), "Derivation of auditory filter shapes from notched-noise data",
    Hearing Research 47: ERB = 24.7 (4.37 f / 1000 + 1).
    """
    offset_hz = EAR_Q * MIN_BANDWIDTH_HZ
    low, high = np.log(analysis.low_hz + offset_hz), np.log(analysis.high_hz + offset_hz)
    steps = np.arange(analysis.n_bins) / analysis.n_bins
    hz: NDArray[np.floating] = np.exp(low + steps * (high - low)) - offset_hz
    return np.maximum(hz, analysis.low_hz)  # the first one is low_hz but for rounding


@lru_cache(maxsize=16)
def filters(analysis: SpectrogramConfig) -> FilterBank:
    """|H|^2 of fourth-order gammatone filters of 1.019 ERB, (n_fft / 2 + 1, bins), peak 1.

    What lies 100 dB below a filter's peak is left out.

    Slaney (1993), "An efficient implementation of the Patterson-Holdsworth auditory filter bank",
    Apple technical report 35: four zeros, and a pair of poles four times.
    """
    period_s = 1 / analysis.sample_rate_hz
    hz = centres_hz(analysis)
    decay = np.exp(-1.019 * 2 * np.pi * (hz / EAR_Q + MIN_BANDWIDTH_HZ) * period_s)
    angle = 2 * np.pi * hz * period_s
    z = np.exp(2j * np.pi * np.arange(analysis.n_fft // 2 + 1) / analysis.n_fft)[:, None]
    response = np.ones((len(z), len(hz)), complex)
    for root in (
        np.sqrt(3 + 2**1.5),
        -np.sqrt(3 + 2**1.5),
        np.sqrt(3 - 2**1.5),
        -np.sqrt(3 - 2**1.5),
    ):
        response *= z - decay * (np.cos(angle) + root * np.sin(angle))
    pole = decay * np.exp(1j * angle)
    response /= ((z - pole) * (z - pole.conj())) ** 4
    power = np.abs(response) ** 2
    power /= power.max(axis=0)
    return filter_bank(np.where(power > QUIETEST, power, 0))
