"""The networks, one module each; the folder is the registry.

A module has a docstring (its first line is shown in the app, the rest is the citation), `RECIPE`
and `build(input_shape, n_classes) -> keras.Model` with the outputs `label` and `embedding`.
`MULTI_LABEL = True` says that its probabilities are independent, `MAX_BYTES` how large a file of it
may be, where it is never part of a repository.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audioclf.features.config import FrontendConfig

InputShape = tuple[int, int, int]  # frames, bins, channels
MIN_FRAMES, MIN_BINS, MAX_BINS = 16, 8, 2_048  # of a spectrogram
MAX_FRAMES = 4_096
MAX_BYTES = 10_000_000  # a Space refuses larger plain files
MIN_SAMPLES = 8_192  # of a waveform: what is left of it after all poolings


@dataclass(frozen=True)
class Architecture:
    """A network's name, words and default recipe, and the function that builds it."""

    name: str
    description: str
    citation: str
    recipe: FrontendConfig
    builder: Callable[[InputShape, int], Any]  # -> keras.Model
    multi_label: bool = False  # probabilities of classes that may be heard at once
    max_bytes: int = MAX_BYTES  # of each of its files

    def build(self, input_shape: InputShape, n_classes: int) -> Any:
        """The network for that input, not compiled, a keras.Model.

        Raises ValueError for a kind of input that it cannot hear, and fewer than two classes.
        """
        if n_classes < 2:
            raise ValueError("A network needs two classes or more to tell apart: add another.")
        self.check(input_shape)
        return self.builder(input_shape, n_classes)

    def check(self, input_shape: InputShape) -> None:
        """Raise ValueError for a kind of input that it cannot hear."""
        n_frames, n_bins, n_channels = input_shape
        own = self.recipe.definition
        if own.is_waveform:
            fits, takes = (n_bins, n_channels) == (1, 1), "the waveform"
            if fits and n_frames < MIN_SAMPLES:
                raise ValueError(
                    f"“{self.name}” needs windows of {MIN_SAMPLES} samples or more, and these have "
                    f"{n_frames}: make them longer."
                )
        elif own.summarise:
            fits, takes = n_frames == 1, "summaries of windows"
        else:
            fits = MIN_FRAMES <= n_frames <= MAX_FRAMES and MIN_BINS <= n_bins <= MAX_BINS
            takes = (
                f"spectrograms of {MIN_FRAMES} to {MAX_FRAMES} frames and {MIN_BINS} bins or more"
            )
        if not fits:
            raise ValueError(
                f"“{self.name}” takes {takes} and cannot hear {n_frames} x {n_bins} x {n_channels} "
                "values (frames, bins, channels): choose another feature or another network."
            )


def names() -> list[str]:
    """Every network in this folder, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def check_name(name: str) -> None:
    """Raise ValueError where there is no network of that name; imports nothing."""
    if name not in names():
        raise ValueError(f"There is no architecture “{name}”: choose one of {', '.join(names())}.")


def load(name: str) -> Architecture:
    """The network of that name; imports Keras. Raises ValueError."""
    check_name(name)
    module = importlib.import_module(f"{__name__}.{name}")
    description, _, citation = (module.__doc__ or "").partition("\n")
    return Architecture(
        name,
        description,
        citation.strip(),
        module.RECIPE,
        module.build,
        getattr(module, "MULTI_LABEL", False),
        getattr(module, "MAX_BYTES", MAX_BYTES),
    )
