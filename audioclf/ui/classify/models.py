"""The choice of a model: the list as a new visitor finds it, and a line on the chosen one."""

from typing import Any

import gradio as gr

from audioclf.models.ranking import format_accuracy
from audioclf.ui.page.model_lists import model_choices
from audioclf.ui.page.state import find_model


def describe_model(model: str | None) -> str:
    """One line on a model: what it is, what it was trained on, its accuracy on which data."""
    try:
        found = find_model(model)
    except ValueError:
        return "There is no trained model yet: train one in the tab Fine-tune."
    card, evaluation = found.card, found.evaluation
    lines = [card.get("description", ""), f"Trained on {card.get('training', {}).get('data')}."]
    if evaluation:
        lines.append(
            f"Evaluated on {evaluation['data']}: "
            f"{format_accuracy(evaluation['accuracy'], evaluation['n_clips'])} of "
            f"{evaluation['n_clips']} clips right, in brackets the 95 % interval."
        )
    if found.unavailable_reason():
        lines.append(found.unavailable_reason())
    elif not card.get("calibration") and not found.is_multi_label:
        lines.append("Its probabilities are not calibrated.")
    return " ".join(lines)


def first_models(built: str | None, session: Any) -> Any:
    """The dropdown as a new visitor finds it: what was fetched since the start comes first.

    built: what stood there first; where that is still right, what was chosen meanwhile stays.
    """
    changed: dict[str, Any] = {} if first_name() == built else {"value": first_name()}
    return gr.update(choices=model_choices(session=session), **changed)


def first_name() -> str | None:
    """The general-purpose model, or the most accurate one."""
    return next((name for _, name in model_choices()), None)
