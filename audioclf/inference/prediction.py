"""A Prediction: probabilities per window and per clip, and its summary in words."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSURE_BELOW = 0.5
SURENESS = ((0.9, "almost certain"), (0.7, "quite sure"), (0.0, "probably"))
MAX_NAMED = 4  # classes in a summary of a multi-label prediction


@dataclass(frozen=True)
class Prediction:
    """A model's probabilities per window, and when the windows are.

    Attributes
    ----------
    checkpoint : str
        The model's name.
    classes : tuple of str
        The class names, in the order of the probabilities.
    starts_s : ndarray of float, shape (windows,)
        The windows' starts in seconds of the sound.
    ends_s : ndarray of float, shape (windows,)
        The windows' ends in seconds of the sound.
    probabilities : ndarray of float32, shape (windows, classes)
        Each in [0, 1]; they sum to 1 over the classes unless `is_multi_label`.
    is_silent : bool
        Whether the sound is digital silence, whatever the probabilities are.
    is_multi_label : bool
        Whether the probabilities are independent: several classes may occur at once.
    """

    checkpoint: str
    classes: tuple[str, ...]
    starts_s: NDArray[np.floating]
    ends_s: NDArray[np.floating]
    probabilities: NDArray[np.float32]
    is_silent: bool = False
    is_multi_label: bool = False

    @cached_property
    def clip(self) -> NDArray[np.float32]:
        """The clip's probabilities, (classes,): the mean over its windows."""
        return self.probabilities.mean(axis=0)

    def ranking(self) -> list[tuple[str, float]]:
        """Classes and their probabilities for the clip, most probable first."""
        clip = self.clip
        order = np.argsort(-clip, kind="stable")
        return [(self.classes[i], float(clip[i])) for i in order]

    def summary(self) -> str:
        """The clip's prediction in words, such as “Rain, quite sure (87 %)”."""
        if self.is_silent:
            return "Silence: there is nothing to hear in this sound"
        (best, probability), (second, _) = self.ranking()[:2]
        if probability < UNSURE_BELOW:
            return f"Not sure: {display_name(best)} or {display_name(second)}"
        if self.is_multi_label:
            return self._likely_classes()
        how = next(text for least, text in SURENESS if probability >= least)
        return f"{display_name(best).capitalize()}, {how} ({percent(probability)} %)"

    def of_classes_above(self, least: float, most_cells: int) -> "Prediction":
        """Only the classes that some window gives that probability, where there are more cells."""
        likely = self.probabilities.max(axis=0) >= least
        if self.probabilities.size <= most_cells or not likely.any():
            return self
        classes = tuple(name for name, keep in zip(self.classes, likely, strict=True) if keep)
        return replace(self, classes=classes, probabilities=self.probabilities[:, likely])

    def _likely_classes(self) -> str:
        """The classes more likely than not, such as “Speech (97 %), music (61 %)”."""
        likely = [(name, p) for name, p in self.ranking()[:MAX_NAMED] if p >= UNSURE_BELOW]
        text = ", ".join(f"{display_name(name).lower()} ({percent(p)} %)" for name, p in likely)
        return text[:1].upper() + text[1:]

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


def percent(probability: float) -> str:
    """A probability in percent without decimals, never rounded to certainty."""
    return "over 99" if probability >= 0.995 else f"{100 * probability:.0f}"


def display_name(name: str) -> str:
    """A class name for people: “Sea_waves” is “Sea waves”."""
    return name.replace("_", " ")


def normalize_class_name(name: str) -> str:
    """A class name for comparing models: “Sea_waves” is “sea waves”."""
    return name.replace("_", " ").casefold()
