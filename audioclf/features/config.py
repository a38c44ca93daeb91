"""A Recipe: everything between a waveform and a network's input, in one frozen value.

The recipe that stands in a checkpoint's card is the only way to make input for its network, in
training as in prediction.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from audioclf.features import MAX_ORDERS, VERSION, Feature, SpectrogramConfig, feature

PREPROCESSINGS = ("as_is", "denoised", "silence_removed")


@dataclass(frozen=True)
class Normalisation:
    """Per bin and channel, (bins, channels): learnt on the training clips."""

    mean: tuple[tuple[float, ...], ...]
    std: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FrontendConfig:
    """Frozen settings that turn a waveform into a network's input."""

    feature: str = "mel"  # or several, as channels: "mel+cqt"
    analysis: SpectrogramConfig = field(default_factory=SpectrogramConfig)
    window_frames: int = 128
    overlap: float = 0.5
    cleaning: str = "as_is"
    normalisation: Normalisation | None = None
    deltas: int = 0  # derivatives along the frames, as further channels: 0, 1 or 2

    def __post_init__(self) -> None:
        found = feature(self.feature)
        if self.cleaning not in PREPROCESSINGS:
            raise ValueError(
                f"There is no cleaning “{self.cleaning}”: choose one of {', '.join(PREPROCESSINGS)}."
            )
        if self.window_frames < 1 or not 0 <= self.overlap < 1:
            raise ValueError("A window needs at least one frame and an overlap in [0, 1).")
        if not 0 <= self.deltas <= MAX_ORDERS:
            raise ValueError(f"Deltas are 0 to {MAX_ORDERS} derivatives: choose one of these.")
        if self.deltas and (found.summarise or found.is_waveform):
            raise ValueError(
                f"“{self.feature}” has no frames to take deltas of: choose another, or none."
            )
        if self.normalisation and np.shape(self.normalisation.mean) != self.input_shape[1:]:
            raise ValueError(
                "What scales this recipe's input was learnt on other bins or channels: keep its "
                "feature and deltas as they were, or train a network on others."
            )

    @property
    def definition(self) -> Feature:
        """What the recipe's feature is."""
        return feature(self.feature)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Frames, bins and channels of what a network sees of a window."""
        found = self.definition
        n_frames, n_bins = self.window_frames, found.n_bins(self.analysis)
        n_channels = len(found.channels) * (1 + self.deltas)
        if found.summarise:
            blank = np.zeros((1, n_frames, n_bins, n_channels), np.float32)
            n_frames, n_bins, n_channels = found.summarise(blank).shape[1:]
        return n_frames, n_bins, n_channels

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next; a frame of a waveform is one sample."""
        is_waveform = self.definition.is_waveform
        return 1 / self.analysis.sample_rate_hz if is_waveform else self.analysis.hop_s

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
        edge = 0 if self.definition.is_padded else self.definition.margin(self.analysis)
        return (self.window_frames - 1) * self.analysis.hop_length + 2 * edge

    def key(self) -> str:
        """A name for the features it makes of a clip, before windows are cut: 16 hex digits."""
        analysis = dataclasses.asdict(self.analysis)
        parts = [VERSION, self.feature, analysis, self.cleaning, self.window_frames]
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
    """A recipe with that feature: its own where it needs one, else `like` or the default.

    Raises ValueError for an unknown feature.
    """
    if name in FEATURE_DEFAULTS:
        return FEATURE_DEFAULTS[name]
    usual = FrontendConfig() if like is None or like.feature in FEATURE_DEFAULTS else like
    return dataclasses.replace(usual, feature=name)


def from_dict(values: dict[str, Any]) -> FrontendConfig:
    """The recipe that `to_dict` wrote. Raises ValueError for what it does not know."""
    try:
        known = dict(values)
        known["analysis"] = SpectrogramConfig(**known["analysis"])
        if known.get("normalisation"):
            known["normalisation"] = Normalisation(
                **{k: tuple(map(tuple, v)) for k, v in known["normalisation"].items()}
            )
        return FrontendConfig(**known)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"The recipe cannot be read ({error}): is it from a newer version?"
        ) from error
