"""Summaries: classical features of every frame, and their statistics over a window."""

import numpy as np
from numpy.typing import NDArray

from audioclf.features import cepstra, chroma, spectrograms
from audioclf.features.base import N_PITCH_CLASSES, Values, repeat_bins
from audioclf.features.spectrum import SpectrogramConfig, Spectrum

N_MFCC = 40
SMALLEST = 1e-10  # what counts as zero when signs are compared, as librosa has it


def zero_crossing_rate(spectrum: Spectrum) -> NDArray[np.float32]:
    """Changes of sign per sample of a frame, (samples,) -> (frames, 1).

    `librosa.feature.zero_crossing_rate`, with zeros beyond the clip's ends.
    """
    frames = spectrum.frames()
    negative = np.less(frames, -SMALLEST)
    changes = (negative[:, 1:] != negative[:, :-1]).sum(axis=1, dtype=np.float32)
    return (changes / spectrum.analysis.n_fft)[:, None]


def level(spectrum: Spectrum) -> NDArray[np.float32]:
    """Root mean square of a frame in dB, not below -100, (samples,) -> (frames, 1).

    `librosa.amplitude_to_db(librosa.feature.rms(y, pad_mode="constant"), amin=1e-5, top_db=None)`.
    """
    frames = spectrum.frames()
    power = np.einsum("fs,fs->f", frames, frames) / np.float32(spectrum.analysis.n_fft)
    return spectrograms.decibels(power)


def classical(spectrum: Spectrum) -> Values:
    """Every frame's classical features, (frames, `n_classical`, 1), in the order of `parts`."""
    return np.concatenate(
        [
            zero_crossing_rate(spectrum),
            level(spectrum),
            spectrum.shared(cepstra.mfcc)[:, :N_MFCC, 0],
            spectrum.shared(spectrograms.mel)[..., 0],
            spectrum.shared(spectrograms.stft)[..., 0],
            spectrum.shared(chroma.chroma)[..., 0],
        ],
        axis=1,
    )[..., None]


def parts(analysis: SpectrogramConfig) -> list[tuple[str, int]]:
    """What `classical` holds, and how many values of each."""
    return [
        ("ZCR, RMS", 2),
        ("MFCC", min(N_MFCC, analysis.n_bins)),
        ("mel", analysis.n_bins),
        ("STFT", spectrograms.n_linear_bins(analysis)),
        ("chroma", N_PITCH_CLASSES),
    ]


def n_classical(analysis: SpectrogramConfig) -> int:
    """Values per frame."""
    return sum(count for _, count in parts(analysis))


def mean_and_deviation(windows: Values) -> Values:
    """One vector per window: means, then standard deviations over its frames.

    (windows, frames, values, 1) -> (windows, 1, 2 * values, 1).
    """
    mean, deviation = windows.mean(axis=1), windows.std(axis=1)
    return np.concatenate([mean, deviation], axis=1)[:, None]


def columns(spectrum: Spectrum) -> Values:
    """MFCC, mel and three chromagrams as channels of equal height, (frames, bins, 5).

    Pitch classes are stretched over the bins; nothing changes its place.
    """
    height = spectrum.analysis.n_bins
    makers = (cepstra.mfcc, spectrograms.mel, chroma.chroma, chroma.chroma_cqt, chroma.chroma_cens)
    return np.concatenate([repeat_bins(spectrum.shared(make), height) for make in makers], axis=2)


def mean(windows: Values) -> Values:
    """The mean over a window's frames, (windows, frames, bins, n) -> (windows, 1, bins, n)."""
    return windows.mean(axis=1, keepdims=True)
