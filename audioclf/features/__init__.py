"""Features: from one spectrum per clip to (frames, bins, channels).

A feature is one function; it is listed once, here.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import Samples
from audioclf.features import spectrograms
from audioclf.features.spectrum import Analysis, Spectrum, framed_spectrum, spectrum

__all__ = ["FEATURES", "Analysis", "Feature", "compute", "feature", "spectrum", "stream"]


class Feature(NamedTuple):
    """What a feature computes, and where its bins lie."""

    compute: Callable[[Spectrum], NDArray[np.float32]]  # -> (frames, bins, channels)
    bins_hz: Callable[[Analysis], NDArray[np.floating]]  # -> (bins,)
    axis: str  # the name of the frequency axis
    description: str


FEATURES: dict[str, Feature] = {
    "mel": Feature(
        spectrograms.mel, spectrograms.mel_hz, "Frequency (Hz, mel scale)", "log-mel spectrogram"
    ),
    "stft": Feature(
        spectrograms.stft, spectrograms.stft_hz, "Frequency (Hz)", "log-power spectrogram"
    ),
}


def feature(name: str) -> Feature:
    """The feature of that name. Raises ValueError."""
    if name not in FEATURES:
        raise ValueError(f"There is no feature “{name}”: choose one of {', '.join(FEATURES)}.")
    return FEATURES[name]


def compute(
    name: str, samples: Samples, analysis: Analysis, *, centred: bool = True
) -> NDArray[np.float32]:
    """The named feature of a clip at the analysis' rate, (samples,) -> (frames, bins, channels).

    Not `centred`: only the frames that fit, for callers that pad at the ends themselves.
    """
    found = spectrum(samples, analysis) if centred else framed_spectrum(samples, analysis)
    return feature(name).compute(found)


def stream(
    name: str, blocks: Iterable[Samples], analysis: Analysis
) -> Iterator[NDArray[np.float32]]:
    """The named feature of a sound that comes in blocks, (frames, bins, channels) at a time.

    Together the parts are what `compute` makes of the whole sound.
    """
    edge = np.zeros(analysis.n_fft // 2, np.float32)
    pending = edge
    for block in chain(blocks, [edge]):
        pending = np.concatenate([pending, block])
        n_frames = (len(pending) - analysis.n_fft) // analysis.hop_length + 1
        if n_frames > 0:
            yield compute(name, pending, analysis, centred=False)
            pending = pending[n_frames * analysis.hop_length :]
