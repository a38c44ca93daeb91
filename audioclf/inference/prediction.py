"""A Prediction: what a network hears in a sound, and how it is said."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSURE_BELOW = 0.5
SURENESS = ((0.9, "almost certain"), (0.7, "quite sure"), (0.0, "probably"))
MOST_SAID = 4  # classes in a sentence, where several may be heard at once


@dataclass(frozen=True)
class Prediction:
    """What a network hears: probabilities per window, and when the windows are."""

    checkpoint: str
    classes: tuple[str, ...]
    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)
    probabilities: NDArray[np.float32]  # (windows, classes)
    is_silent: bool = False  # digital silence: whatever the network says, there is no sound
    is_multi_label: bool = False  # classes that may be heard at once, each with its probability

    @cached_property
    def clip(self) -> NDArray[np.float32]:
        """The clip's probabilities, (classes,): the mean over its windows."""
        return self.probabilities.mean(axis=0)

    def ranking(self) -> list[tuple[str, float]]:
        """Classes and their probabilities for the clip, most probable first."""
        clip = self.clip
        order = np.argsort(-clip, kind="stable")
        return [(self.classes[i], float(clip[i])) for i in order]

    def sentence(self) -> str:
        """The clip's answer in words, such as “Rain, quite sure (87 %)”."""
        if self.is_silent:
            return "Silence: there is nothing to hear in this sound"
        (best, probability), (second, _) = self.ranking()[:2]
        if probability < UNSURE_BELOW:
            return f"Not sure: {_spoken(best)} or {_spoken(second)}"
        if self.is_multi_label:
            return self._all_heard()
        how = next(words for above, words in SURENESS if probability >= above)
        return f"{_spoken(best).capitalize()}, {how} ({_percent(probability)} %)"

    def of_classes_above(self, least: float, most_cells: int) -> "Prediction":
        """Only the classes that some window gives that probability, where there are more cells."""
        likely = self.probabilities.max(axis=0) >= least
        if self.probabilities.size <= most_cells or not likely.any():
            return self
        kept = tuple(name for name, keep in zip(self.classes, likely, strict=True) if keep)
        return replace(self, classes=kept, probabilities=self.probabilities[:, likely])

    def _all_heard(self) -> str:
        """Everything that is more likely than not, such as “Speech (97 %), music (61 %)”."""
        heard = [(name, p) for name, p in self.ranking()[:MOST_SAID] if p >= UNSURE_BELOW]
        words = ", ".join(f"{_spoken(name).lower()} ({_percent(p)} %)" for name, p in heard)
        return words[:1].upper() + words[1:]

    def to_dict(self, file: str) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        rows = zip(self.starts_s, self.ends_s, self.probabilities, strict=True)
        return {
            "file": file,
            "checkpoint": self.checkpoint,
            "classes": list(self.classes),
            "clip": {
                name: round(float(p), 6) for name, p in zip(self.classes, self.clip, strict=True)
            },
            "windows": [
                {
                    "start_s": round(float(start_s), 4),
                    "end_s": round(float(end_s), 4),
                    "probabilities": [round(float(p), 6) for p in row],
                }
                for start_s, end_s, row in rows
            ],
        }


def _percent(probability: float) -> str:
    return "over 99" if probability >= 0.995 else f"{100 * probability:.0f}"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def key(name: str) -> str:
    """A class's name as networks share it: “Sea_waves” is “sea waves”."""
    return name.replace("_", " ").casefold()
