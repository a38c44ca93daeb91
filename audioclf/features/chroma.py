"""Chromagrams: how strong each of the twelve pitch classes is, whatever the octave.

A4 is 440 Hz: the sounds heard here are no orchestra whose tuning could be estimated.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audioclf.features import constant_q
from audioclf.features.base import N_PITCH_CLASSES, Values
from audioclf.features.constant_q import C1_HZ, Scale
from audioclf.features.spectrum import SpectrogramConfig, Spectrum

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
MERGED, N_OCTAVES = 3, 7  # constant-Q bins per pitch class; octaves from C1 on
STEPS = (0.4, 0.2, 0.1, 0.05)  # of energy, a quarter point each
N_SMOOTHED = 41  # frames
QUIETEST_POWER, QUIETEST_MAGNITUDE = 1e-10, 1e-5  # -100 dB: below, a frame has no pitch, and is 0


def chroma(spectrum: Spectrum) -> Values:
    """Chromagram of the power spectrum, (frames, n_fft / 2 + 1) -> (frames, 12, 1) in [0, 1].

    Every frame's strongest pitch class is 1; a frame below -100 dB has none.
    `librosa.feature.chroma_stft(tuning=0)` transposed.

    Ellis (2007), "Chroma feature analysis and synthesis", LabROSA.
    """
    energy = spectrum.power @ pitch_bumps(spectrum.analysis)
    return _to_peak(energy, QUIETEST_POWER)[..., None]


def chroma_cqt(spectrum: Spectrum) -> Values:
    """Chromagram of a constant-Q transform, (samples,) -> (frames, 12, 1) in [0, 1].

    Seven octaves from C1, 36 bins each, summed over the octaves; every frame's strongest pitch
    class is 1. `librosa.feature.chroma_cqt(tuning=0)` transposed.
    """
    return _to_peak(spectrum.shared(_folded), QUIETEST_MAGNITUDE)[..., None]


def chroma_cens(spectrum: Spectrum) -> Values:
    """Chroma energy normalised statistics, (samples,) -> (frames, 12, 1).

    Shares of `chroma_cqt` in four steps, smoothed over 41 frames, to length 1:
    `librosa.feature.chroma_cens(tuning=0)` transposed, but that frames beyond a clip's ends are
    what its long filters hear there, not silence.

    Müller and Ewert (2011), "Chroma Toolbox", ISMIR.
    """
    n_side = N_SMOOTHED // 2 + 1
    margin = spectrum.margin - n_side * spectrum.analysis.hop_length
    folded = _folded(Spectrum(spectrum.samples, margin, spectrum.analysis))
    total = folded.sum(axis=1, keepdims=True)
    shares = np.divide(folded, total, out=np.zeros_like(folded), where=total > QUIETEST_MAGNITUDE)
    quantised = sum((shares > step).astype(np.float32) for step in STEPS) / len(STEPS)
    window = np.hanning(N_SMOOTHED + 2).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(quantised, len(window), axis=0)
    smooth: NDArray[np.float32] = views @ (window / window.sum())
    length = np.sqrt((smooth * smooth).sum(axis=1, keepdims=True))
    return np.divide(smooth, length, out=np.zeros_like(smooth), where=length > 0)[..., None]


def cqt_margin(analysis: SpectrogramConfig) -> int:
    """Samples that `chroma_cqt` looks at on both sides of a frame's centre."""
    return constant_q.margin_of(scale_of(analysis.sample_rate_hz), analysis)


def cens_margin(analysis: SpectrogramConfig) -> int:
    """Samples that `chroma_cens` looks at on both sides of a frame's centre."""
    return cqt_margin(analysis) + (N_SMOOTHED // 2 + 1) * analysis.hop_length


def scale_of(sample_rate_hz: int) -> Scale:
    """The constant-Q bins behind `chroma_cqt`: seven octaves, or as many as the rate carries."""
    for n_octaves in range(N_OCTAVES, 1, -1):
        per_octave = MERGED * N_PITCH_CLASSES
        scale = Scale(C1_HZ, per_octave, n_octaves * per_octave)
        if scale.cutoff_hz <= sample_rate_hz / 2:
            break
    return scale


@lru_cache(maxsize=16)
def pitch_bumps(analysis: SpectrogramConfig) -> NDArray[np.float32]:
    """How much every FFT bin counts for every pitch class, (n_fft / 2 + 1, 12).

    A Gaussian around the class, as wide as the bin is in pitch; each bin's weights have length 1,
    times a Gaussian of two octaves around A5: `librosa.filters.chroma` transposed.
    """
    hz = np.arange(1, analysis.n_fft) * analysis.sample_rate_hz / analysis.n_fft
    octaves = np.log2(hz / (440 / 16))  # above A0
    semitones = N_PITCH_CLASSES * octaves
    semitones = np.concatenate([[semitones[0] - 1.5 * N_PITCH_CLASSES], semitones])
    widths = np.append(np.maximum(np.diff(semitones), 1.0), 1.0)
    half = N_PITCH_CLASSES // 2
    away = semitones[:, None] - np.arange(N_PITCH_CLASSES)
    away = np.remainder(away + half + 10 * N_PITCH_CLASSES, N_PITCH_CLASSES) - half
    bumps = np.exp(-0.5 * (2 * away / widths[:, None]) ** 2)
    bumps /= np.sqrt((bumps**2).sum(axis=1, keepdims=True))
    bumps *= np.exp(-0.5 * ((semitones / N_PITCH_CLASSES - 5) / 2) ** 2)[:, None]
    from_c = np.roll(bumps, -3, axis=1)  # they were counted from A
    return from_c[: analysis.n_fft // 2 + 1].astype(np.float32)


def _folded(spectrum: Spectrum) -> NDArray[np.float32]:
    """Constant-Q magnitudes summed over octaves, (frames, 12), not normalised."""
    scale = scale_of(spectrum.analysis.sample_rate_hz)
    magnitudes = np.sqrt(constant_q.powers(spectrum, scale))
    centred = np.roll(magnitudes, MERGED // 2, axis=1)  # a class's middle bin is its pitch
    octaves = centred.reshape(len(centred), -1, N_PITCH_CLASSES, MERGED)
    found: NDArray[np.float32] = octaves.sum(axis=(1, 3))
    return found


def _to_peak(values: NDArray[np.float32], quietest: float) -> NDArray[np.float32]:
    """Every frame over its greatest value, or 0 where that is not above `quietest`."""
    peak = values.max(axis=1, keepdims=True)
    return np.divide(values, peak, out=np.zeros_like(values), where=peak > quietest)
