"""Lists of models: their order, and what stays selected."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from audioclf.models import checkpoint, download, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.names import shown
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.page import session as sessions
from audioclf.ui.page.state import CLASSIFY

MANY_CLIPS = 20  # fewer are counted, and make no percentage


def networks(*, general_first: bool = True, session: Any = None) -> list[Checkpoint]:
    """All checkpoints: general-purpose ones, then the best.

    session: of the browser, for the models that it has trained.
    """
    listed = [*sessions.networks_of(session), *ranking.best_first()]
    return sorted(listed, key=_is_special) if general_first else listed


def choices_of(models: Iterable[Checkpoint]) -> list[tuple[str, str]]:
    """Models with their accuracy, and their names, for a list."""
    return [(f"{network.name} ({_in_brackets(network)})", network.name) for network in models]


def network_choices(*, general_first: bool = True, session: Any = None) -> list[tuple[str, str]]:
    """Every checkpoint as `networks` orders them, for a list."""
    return choices_of(networks(general_first=general_first, session=session))


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


def list_networks(selected: str | None, session: Any = None) -> Any:
    """Classify's list with every checkpoint that is there now; keeps what is chosen."""
    return keep_selection(network_choices(session=session), selected)


def use_network(selected: str | None, session: Any = None) -> tuple[Any, Any]:
    """Choose the model in Classify, and open that tab."""
    choices = network_choices(session=session)
    return gr.Dropdown(choices=choices, value=selected), gr.Tabs(selected=CLASSIFY)


def keep_selection(choices: list[tuple[str, str]], selected: str | None) -> Any:
    """Update a list; another value is selected only where the selected one is gone."""
    names = [name for _, name in choices]
    changed: dict[str, Any] = {}
    if selected not in names:
        changed = {"value": names[0] if names else None}
    return gr.update(choices=choices, **changed)


def _is_special(network: Checkpoint) -> bool:
    return network.name not in {source.checkpoint_name for source in download.SOURCES.values()}


def _in_brackets(network: Checkpoint) -> str:
    if network.unavailable_reason() is not None:
        return "unavailable"
    measured = network.evaluation or {}
    if 0 < measured.get("n_clips", MANY_CLIPS) < MANY_CLIPS:
        right = round(measured["accuracy"] * measured["n_clips"])
        return f"{right} of {measured['n_clips']} clips"
    if network.evaluation:
        return f"{100 * network.evaluation['accuracy']:.2f} %"
    return f"{len(network.classes)} classes" if network.is_multi_label else "not evaluated"
