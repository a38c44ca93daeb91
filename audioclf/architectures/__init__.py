"""The networks, one module each; the folder is the registry.

A module has a docstring (its first line is shown in the app, the rest is the citation), `RECIPE`
and `build(input_shape, n_classes) -> keras.Model` with the outputs `label` and `embedding`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audioclf.recipe import Recipe

InputShape = tuple[int, int, int]  # frames, bins, channels


@dataclass(frozen=True)
class Architecture:
    """A network's name, words and default recipe, and the function that builds it."""

    name: str
    description: str
    citation: str
    recipe: Recipe
    build: Callable[[InputShape, int], Any]  # -> keras.Model


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
    return Architecture(name, description, citation.strip(), module.RECIPE, module.build)
