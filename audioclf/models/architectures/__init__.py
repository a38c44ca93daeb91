"""Architectures, one module each; the folder is the registry.

A module has the constants `DESCRIPTION` (one sentence for the page), `REFERENCE` (the papers behind
it) and `FRONTEND` (its default front end), and `build(input_shape, n_classes) -> keras.Model` with
the outputs `label` and `embedding`. `MULTI_LABEL = True` says that its probabilities are
independent, `MAX_BYTES` how large a file of it may be, where it is never part of a repository.
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
    """An architecture: its description, its papers and the function that builds it.

    Attributes
    ----------
    name : str
        The name of its module.
    description : str
        One sentence for the page, in the literature's terms.
    reference : str
        The papers behind it.
    frontend : FrontendConfig
        The front end that it is trained with unless another is chosen.
    builder : callable
        (input_shape, n_classes) -> keras.Model, without the checks of `build`.
    multi_label : bool
        Whether its probabilities are independent: several classes may occur at once.
    max_bytes : int
        The most bytes that each of its files may have.
    """

    name: str
    description: str
    reference: str
    frontend: FrontendConfig
    builder: Callable[[InputShape, int], Any]
    multi_label: bool = False
    max_bytes: int = MAX_BYTES

    def build(self, input_shape: InputShape, n_classes: int) -> Any:
        """The model for that input shape, not compiled, a keras.Model.

        Raises ValueError for an input shape that it does not take, and fewer than two classes.
        """
        if n_classes < 2:
            raise ValueError("A model needs two classes or more: add another.")
        self.check(input_shape)
        return self.builder(input_shape, n_classes)

    def check(self, input_shape: InputShape) -> None:
        """Raise ValueError for an input shape that it does not take."""
        n_frames, n_bins, n_channels = input_shape
        feature = self.frontend.definition
        if feature.is_waveform:
            fits, takes = (n_bins, n_channels) == (1, 1), "the waveform"
            if fits and n_frames < MIN_SAMPLES:
                raise ValueError(
                    f"“{self.name}” needs windows of {MIN_SAMPLES} samples or more, and these have "
                    f"{n_frames}: make them longer."
                )
        elif feature.summarise:
            fits, takes = n_frames == 1, "summaries of windows"
        else:
            fits = MIN_FRAMES <= n_frames <= MAX_FRAMES and MIN_BINS <= n_bins <= MAX_BINS
            takes = (
                f"spectrograms of {MIN_FRAMES} to {MAX_FRAMES} frames and {MIN_BINS} bins or more"
            )
        if not fits:
            raise ValueError(
                f"“{self.name}” takes {takes} and not {n_frames} x {n_bins} x {n_channels} "
                "values (frames, bins, channels): choose another feature or another architecture."
            )


def names() -> list[str]:
    """List every architecture in this folder.

    Returns
    -------
    list of str
        The names, sorted.
    """
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in modules if not name.startswith("_"))


def check_name(name: str) -> None:
    """Raise ValueError where there is no architecture of that name; imports nothing."""
    if name not in names():
        raise ValueError(f"There is no architecture “{name}”: choose one of {', '.join(names())}.")


def load(name: str) -> Architecture:
    """Load an architecture by its name; imports Keras.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Architecture
        The architecture, with the constants of its module.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    check_name(name)
    module = importlib.import_module(f"{__name__}.{name}")
    return Architecture(
        name,
        module.DESCRIPTION,
        module.REFERENCE,
        module.FRONTEND,
        module.build,
        getattr(module, "MULTI_LABEL", False),
        getattr(module, "MAX_BYTES", MAX_BYTES),
    )
