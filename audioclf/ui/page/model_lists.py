"""Lists of models: their order, and what stays selected."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import gradio as gr

from audioclf import features
from audioclf.models import checkpoint, download, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.names import shown
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.page import session as sessions
from audioclf.ui.page.state import CLASSIFY

MANY_CLIPS = 20  # fewer are counted, and make no percentage


class Group(StrEnum):
    """The groups of a list of models, in their order; each option begins with its group."""

    RECOMMENDED = "Recommended"
    ENSEMBLE = "Ensemble"
    GENERAL = "General-purpose"
    YOURS = "Yours"
    ARCHITECTURE = ""  # the rest, architecture by architecture
    UNAVAILABLE = "Unavailable"


def models(*, general_first: bool = True, session: Any = None) -> list[Checkpoint]:
    """All checkpoints: general-purpose ones, then the best.

    session: of the browser, for the models that it has trained.
    """
    listed = [*sessions.models_of(session), *ranking.best_first()]
    return sorted(listed, key=_is_special) if general_first else listed


def choices_of(models: Iterable[Checkpoint], session: Any = None) -> list[tuple[str, str]]:
    """Models for a list, by groups: what is written of each, and its name.

    models: in their order, which stays within a group. session: of the browser, for “yours”.
    """
    models = list(models)
    reasons = {model.name: model.unavailable_reason() for model in models}
    recommended = _recommended(model for model in models if reasons[model.name] is None)
    mine = sessions.names_of_trained(session)

    def group_of(model: Checkpoint) -> Group:
        if reasons[model.name] is not None:
            return Group.UNAVAILABLE
        if model.name in mine:
            return Group.YOURS
        if model.name in recommended:
            return Group.RECOMMENDED
        if model.is_ensemble:
            return Group.ENSEMBLE
        return Group.ARCHITECTURE if _is_special(model) else Group.GENERAL

    architectures = list(dict.fromkeys(model.card["architecture"] for model in models))
    grouped = [(group_of(model), model) for model in models]
    order = list(Group)

    def place(entry: tuple[Group, Checkpoint]) -> tuple[int, int]:
        group, model = entry
        architecture = architectures.index(model.card["architecture"])
        return order.index(group), architecture if group == Group.ARCHITECTURE else 0

    return [
        (_option(model, group, reasons[model.name]), model.name)
        for group, model in sorted(grouped, key=place)
    ]


def model_choices(*, general_first: bool = True, session: Any = None) -> list[tuple[str, str]]:
    """Every checkpoint as `models` orders them, by groups, for a list."""
    return choices_of(models(general_first=general_first, session=session), session)


def format_damaged() -> str:
    """The checkpoints whose card is damaged, and why; empty where there is none."""
    damaged = checkpoint.scan()[1]
    if not damaged:
        return ""
    lines = [
        f"- {escape_markdown(shown(one.name))}: {escape_markdown(one.unavailable_reason)}"
        for one in damaged
    ]
    return "\n".join([f"**Unavailable** ({pluralize(len(damaged), 'model')}):", "", *lines])


def list_models(selected: str | None, session: Any = None) -> Any:
    """Classify's list with every checkpoint that is there now; keeps what is chosen."""
    return keep_selection(model_choices(session=session), selected)


def use_model(selected: str | None, session: Any = None) -> tuple[Any, Any]:
    """Choose the model in Classify, and open that tab."""
    choices = model_choices(session=session)
    return gr.Dropdown(choices=choices, value=selected), gr.Tabs(selected=CLASSIFY)


def keep_selection(choices: list[tuple[str, str]], selected: str | None) -> Any:
    """Update a list; another value is selected only where the selected one is gone."""
    names = [name for _, name in choices]
    changed: dict[str, Any] = {}
    if selected not in names:
        changed = {"value": names[0] if names else None}
    return gr.update(choices=choices, **changed)


def _is_special(model: Checkpoint) -> bool:
    return model.name not in {source.checkpoint_name for source in download.SOURCES.values()}


def _recommended(models: Iterable[Checkpoint]) -> set[str]:
    """The first general-purpose model, ensemble and single model."""
    first: dict[str, str] = {}
    for model in models:
        kind = "ensemble" if model.is_ensemble else "single"
        first.setdefault(kind if _is_special(model) else "general", model.name)
    return {*first.values()}


def _option(model: Checkpoint, group: Group, reason: str | None) -> str:
    """What a list says of a model, such as “Recommended · cnn-mel (97.50 %, log-mel)”."""
    if reason is not None:
        return f"{group} · {model.name}: {reason}"
    prefix = f"{group} · " if group else ""
    return f"{prefix}{model.name} ({_accuracy(model)}, {_input_of(model)})"


def _input_of(model: Checkpoint) -> str:
    """The feature of a model in words; of an ensemble and a head, what they stand on."""
    if model.is_ensemble:
        return pluralize(len(model.load_members()), "model")
    if model.is_head:
        return f"on {model.card['backbone']['name']}"
    return (
        features.feature(model.feature_names()).description if _is_special(model) else "any sound"
    )


def _accuracy(model: Checkpoint) -> str:
    measured = model.evaluation or {}
    if 0 < measured.get("n_clips", MANY_CLIPS) < MANY_CLIPS:
        right = round(measured["accuracy"] * measured["n_clips"])
        return f"{right} of {measured['n_clips']} clips"
    if model.evaluation:
        return f"{100 * model.evaluation['accuracy']:.2f} %"
    return f"{len(model.classes)} classes" if model.is_multi_label else "not evaluated"
