"""How a network is trained, in one frozen value that stands in its card."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

from audioclf.training.augmentation import Augmentation


@dataclass(frozen=True)
class Settings:
    """How a network is trained; stands in its card."""

    epochs: int = 50
    batch_size: int = 8
    learning_rate: float = 2e-3  # the peak, after 5 % of the steps; then a cosine down to 0
    weight_decay: float = 0.02
    label_smoothing: float = 0.02  # this share of a target is spread over all classes
    class_weights: bool = True  # rare classes count for as much as frequent ones
    old_rate: float = 1.0  # what a network knows already learns at this share of the rate
    average: float = 0.99  # of the weights over the steps: how much of it stays per step; 0: none
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("Training needs at least one epoch and one window per batch.")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError("The learning rate must be above 0, and the weight decay not below.")
        if not 0 <= self.old_rate <= 1:
            raise ValueError("Old layers learn at a share of the rate: choose 0 to 1.")
        if not (0 <= self.label_smoothing < 1 and 0 <= self.average < 1):
            raise ValueError("Label smoothing and the average's decay lie in [0, 1).")


WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}

Frozen = TypeVar("Frozen")


def with_overrides(value: Frozen, changes: Mapping[str, str]) -> Frozen:
    """Settings or a recipe with values by name, such as `augmentation.mix_share` to `0.6`.

    Raises ValueError for a name that is not there and for a value of another kind.
    """
    for name, text in changes.items():
        value = _with(value, name.split("."), text, name)
    return value


def _with(value: Any, path: list[str], text: str, name: str) -> Any:
    """The dataclass with one of its values, however deep, replaced."""
    known = [one.name for one in fields(value)] if is_dataclass(value) else []
    if path[0] not in known:
        raise ValueError(
            f"There is no setting “{name}”"
            + (f": there, these are {', '.join(known)}." if known else ".")
        )
    old = getattr(value, path[0])
    if len(path) > 1:
        return replace(value, **{path[0]: _with(old, path[1:], text, name)})
    if is_dataclass(old):
        raise ValueError(
            f"“{name}” holds several settings: name one, such as {name}.{fields(old)[0].name}."
        )
    return replace(value, **{path[0]: _read(text, type(old), name)})


def _read(text: str, kind: type, name: str) -> Any:
    if kind not in WORDS:
        raise ValueError(f"“{name}” cannot be set: it is learnt, or follows from others.")
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise ValueError(f"“{name}” is {WORDS[kind]}, and “{text}” is not: change it.") from None
