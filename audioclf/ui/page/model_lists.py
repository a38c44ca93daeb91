"""Lists of networks: what stands in them, in which order, and what stays chosen."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from audioclf.models import checkpoint, download, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.names import shown
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.page import session as my
from audioclf.ui.page.state import CLASSIFY

MANY_CLIPS = 20  # fewer are counted, and make no percentage


def networks(*, general_first: bool = True, mine: Any = None) -> list[Checkpoint]:
    """Every checkpoint: general ears, then the best.

    `mine`: what a browser remembers, for the networks that it has taught.
    """
    found = [*my.networks_of(mine), *ranking.best_first()]
    return sorted(found, key=_is_special) if general_first else found


def choices_of(found: Iterable[Checkpoint]) -> list[tuple[str, str]]:
    """Networks with their measured accuracy, and their names, for a list."""
    return [(f"{network.name} ({_in_brackets(network)})", network.name) for network in found]


def network_choices(*, general_first: bool = True, mine: Any = None) -> list[tuple[str, str]]:
    """Every checkpoint as `networks` orders them, for a list."""
    return choices_of(networks(general_first=general_first, mine=mine))


def damaged_in_words() -> str:
    """Those whose card cannot be used, and why; empty where all can be."""
    found = checkpoint.scan()[1]
    if not found:
        return ""
    lines = [
        f"- {escape_markdown(shown(one.name))}: {escape_markdown(one.unavailable_reason)}"
        for one in found
    ]
    return "\n".join([f"**Cannot be used** ({pluralize(len(found), 'network')}):", "", *lines])


def list_networks(chosen: str | None, mine: Any = None) -> Any:
    """Classify's list with every checkpoint that is there now; keeps what is chosen."""
    return keeping(network_choices(mine=mine), chosen)


def use_network(chosen: str | None, mine: Any = None) -> tuple[Any, Any]:
    """The network in Classify's list, and Classify in front."""
    choices = network_choices(mine=mine)
    return gr.Dropdown(choices=choices, value=chosen), gr.Tabs(selected=CLASSIFY)


def keeping(choices: list[tuple[str, str]], chosen: str | None) -> Any:
    """A list that is made anew; with another value only where the chosen one is gone.

    Else without any: somebody may have chosen another one meanwhile.
    """
    names = [name for _, name in choices]
    changed: dict[str, Any] = {}
    if chosen not in names:
        changed = {"value": names[0] if names else None}
    return gr.update(choices=choices, **changed)


def _is_special(network: Checkpoint) -> bool:
    return network.name not in {source.becomes for source in download.SOURCES.values()}


def _in_brackets(network: Checkpoint) -> str:
    if network.unavailable_reason is not None:
        return "cannot be used yet"
    measured = network.evaluation or {}
    if 0 < measured.get("n_clips", MANY_CLIPS) < MANY_CLIPS:
        right = round(measured["accuracy"] * measured["n_clips"])
        return f"{right} of {measured['n_clips']} clips"
    if network.evaluation:
        return f"{100 * network.evaluation['accuracy']:.2f} %"
    return f"{len(network.classes)} classes" if network.is_multi_label else "not measured"
