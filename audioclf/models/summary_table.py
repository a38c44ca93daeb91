"""The table of trained networks, made from their cards."""

from collections.abc import Iterable
from typing import Any

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint, Damaged
from audioclf.storage.names import shown
from audioclf.text import escape_markdown

COLUMNS = ("feature", "input_shape", "n_params", "n_classes")
MEASURES = ("accuracy", "macro_f1", "ece")


def rows(found: Iterable[Checkpoint], damaged: Iterable[Damaged] = ()) -> list[dict[str, Any]]:
    """Name, input, cost and result of every trained network, and why it cannot be used if so.

    Those whose card cannot be used come last, with their reason alone.
    """
    usable = [
        {
            "name": network.name,
            "feature": network.feature,
            "input_shape": network.card.get("input_shape"),
            "n_params": network.card.get("n_params"),
            "n_classes": len(network.classes),
            **{measure: (network.evaluation or {}).get(measure) for measure in MEASURES},
            "measured_on": (network.evaluation or {}).get("data"),
            "trouble": network.unavailable_reason,
        }
        for network in found
    ]
    nothing = dict.fromkeys((*COLUMNS, *MEASURES, "measured_on"))
    unusable = [
        {"name": shown(one.name), **nothing, "trouble": one.unavailable_reason} for one in damaged
    ]
    return [*usable, *unusable]


def markdown(found: Iterable[Checkpoint]) -> str:
    """The table as it stands in the README: of networks that were measured."""
    lines = [
        "| name | input | parameters | accuracy | macro F1 | ECE | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows(found):
        shape = " x ".join(map(str, row["input_shape"] or ["its members'"]))
        size = "–" if row["n_params"] is None else f"{row['n_params'] / 1e6:.2f} M"
        lines.append(
            f"| `{row['name']}` | {shape} | {size} | "
            f"{100 * row['accuracy']:.2f} % | {_number(row['macro_f1'])} | {_number(row['ece'])} | "
            f"{escape_markdown(row['measured_on'] or '–')} |"
        )
    return "\n".join(lines)


def best_first() -> list[Checkpoint]:
    """Every readable checkpoint that was measured, whether it can be used here or not."""
    measured = [network for network in checkpoint.find_all() if network.evaluation]
    return sorted(measured, key=lambda network: -(network.evaluation or {}).get("accuracy", 0.0))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
