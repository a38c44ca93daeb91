"""Cepstra: the cosine transform of a spectrogram over its bins; the first say the shape."""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audioclf.features.base import Values
from audioclf.features.spectrograms import gammatone_power, mel
from audioclf.features.spectrum import Spectrum


def mfcc(spectrum: Spectrum) -> Values:
    """Mel-frequency cepstral coefficients, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    Orthonormal DCT-II of the log-mel in dB, as many coefficients as mel bands:
    `librosa.feature.mfcc(S=librosa.power_to_db(power, top_db=None), n_mfcc=n_bins)` transposed.

    Davis and Mermelstein (1980), IEEE Transactions on Acoustics, Speech and Signal Processing 28.
    """
    return _transformed(spectrum.shared(mel)[..., 0])


def gfcc(spectrum: Spectrum) -> Values:
    """Gammatone cepstral coefficients, (frames, n_fft / 2 + 1) -> (frames, bins, 1).

    Orthonormal DCT-II of the cube root of the gammatone power over n_fft, which stands for loudness
    better than the logarithm does where it is quiet: `spafe.features.gfcc.gfcc` without its
    pre-emphasis, and with |H|^2 as weights.

    Zhao and Wang (2013), "Analyzing noise robustness of MFCC and GFCC features in speaker
    identification", ICASSP.
    """
    power = spectrum.shared(gammatone_power) / np.float32(spectrum.analysis.n_fft)
    return _transformed(np.cbrt(power))


def _transformed(values: NDArray[np.float32]) -> Values:
    return (values @ _cosines(values.shape[1]))[..., None]


@lru_cache(maxsize=16)
def _cosines(n_bins: int) -> NDArray[np.float32]:
    """The orthonormal DCT-II as a matrix, (bins, coefficients)."""
    found: NDArray[np.float32] = scipy.fft.dct(np.eye(n_bins), norm="ortho").astype(np.float32)
    return found
