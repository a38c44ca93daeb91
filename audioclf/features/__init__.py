"""Features: from one spectrum per clip to (frames, bins, channels).

A feature is one function; it is listed once, here. Names joined by “+” are stacked as channels.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

import numpy as np

from audioclf.audio.io import Samples
from audioclf.features import (
    cepstra,
    chroma,
    gammatone,
    modulation,
    spectrograms,
    statistics,
    yamnet,
)
from audioclf.features.base import N_PITCH_CLASSES, Axis, Channel, Feature, Values, stacked
from audioclf.features.deltas import MAX_ORDERS, with_deltas
from audioclf.features.spectrum import SpectrogramConfig, Spectrum, spectrum

__all__ = [
    "FEATURES", "MAX_ORDERS", "VERSION", "Axis", "Channel", "Feature", "SpectrogramConfig",
    "compute", "feature", "spectrum", "stream", "with_deltas",
]  # fmt: skip

VERSION = 2  # of what is computed: kept features of another one are made again

HZ = Axis("Frequency (Hz)", spectrograms.linear_hz)
MEL = Axis("Frequency (Hz, mel scale)", spectrograms.mel_hz)
HTK_MEL = Axis("Frequency (Hz, HTK's mel scale)", yamnet.mel_hz)
ERB = Axis("Frequency (Hz, ERB scale)", gammatone.centres_hz)
NOTES = Axis("Note", spectrograms.cqt_hz, are_notes=True)
PITCH_CLASSES = Axis("Pitch class", names=lambda _: [(name, 1) for name in chroma.PITCH_CLASSES])
COEFFICIENTS = Axis("Coefficient")
PARTS = Axis("Feature", names=statistics.parts)
SAMPLES = Axis("Sample")


def _waveform(spectrum: Spectrum) -> Values:
    """The samples themselves, (samples,) -> (samples, 1, 1)."""
    return spectrum.samples[:, None, None]


def _one_bin(_: SpectrogramConfig) -> int:
    return 1


def _pitch_classes(_: SpectrogramConfig) -> int:
    return N_PITCH_CLASSES


FEATURES: dict[str, Feature] = {
    "mel": Feature(spectrograms.mel, (Channel("Mel", "dB", MEL),), "Mel", "log-mel spectrogram"),
    "stft": Feature(
        spectrograms.stft,
        (Channel("Linear", "dB", HZ),),
        "Linear (STFT)",
        "log-power spectrogram",
        n_bins=spectrograms.n_linear_bins,
    ),
    "gammatone": Feature(
        spectrograms.log_gammatone,
        (Channel("Gammatone", "dB", ERB),),
        "Gammatone",
        "log spectrogram of the inner ear's filters",
    ),
    "cqt": Feature(
        spectrograms.cqt,
        (Channel("Constant-Q", "dB", NOTES),),
        "Constant-Q",
        "log-magnitude constant-Q transform",
        margin=spectrograms.cqt_margin,
    ),
    "mfcc": Feature(
        cepstra.mfcc,
        (Channel("MFCC", "coefficient", COEFFICIENTS),),
        "MFCC",
        "mel-frequency cepstral coefficients",
    ),
    "gfcc": Feature(
        cepstra.gfcc,
        (Channel("GFCC", "coefficient", COEFFICIENTS),),
        "GFCC",
        "gammatone cepstral coefficients",
    ),
    "chroma": Feature(
        chroma.chroma,
        (Channel("Chroma", "share", PITCH_CLASSES),),
        "Chroma",
        "chromagram of the power spectrum",
        n_bins=_pitch_classes,
    ),
    "chroma_cqt": Feature(
        chroma.chroma_cqt,
        (Channel("Chroma of constant-Q", "share", PITCH_CLASSES),),
        "Chroma of constant-Q",
        "chromagram of a constant-Q transform",
        margin=chroma.cqt_margin,
        n_bins=_pitch_classes,
    ),
    "chroma_cens": Feature(
        chroma.chroma_cens,
        (Channel("Chroma CENS", "share", PITCH_CLASSES),),
        "Chroma CENS",
        "smoothed, quantised chromagram",
        margin=chroma.cens_margin,
        n_bins=_pitch_classes,
    ),
    "complex": Feature(
        spectrograms.complex_parts,
        (Channel("Real part", "amplitude", HZ), Channel("Imaginary part", "amplitude", HZ)),
        "Complex (STFT)",
        "real and imaginary parts of the STFT",
        n_bins=spectrograms.n_linear_bins,
    ),
    "polar": Feature(
        spectrograms.polar,
        (Channel("Magnitude", "dB", HZ), Channel("Phase", "rad", HZ)),
        "Polar (STFT)",
        "log magnitude and phase of the STFT",
        n_bins=spectrograms.n_linear_bins,
    ),
    "modulation": Feature(
        modulation.modulation,
        tuple(Channel(f"Level, quarter {n}", "dB", MEL) for n in range(1, modulation.N_LEVELS + 1))
        + tuple(Channel(f"Modulation, {hz:g} Hz", "ratio", MEL) for hz in modulation.RATES_HZ),
        "Modulation",
        "mel levels, and how much of them goes up and down at ten rates",
        margin=modulation.margin,
    ),
    "yamnet_mel": Feature(
        yamnet.log_mel,
        (Channel("Mel, YAMNet's front end", "Np", HTK_MEL),),
        "Mel (YAMNet)",
        "log-mel magnitudes of YAMNet's front end",
        margin=yamnet.margin,
        is_padded=False,
    ),
    "summary": Feature(
        statistics.classical,
        (Channel("Classical features", "mixed", PARTS),),
        "Summary",
        "mean and deviation of ZCR, RMS, MFCC, mel, STFT and chroma",
        n_bins=statistics.n_classical,
        summarise=statistics.mean_and_deviation,
    ),
    "summary_grid": Feature(
        statistics.columns,
        (
            Channel("MFCC", "coefficient", COEFFICIENTS),
            Channel("Mel", "dB", MEL),
            Channel("Chroma", "share", PITCH_CLASSES),
            Channel("Chroma of constant-Q", "share", PITCH_CLASSES),
            Channel("Chroma CENS", "share", PITCH_CLASSES),
        ),
        "Summary grid",
        "means of MFCC, mel and three chromagrams",
        margin=chroma.cens_margin,
        summarise=statistics.mean,
    ),
    "waveform": Feature(
        _waveform,
        (Channel("Waveform", "amplitude", SAMPLES),),
        "Waveform",
        "the samples themselves",
        margin=lambda _: 0,
        n_bins=_one_bin,
        is_waveform=True,
    ),
}
FEATURES["multichannel"] = stacked(
    [FEATURES[name] for name in ("mfcc", "gfcc", "cqt", "chroma")],
    "Multichannel",
    "MFCC, GFCC, constant-Q and chroma as channels",
)


@lru_cache(maxsize=64)
def feature(name: str) -> Feature:
    """Find a feature by its name.

    Parameters
    ----------
    name : str
        A name in `FEATURES`, or several joined by “+”: they become the channels of one feature.

    Returns
    -------
    Feature
        The function that computes it, its channels and its label.

    Raises
    ------
    ValueError
        For a name that is unknown, or that stands twice.
    """
    definition = FEATURES.get(name)
    if definition is not None:
        return definition
    names = name.split("+")
    unknown = [part for part in names if part not in FEATURES]
    if unknown:
        raise ValueError(
            f"There is no feature “{unknown[0]}”: choose one of {', '.join(FEATURES)}, or several "
            "joined by “+”."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"“{name}” names a feature twice: name each once.")
    parts = [FEATURES[part] for part in names]
    label = ", ".join(part.label for part in parts)
    return stacked(parts, label, ", ".join(part.description for part in parts))


def compute(name: str, samples: Samples, analysis: SpectrogramConfig) -> Values:
    """Compute a feature of a clip.

    Parameters
    ----------
    name : str
        The feature's name, or several joined by “+”.
    samples : ndarray of float32, shape (samples,)
        Mono samples at the sample rate of `analysis`.
    analysis : SpectrogramConfig
        Sample rate, frames and bins.

    Returns
    -------
    ndarray of float32, shape (frames, bins, channels)
        The feature, in the units that its channels name.

    Raises
    ------
    ValueError
        For an unknown feature, and for frames and bins from which it cannot be computed.
    """
    definition = feature(name)
    margin = definition.margin(analysis)
    if definition.is_padded:
        return definition.compute(spectrum(samples, analysis, margin))
    return definition.compute(Spectrum(_one_frame(samples, margin), margin, analysis))


def stream(name: str, blocks: Iterable[Samples], analysis: SpectrogramConfig) -> Iterator[Values]:
    """Compute a feature of a sound that comes in blocks.

    Parameters
    ----------
    name : str
        The feature's name, or several joined by “+”.
    blocks : iterable of ndarray of float32, shape (samples,)
        Consecutive blocks of mono samples at the sample rate of `analysis`.
    analysis : SpectrogramConfig
        Sample rate, frames and bins.

    Yields
    ------
    ndarray of float32, shape (frames, bins, channels)
        The next frames; together they are what `compute` gives for the whole sound.

    Raises
    ------
    ValueError
        For an unknown feature, and for frames and bins from which it cannot be computed.
    """
    definition = feature(name)
    margin = definition.margin(analysis)
    hop_length = 1 if definition.is_waveform else analysis.hop_length
    edge = np.zeros(margin if definition.is_padded else 0, np.float32)
    pending = edge
    n_computed = 0
    for block, is_last in chain(((block, False) for block in blocks), [(edge, True)]):
        pending = np.concatenate([pending, block])
        if is_last and not (definition.is_padded or n_computed):
            pending = _one_frame(pending, margin)
        n_frames = (len(pending) - 2 * margin) // hop_length + (not definition.is_waveform)
        if n_frames > 0:
            used = pending[: (n_frames - 1) * hop_length + 2 * margin + definition.is_waveform]
            yield definition.compute(Spectrum(used, margin, analysis))
            n_computed += n_frames
            pending = pending[n_frames * hop_length :]


def _one_frame(samples: Samples, margin: int) -> Samples:
    """At least as many samples as one frame of a feature that is not padded looks at."""
    n_missing = max(0, 2 * margin - len(samples))
    return np.pad(samples.astype(np.float32, copy=False), (0, n_missing))
