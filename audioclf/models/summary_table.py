"""The table of trained models, made from their cards."""

from collections.abc import Iterable
from typing import Any

from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint, Damaged
from audioclf.storage.names import shown
from audioclf.text import escape_markdown

COLUMNS = ("feature", "input_shape", "n_params", "n_classes")
MEASURES = ("accuracy", "macro_f1", "ece")


def rows(
    checkpoints: Iterable[Checkpoint], damaged: Iterable[Damaged] = ()
) -> list[dict[str, Any]]:
    """Name, input, cost and result of every trained model, and why it is unavailable if so.

    Those whose card cannot be used come last, with their reason alone.
    """
    usable = [
        {
            "name": model.name,
            "feature": model.feature_names(),
            "input_shape": model.card.get("input_shape"),
            "n_params": model.card.get("n_params"),
            "n_classes": len(model.classes),
            "accuracy_interval": _interval(model.evaluation),
            **{measure: (model.evaluation or {}).get(measure) for measure in MEASURES},
            "measured_on": (model.evaluation or {}).get("data"),
            "trouble": model.unavailable_reason(),
        }
        for model in checkpoints
    ]
    nothing = dict.fromkeys((*COLUMNS, "accuracy_interval", *MEASURES, "measured_on"))
    unusable = [
        {"name": shown(broken.name), **nothing, "trouble": broken.unavailable_reason}
        for broken in damaged
    ]
    return [*usable, *unusable]


def markdown(checkpoints: Iterable[Checkpoint]) -> str:
    """The table as it stands in the README: of models that were evaluated."""
    lines = [
        "| name | input | parameters | accuracy (95 % interval) | macro F1 | ECE | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows(checkpoints):
        shape = " x ".join(map(str, row["input_shape"] or ["its members'"]))
        size = "–" if row["n_params"] is None else f"{row['n_params'] / 1e6:.2f} M"
        lines.append(
            f"| `{row['name']}` | {shape} | {size} | "
            f"{_accuracy(row)} | {_number(row['macro_f1'])} | {_number(row['ece'])} | "
            f"{escape_markdown(row['measured_on'] or '–')} |"
        )
    return "\n".join(lines)


def best_first() -> list[Checkpoint]:
    """Every readable checkpoint that was evaluated, whether it is available here or not."""
    evaluated = [model for model in checkpoint.find_all() if model.evaluation]
    return sorted(evaluated, key=lambda model: -(model.evaluation or {}).get("accuracy", 0.0))


def _interval(evaluation: dict[str, Any] | None) -> list[float] | None:
    """The 95 % interval of an accuracy (Wilson)."""
    if not evaluation:
        return None
    ends = ranking.wilson_interval(evaluation["accuracy"], evaluation.get("n_clips", 1))
    return [round(end, 4) for end in ends]


def _accuracy(row: dict[str, Any]) -> str:
    low, high = row["accuracy_interval"]
    return f"{100 * row['accuracy']:.2f} % ({100 * low:.1f} to {100 * high:.1f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
