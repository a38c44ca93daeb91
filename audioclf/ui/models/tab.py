"""The tab Models: a table of all models, and one of them in detail."""

from collections.abc import Iterator
from os import cpu_count
from typing import Any

import gradio as gr

from audioclf.models import download as fetch
from audioclf.models import ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.models import delete, details, latency
from audioclf.ui.models import download as fetch_view
from audioclf.ui.page.model_lists import (
    format_damaged,
    keep_selection,
    list_models,
    model_choices,
    use_model,
)
from audioclf.ui.page.state import QUEUED, QUIET, TIMINGS, Shared, skip_preprocess
from audioclf.ui.page.tables import filled, table

COLUMNS = (
    ("Model", "{}"),
    ("Accuracy (%)", "{:.2f}"),
    ("95 % interval", "{}"),
    ("Macro F1", "{:.3f}"),
    ("ECE", "{:.3f}"),
    ("Evaluated on", "{}"),
    ("ms per window", "{:.1f}"),
    ("Parameters", "{:,}"),
    ("Size (MB)", "{:.1f}"),
)
WIDTHS_PX: list[str | int] = [236, 116, 112, 94, 68, 240, 134, 116, 96]
NONE_YET = (
    "There is no trained model yet: train one in the tab Fine-tune, and it is listed here when "
    "this tab is opened again."
)
LEGEND = (
    "Results are those of held-out clips; ECE is the expected calibration error, 0 is best; "
    "milliseconds are measured here ({n_cores} cores), without features. A header sorts, a row is "
    "shown below."
)


def benchmark_models() -> Iterator[dict[str, Any]]:
    """All models with their results, speed and size, the most accurate first.

    Accuracy in percent, macro F1 and ECE on the data that the row names; milliseconds per window on
    this machine, measured now where they are not known, row by row; parameters; megabytes.
    """
    for model in ranking.best_first():
        if latency.known_ms(model) is None and latency.measure(model) is not None:
            yield _table()
    yield _table()  # also where all were known: without a value the table would be emptied


def list_trained(selected: str | None, session: Any = None) -> tuple[Any, ...]:
    """The table, the sentence where there is none, and the list; what is shown stays shown.

    Last, why some cannot be used.
    """
    damaged = format_damaged()
    choices = model_choices(general_first=False, session=session)
    return (
        gr.Markdown(visible=not choices),
        gr.Column(visible=bool(choices)),
        _table(),
        keep_selection(choices, selected),
        gr.Markdown(damaged, visible=bool(damaged)),
    )


def choose_row(event: gr.SelectData) -> str:
    """The model of the chosen row, however the table is sorted."""
    return str(event.row_value[0])


def choose_yamnet(selected: str | None, session: Any = None) -> Any:
    """Choose YAMNet in Classify after its download."""
    model = fetch.installed(fetch.YAMNET)
    if model is None:
        return list_models(selected, session)
    return gr.update(choices=model_choices(session=session), value=model.name)


def _table() -> dict[str, Any]:
    return filled(COLUMNS, _rows())


def _rows() -> list[list[Any]]:
    return [_row(model) for model in ranking.best_first()]


def _row(model: Checkpoint) -> list[Any]:
    card, measured = model.card, model.evaluation or {}
    accuracy = measured.get("accuracy")
    data = measured.get("data") or "not evaluated"
    n_clips = measured.get("n_clips")
    return [
        model.name,
        None if accuracy is None else 100 * accuracy,
        _interval(measured),
        measured.get("macro_f1"),
        measured.get("ece"),
        f"{data} ({n_clips} clips)" if n_clips else data,
        latency.known_ms(model),
        card.get("n_params"),
        model.count_bytes() / 1e6,
    ]


def _interval(measured: dict[str, Any]) -> str | None:
    """Both ends of the accuracy's 95 % interval (Wilson), in percent."""
    if not (n_clips := measured.get("n_clips")):
        return None
    low, high = ranking.wilson_interval(measured["accuracy"], n_clips)
    return f"{100 * low:.1f} to {100 * high:.1f}"


def build(shared: Shared, tab: gr.Tab) -> None:
    """The table and what is below it, then their wiring; all is read when the tab is opened."""
    choices = model_choices(general_first=False)
    offer, _, fetched = fetch_view.build()
    empty = gr.Markdown(NONE_YET, visible=not choices, elem_id="no-networks")
    text = format_damaged()
    damaged = gr.Markdown(text, visible=bool(text), elem_id="damaged-networks")
    with gr.Column(visible=bool(choices)) as everything:
        models = table(
            COLUMNS,
            _rows(),
            max_height=420,
            label="Models",
            show_label=False,
            elem_id="networks",
            pinned_columns=1,
            column_widths=WIDTHS_PX,
        )
        gr.Markdown(LEGEND.format(n_cores=cpu_count()), elem_classes="ac-note")
        with gr.Row(equal_height=True):
            model = skip_preprocess(
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
        details.build(model, tab)
        deleting = delete.build()

    listed = [empty, everything, models, model, damaged]
    tab.select(list_trained, [model, shared.session], listed, **QUIET).then(
        benchmark_models, None, models, show_progress="hidden", **TIMINGS
    )
    tab.select(fetch_view.show_offer, None, offer, **QUIET)
    fetched.then(fetch_view.show_offer, None, offer, **QUIET).then(
        list_trained, [model, shared.session], listed, **QUIET
    ).then(
        benchmark_models,
        None,
        models,
        show_progress="hidden",
        api_visibility="private",
        **TIMINGS,
    ).then(choose_yamnet, [shared.model, shared.session], shared.model, **QUIET)
    models.select(choose_row, None, model, **QUIET)
    use.click(use_model, [model, shared.session], [shared.model, shared.tabs], **QUIET)
    model.change(delete.show_delete, [model, shared.session], deleting.box, **QUIET)
    deleting.button.click(
        delete.delete_model, [model, deleting.typed, shared.session],
        [deleting.typed, deleting.message], **QUEUED,
    ).then(
        list_trained, [model, shared.session], listed, **QUIET
    ).then(list_models, [shared.model, shared.session], shared.model, **QUIET)  # fmt: skip
