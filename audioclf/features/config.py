"""FrontendConfig: everything between a waveform and a model's input, in one frozen value.

The front end in a checkpoint's card is the only way to make input for its model, in
training as in prediction.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from audioclf.audio.denoise import PREDICTION_STRENGTH
from audioclf.features import MAX_ORDERS, VERSION, Feature, SpectrogramConfig, feature


class Preprocessing(StrEnum):
    """What is done to a waveform before its features are computed."""

    AS_IS = "as_is"
    DENOISED = "denoised"
    SILENCE_REMOVED = "silence_removed"


@dataclass(frozen=True)
class Normalisation:
    """Per bin and channel, (bins, channels): fitted on the training clips."""

    mean: tuple[tuple[float, ...], ...]
    std: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FrontendConfig:
    """Frozen settings that turn a waveform into a model's input.

    Attributes
    ----------
    feature : str
        The feature's name, or several joined by “+”, which are stacked as channels: "mel+cqt".
    spectrogram : SpectrogramConfig
        Sample rate, frames and bins of the spectrum from which features follow.
    window_frames : int
        The length of a window in frames; of a waveform, in samples.
    overlap : float
        The share of a window that it has in common with the next one, in [0, 1).
    preprocessing : str
        What is done to a waveform before its features are computed, a value of `Preprocessing`:
        "as_is", "denoised" or "silence_removed".
    normalisation : Normalisation or None
        Mean and deviation of the training clips, per bin and channel; None leaves features as they
        are.
    deltas : int
        Derivatives along the frames, as further channels: 0, 1 or 2.

    Raises
    ------
    ValueError
        For values that do not go together, such as deltas of a feature without frames.
    """

    feature: str = "mel"
    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)
    window_frames: int = 128
    overlap: float = 0.5
    preprocessing: str = Preprocessing.AS_IS
    normalisation: Normalisation | None = None
    deltas: int = 0

    def __post_init__(self) -> None:
        definition = feature(self.feature)
        if self.preprocessing not in tuple(Preprocessing):
            raise ValueError(
                f"There is no preprocessing “{self.preprocessing}”: choose one of "
                f"{', '.join(Preprocessing)}."
            )
        if self.window_frames < 1 or not 0 <= self.overlap < 1:
            raise ValueError("A window needs at least one frame and an overlap in [0, 1).")
        if not 0 <= self.deltas <= MAX_ORDERS:
            raise ValueError(f"Deltas are 0 to {MAX_ORDERS} derivatives: choose one of these.")
        if self.deltas and (definition.summarise or definition.is_waveform):
            raise ValueError(
                f"“{self.feature}” has no frames to take deltas of: choose another, or none."
            )
        if self.normalisation and np.shape(self.normalisation.mean) != self.input_shape[1:]:
            raise ValueError(
                "The normalisation of this front end is that of other bins or channels: keep its "
                "feature and deltas as they were, or train a model on others."
            )

    @property
    def definition(self) -> Feature:
        """The definition of the feature."""
        return feature(self.feature)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Frames, bins and channels of a model's input, one window."""
        definition = self.definition
        n_frames, n_bins = self.window_frames, definition.n_bins(self.spectrogram)
        n_channels = len(definition.channels) * (1 + self.deltas)
        if definition.summarise:
            blank = np.zeros((1, n_frames, n_bins, n_channels), np.float32)
            n_frames, n_bins, n_channels = definition.summarise(blank).shape[1:]
        return n_frames, n_bins, n_channels

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next; a frame of a waveform is one sample."""
        is_waveform = self.definition.is_waveform
        return 1 / self.spectrogram.sample_rate_hz if is_waveform else self.spectrogram.hop_s

    @property
    def window_s(self) -> float:
        """Seconds from a window's first frame to its end."""
        return self.window_frames * self.hop_s

    @property
    def step_frames(self) -> int:
        """Frames from one window to the next."""
        return max(1, round(self.window_frames * (1 - self.overlap)))

    @property
    def window_samples(self) -> int:
        """Samples that fill one window."""
        if self.definition.is_waveform:
            return self.window_frames
        edge = 0 if self.definition.is_padded else self.definition.margin(self.spectrogram)
        return (self.window_frames - 1) * self.spectrogram.hop_length + 2 * edge

    def key(self) -> str:
        """A name for the features it makes of a clip, before windows are cut: 16 hex digits."""
        spectrogram = dataclasses.asdict(self.spectrogram)
        parts = [VERSION, self.feature, spectrogram, self.preprocessing, self.window_frames]
        if self.preprocessing == Preprocessing.DENOISED:
            parts.append(PREDICTION_STRENGTH)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card."""
        return dataclasses.asdict(self)


FEATURE_DEFAULTS = {
    # 30,000 samples at 10 kHz are the three seconds of the SoundNets (Hebbar and Srinivasa, 2017).
    "waveform": FrontendConfig(
        "waveform", SpectrogramConfig(10_000, high_hz=5_000.0), window_frames=30_000
    ),
    # Five seconds of frames of 80 ms; the feature's own short spectra are 23 ms long, 5 ms apart.
    "modulation": FrontendConfig(
        "modulation", SpectrogramConfig(44_100, 8_192, 3_520, 64, 20.0, 22_050.0), window_frames=63
    ),
    "summary_grid": FrontendConfig("summary_grid", SpectrogramConfig(n_bins=40)),
    # Plakal and Ellis (2020): 0.96 s every 0.48 s.
    "yamnet_mel": FrontendConfig(
        "yamnet_mel", SpectrogramConfig(16_000, 512, 160, 64, 125.0, 7_500.0), window_frames=96
    ),
}


def for_feature(name: str, like: FrontendConfig | None = None) -> FrontendConfig:
    """Give the default front end for a feature.

    Parameters
    ----------
    name : str
        The feature's name, as in `FrontendConfig.feature`.
    like : FrontendConfig, optional
        The front end whose other settings are used, for a feature without a front end of its own;
        None, or a front end of a feature with its own one, stands for the defaults.

    Returns
    -------
    FrontendConfig
        The feature's own front end where `FEATURE_DEFAULTS` has one, otherwise `like` with the
        feature.

    Raises
    ------
    ValueError
        For an unknown feature, and for one that the other settings of `like` do not fit.
    """
    if name in FEATURE_DEFAULTS:
        return FEATURE_DEFAULTS[name]
    usual = FrontendConfig() if like is None or like.feature in FEATURE_DEFAULTS else like
    return dataclasses.replace(usual, feature=name)


def from_dict(values: dict[str, Any]) -> FrontendConfig:
    """Read the front end that `FrontendConfig.to_dict` wrote.

    Parameters
    ----------
    values : dict
        The plain values, as they stand in a checkpoint's card.

    Returns
    -------
    FrontendConfig
        The same front end.

    Raises
    ------
    ValueError
        For settings that are missing, unknown or do not go together.
    """
    try:
        settings = dict(values)
        settings["spectrogram"] = SpectrogramConfig(**settings["spectrogram"])
        if settings.get("normalisation"):
            settings["normalisation"] = Normalisation(
                **{k: tuple(map(tuple, v)) for k, v in settings["normalisation"].items()}
            )
        return FrontendConfig(**settings)
    except (TypeError, KeyError, AttributeError) as error:
        reason = str(error).partition(". ")[0]  # Python 3.13 guesses what was meant
        raise ValueError(
            f"The front end cannot be read ({reason}): is it from a newer version?"
        ) from error
