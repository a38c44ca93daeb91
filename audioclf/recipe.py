"""A Recipe: everything between a waveform and a network's input, in one frozen value.

The recipe that stands in a checkpoint's card is the only way to make input for its network, in
training as in prediction.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from audioclf.features import Analysis, feature

CLEANINGS = ("as_is", "denoised", "silence_removed")


@dataclass(frozen=True)
class Normalisation:
    """Per bin and channel, (bins, channels): learnt on the training clips."""

    mean: tuple[tuple[float, ...], ...]
    std: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Recipe:
    """Frozen settings that turn a waveform into a network's input."""

    feature: str = "mel"
    analysis: Analysis = field(default_factory=Analysis)
    window_frames: int = 128
    overlap: float = 0.5
    cleaning: str = "as_is"
    normalisation: Normalisation | None = None

    def __post_init__(self) -> None:
        feature(self.feature)
        if self.cleaning not in CLEANINGS:
            raise ValueError(
                f"There is no cleaning “{self.cleaning}”: choose one of {', '.join(CLEANINGS)}."
            )
        if self.window_frames < 1 or not 0 <= self.overlap < 1:
            raise ValueError("A window needs at least one frame and an overlap in [0, 1).")

    @property
    def window_s(self) -> float:
        """Seconds from a window's first frame to its end."""
        return self.window_frames * self.analysis.hop_s

    @property
    def step_frames(self) -> int:
        """Frames from one window to the next."""
        return max(1, round(self.window_frames * (1 - self.overlap)))

    @property
    def window_samples(self) -> int:
        """Samples that fill one window."""
        return (self.window_frames - 1) * self.analysis.hop_length

    def key(self) -> str:
        """A name for the features it makes of a clip, before normalisation: 16 hex digits."""
        parts = [self.feature, dataclasses.asdict(self.analysis), self.cleaning, self.window_frames]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card."""
        return dataclasses.asdict(self)


def from_dict(values: dict[str, Any]) -> Recipe:
    """The recipe that `to_dict` wrote. Raises ValueError for what it does not know."""
    try:
        known = dict(values)
        known["analysis"] = Analysis(**known["analysis"])
        if known.get("normalisation"):
            known["normalisation"] = Normalisation(
                **{k: tuple(map(tuple, v)) for k, v in known["normalisation"].items()}
            )
        return Recipe(**known)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"The recipe cannot be read ({error}): is it from a newer version?"
        ) from error
