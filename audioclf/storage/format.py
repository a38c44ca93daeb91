"""The format of stored JSON: read and checked, and older ones converted.

Every stored object has a `format`; one without is of format 1. Format 2 has the field's terms in
place of the words of the first version.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioclf.storage.names import shown

FORMAT = 2  # the one that is written, and the newest that is read

METRICS = {"unseen_loss": "val_loss", "unseen_accuracy": "val_accuracy"}
AUGMENTATION = {
    "variants": "waveform",
    "mix_share": "mix_prob",
    "n_bin_masks": "n_freq_masks",
    "bin_mask_share": "freq_mask_share",
    "n_frame_masks": "n_time_masks",
    "frame_mask_share": "time_mask_share",
}
HYPERPARAMETERS = {
    "average": "ema_decay",
    "old_rate": "backbone_lr_multiplier",
    "inverse_strength": "C",
}


class NewerFormatError(ValueError):
    """Something that a later version stored."""


def check(values: Mapping[str, Any]) -> int:
    """The format of stored values.

    Raises NewerFormatError for a later one than FORMAT, and ValueError for what is no format; both
    with the end of a sentence that begins with what the values are.
    """
    number = values.get("format", 1)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError("cannot be used, because its format is no number from 1 on")
    if number > FORMAT:
        raise NewerFormatError(
            f"is of format {shown(number)}, and this audioclf reads up to {FORMAT}"
        )
    return number


def rename(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same values in the same order, under the new names where there are any.

    A value that has its new name already is not replaced by one under the old name.
    """
    renamed = {names.get(name, name): value for name, value in values.items()}
    return renamed | {name: values[name] for name in names.values() if name in values}


def rename_hyperparameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters of format 1, nested as in a card, under their names in format 2."""
    renamed = rename(values, HYPERPARAMETERS)
    if isinstance(augmentation := renamed.get("augmentation"), Mapping):
        renamed["augmentation"] = rename(augmentation, AUGMENTATION)
    return renamed


def rename_overrides(pairs: Iterable[Iterable[Any]]) -> list[list[Any]]:
    """Pairs of a dotted name of a hyperparameter and its value, under the names of format 2."""
    return [[_dotted(str(name)), value] for name, value in pairs]


def _dotted(name: str) -> str:
    head, dot, rest = name.partition(".")
    if head == "augmentation":
        first, second_dot, tail = rest.partition(".")
        return f"augmentation.{AUGMENTATION.get(first, first)}{second_dot}{tail}"
    return HYPERPARAMETERS.get(head, head) + dot + rest
