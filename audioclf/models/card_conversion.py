"""Cards of format 1 in format 2: the same values under the field's terms, nothing dropped.

Numbers, texts and unknown keys stay as they are. Cards are converted as they are read;
`scripts/convert_cards.py` rewrites files.
"""

from collections.abc import Mapping
from typing import Any

from audioclf.storage.format import FORMAT, METRICS, rename, rename_hyperparameters

CARD = {"recipe": "frontend"}
FRONTEND = {"analysis": "spectrogram", "cleaning": "preprocessing"}
RESULT = {"network": "model", "kept_as": "run_id"}
TRAINING = {
    "settings": "hyperparameters",
    "before": "previous",
    "started_from": "base_model",
    "ended_after": "stopped_epoch",
}
LAYER = {"kind": "type", "output": "output_shape"}
CALIBRATION = {"learnt_on": "fitted_on", "clips": "clips_sha256"}
BACKBONE = {"how": "hint"}
PARTS = {"frontend": FRONTEND, "calibration": CALIBRATION, "backbone": BACKBONE}
ARCHITECTURES = {"head": "linear_probe"}
MAX_TRAININGS = 24  # one after the other; a card may not be nested deeper


def to_format_2(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card of format 1 as one of format 2; what is no card stays what it is."""
    converted = rename(card, CARD)
    converted["format"] = FORMAT
    architecture = converted.get("architecture")
    if isinstance(architecture, str):
        converted["architecture"] = ARCHITECTURES.get(architecture, architecture)
    for key, names in (
        ("frontend", FRONTEND),
        ("calibration", CALIBRATION),
        ("backbone", BACKBONE),
    ):
        if isinstance(part := converted.get(key), Mapping):
            converted[key] = rename(part, names)
    if isinstance(layers := converted.get("layers"), list):
        converted["layers"] = [_renamed(layer, LAYER) for layer in layers]
    if isinstance(results := converted.get("results"), list):
        converted["results"] = [_with_history(_renamed(result, RESULT)) for result in results]
    if "training" in converted:
        converted["training"] = _training(converted["training"])
    return converted


def _training(training: Any, depth: int = 0) -> Any:
    """A training and those before it."""
    if not isinstance(training, Mapping) or depth > MAX_TRAININGS:
        return training
    converted = rename(training, TRAINING)
    if isinstance(minutes := converted.pop("minutes", None), int | float):
        converted.setdefault("seconds", 60 * minutes)
    if isinstance(values := converted.get("hyperparameters"), Mapping):
        converted["hyperparameters"] = rename_hyperparameters(values)
    if "previous" in converted:
        converted["previous"] = _training(converted["previous"], depth + 1)
    return _with_history(converted)


def _with_history(part: Any) -> Any:
    if isinstance(part, Mapping) and isinstance(history := part.get("history"), Mapping):
        return {**part, "history": rename(history, METRICS)}
    return part


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    return rename(part, names) if isinstance(part, Mapping) else part
