"""Networks: every trained network beside the others, and one of them in full."""

from collections.abc import Iterator
from os import cpu_count
from typing import Any

import gradio as gr

from audioclf.models import download as fetch
from audioclf.models import ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.models import details, latency
from audioclf.ui.models import download as fetch_view
from audioclf.ui.page.model_lists import (
    damaged_in_words,
    keeping,
    list_networks,
    network_choices,
    use_network,
)
from audioclf.ui.page.state import QUIET, TIMINGS, Shared, unchecked
from audioclf.ui.page.tables import filled, table

COLUMNS = (
    ("Network", "{}"),
    ("Accuracy (%)", "{:.2f}"),
    ("Macro F1", "{:.3f}"),
    ("ECE", "{:.3f}"),
    ("Measured on", "{}"),
    ("ms per window", "{:.1f}"),
    ("Parameters", "{:,}"),
    ("Size (MB)", "{:.1f}"),
)
WIDTHS_PX: list[str | int] = [266, 116, 94, 68, 312, 134, 116, 100]
NONE_YET = (
    "No trained network is here yet: teach one, in the tab Teach, and it stands here when this tab "
    "is opened again."
)
LEGEND = (
    "Accuracy, macro F1 and ECE (expected calibration error: how far probabilities are from how "
    "often they are right, 0 is best) are those of clips that the network never saw, named under "
    "“Measured on”. Milliseconds per window are measured on this machine ({n_cores} cores) when "
    "this tab is opened: the network alone, without the features. Sort by a column with the ⋮ in "
    "its head; choose a row to see that network below."
)


def time_networks() -> Iterator[dict[str, Any]]:
    """Every trained network with its results, speed and size, the most accurate first.

    Accuracy in percent, macro F1 and ECE on the data that the row names; milliseconds per window on
    this machine, measured now where they are not known, row by row; parameters; megabytes.
    """
    for found in ranking.best_first():
        if latency.known_ms(found) is None and latency.measure(found) is not None:
            yield _table()
    yield _table()  # also where all were known: without a value the table would be emptied


def list_trained(chosen: str | None, mine: Any = None) -> tuple[Any, ...]:
    """The table, the sentence where there is none, and the list; what is shown stays shown.

    Last, why some cannot be used.
    """
    damaged = damaged_in_words()
    choices = network_choices(general_first=False, mine=mine)
    return (
        gr.Markdown(visible=not choices),
        gr.Column(visible=bool(choices)),
        _table(),
        keeping(choices, chosen),
        gr.Markdown(damaged, visible=bool(damaged)),
    )


def choose_row(event: gr.SelectData) -> str:
    """The network whose row was chosen, however the table is sorted."""
    return str(event.row_value[0])


def choose_yamnet(chosen: str | None, mine: Any = None) -> Any:
    """Classify's list, with YAMNet chosen where it is here: somebody has just asked for it."""
    found = fetch.find(fetch.YAMNET)
    if found is None:
        return list_networks(chosen, mine)
    return gr.update(choices=network_choices(mine=mine), value=found.name)


def _table() -> dict[str, Any]:
    return filled(COLUMNS, _rows())


def _rows() -> list[list[Any]]:
    return [_row(found) for found in ranking.best_first()]


def _row(network: Checkpoint) -> list[Any]:
    card, measured = network.card, network.evaluation or {}
    accuracy = measured.get("accuracy")
    data = measured.get("data") or "not measured"
    n_clips = measured.get("n_clips")
    return [
        network.name,
        None if accuracy is None else 100 * accuracy,
        measured.get("macro_f1"),
        measured.get("ece"),
        f"{data} ({n_clips} clips)" if n_clips else data,
        latency.known_ms(network),
        card.get("n_params"),
        network.n_bytes / 1e6,
    ]


def build(shared: Shared, tab: gr.Tab) -> None:
    """The table and what is below it, then their wiring; all is read when the tab is opened."""
    choices = network_choices(general_first=False)
    offer, _, fetched = fetch_view.build()
    empty = gr.Markdown(NONE_YET, visible=not choices, elem_id="no-networks")
    words = damaged_in_words()
    damaged = gr.Markdown(words, visible=bool(words), elem_id="damaged-networks")
    with gr.Column(visible=bool(choices)) as everything:
        networks = table(
            COLUMNS,
            _rows(),
            max_height=420,
            show_label=False,
            elem_id="networks",
            pinned_columns=1,
            column_widths=WIDTHS_PX,
        )
        gr.Markdown(LEGEND.format(n_cores=cpu_count()), elem_classes="ac-note")
        with gr.Row(equal_height=True):
            chosen = unchecked(
                gr.Dropdown(
                    choices,
                    value=choices[0][1] if choices else None,
                    label="Shown below",
                    elem_id="shown-network",
                    scale=3,
                    min_width=200,
                )
            )
            use = gr.Button(
                "Use it in Classify",
                variant="primary",
                elem_id="use-network",
                scale=1,
                min_width=180,
            )
        details.build(chosen, tab)

    listed = [empty, everything, networks, chosen, damaged]
    tab.select(list_trained, [chosen, shared.mine], listed, **QUIET).then(
        time_networks, None, networks, show_progress="hidden", **TIMINGS
    )
    tab.select(fetch_view.show_offer, None, offer, **QUIET)
    fetched.then(fetch_view.show_offer, None, offer, **QUIET).then(
        list_trained, [chosen, shared.mine], listed, **QUIET
    ).then(time_networks, None, networks, show_progress="hidden", **TIMINGS).then(
        choose_yamnet, [shared.network, shared.mine], shared.network, **QUIET
    )
    networks.select(choose_row, None, chosen, **QUIET)
    use.click(use_network, [chosen, shared.mine], [shared.network, shared.tabs], **QUIET)
