"""One model in detail: its confusion matrix, training curves, layers and card."""

from math import isfinite
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.models.checkpoint import Checkpoint
from audioclf.text import escape_markdown, listed
from audioclf.ui.models.card_text import facts, result_line
from audioclf.ui.page.state import QUIET, find_model, show_errors
from audioclf.ui.page.tables import filled, table
from audioclf.ui.plotting import figures

PER_CLASS = (
    ("Class", "{}"),
    ("Precision", "{:.3f}"),
    ("Recall", "{:.3f}"),
    ("F1", "{:.3f}"),
    ("Clips", "{:d}"),
)
LAYERS = (("Layer", "{}"), ("Type", "{}"), ("Output", "{}"), ("Parameters", "{:,}"))
NO_ATTRIBUTION = "The card of this model has no attribution."
NOT_MEASURED = "The card of this model has no results on held-out clips."


@show_errors(lambda sentence: (None, None, sentence))
def model_results(model: str | None) -> tuple[Any, Any, str]:
    """The results of a model: the confusion matrix, a table per class, a sentence.

    model: the name of a checkpoint. The matrix has the true classes as rows.
    """
    classifier = find_model(model)
    result = classifier.evaluation
    if not result:
        return None, None, NOT_MEASURED
    classes = result.get("classes") or classifier.classes
    confusion = result.get("confusion")
    title = f"Clips of {result.get('data') or 'unnamed data'}"
    figure = figures.confusion_figure(confusion, classes, title) if confusion else None
    return (
        figure,
        _per_class(result.get("per_class") or {}),
        escape_markdown(f"{result_line(result)}."),
    )


@show_errors(lambda sentence: (gr.Plot(visible=False), gr.Dataframe(visible=False)))
def show_parts(model: str | None) -> tuple[gr.Plot, gr.Dataframe]:
    """The matrix and the table of the classes, only of a model that has them."""
    result = find_model(model).evaluation or {}
    matrix, classes = bool(result.get("confusion")), bool(result.get("per_class"))
    return gr.Plot(visible=matrix), gr.Dataframe(visible=classes)


@show_errors(lambda sentence: (gr.LinePlot(visible=False), gr.LinePlot(visible=False), sentence))
def show_training(model: str | None) -> tuple[Any, Any, str]:
    """A model's training curves: loss per epoch, accuracy in percent per epoch, a sentence.

    A model with an earlier training shows both, one after the other.
    """
    classifier = find_model(model)
    stages = training_stages(classifier)
    curves = [_curve(stages, name) for name in ("loss", "accuracy")]
    return *curves, escape_markdown(_on_training(classifier, stages))


def training_stages(model: Checkpoint) -> list[dict[str, Any]]:
    """The trainings of a model that have a history, the first one first."""
    stages, training = [], model.card.get("training")
    while training:
        stages.append(training)
        training = training.get("previous")
    return [stage for stage in reversed(stages) if (stage.get("history") or {}).get("loss")]


@show_errors(lambda sentence: (sentence, None, "", "", None))
def show_card(model: str | None) -> tuple[str, Any, str, str, Any]:
    """A model's card: its description, layers, facts, the attribution, the card itself."""
    classifier = find_model(model)
    lines = "\n".join(f"- **{name}**: {escape_markdown(text)}" for name, text in facts(classifier))
    description, attribution = (
        escape_markdown(str(classifier.card.get(name) or ""))
        for name in ("description", "attribution")
    )
    return description, _layers(classifier), lines, attribution or NO_ATTRIBUTION, classifier.card


def _per_class(per_class: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = ("precision", "recall", "f1", "n_clips")
    return filled(
        PER_CLASS,
        [
            [name.replace("_", " "), *(row.get(key) for key in names)]
            for name, row in per_class.items()
        ],
    )


def _layers(model: Checkpoint) -> dict[str, Any]:
    """The layers of a model; for an ensemble, its members."""
    if model.is_ensemble:
        parts = [
            {
                **m.card,
                "name": m.name,
                "type": m.card["architecture"],
                "output_shape": len(m.classes),
            }
            for m in model.load_members()
        ]
    else:
        parts = model.card.get("layers") or []
    rows = [
        [part.get("name"), part.get("type"), _shape(part.get("output_shape")), part.get("n_params")]
        for part in parts
    ]
    return filled(LAYERS, rows)


def _shape(sizes: Any) -> str:
    if isinstance(sizes, list):
        return " x ".join("any" if size is None else _shape(size) for size in sizes)
    return str(sizes or "")


def _curve(stages: list[dict[str, Any]], name: str) -> Any:
    values = [value for stage in stages for value in stage["history"].get(name) or []]
    scale = 100 if name == "accuracy" else 1
    rows = [(epoch, scale * value) for epoch, value in enumerate(values, 1) if isfinite(value)]
    if not rows:
        return gr.LinePlot(visible=False)
    return gr.LinePlot(pd.DataFrame(rows, columns=["epoch", name]), visible=True)


def _on_training(model: Checkpoint, stages: list[dict[str, Any]]) -> str:
    if model.is_ensemble:
        names = listed([member.name for member in model.load_members()])
        return f"An ensemble is not trained: it averages the predictions of {names}."
    if not stages:
        return "The card of this model has no training curves."
    parts, first = [], 1
    for stage in stages:
        last = first + len(stage["history"]["loss"]) - 1
        parts.append(f"epochs {first} to {last} on {stage.get('data') or 'unnamed data'}")
        first = last + 1
    return f"During training, on augmented windows: {listed(parts)}."


def results(prefix: str = "") -> tuple[gr.Plot, gr.Dataframe, gr.Markdown]:
    """The components of `model_results`; `prefix` is that of their ids."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            confusion = gr.Plot(
                label="Confusion", show_label=False, format="png", elem_id=f"{prefix}confusion"
            )
        with gr.Column(min_width=320):
            per_class = table(
                PER_CLASS,
                max_height=460,
                label="Per class",
                elem_id=f"{prefix}per-class",
                column_widths=["31%", "24%", "17%", "14%", "14%"],
            )
            measured = gr.Markdown(
                label="Evaluation", elem_id=f"{prefix}measured", elem_classes="ac-message"
            )
    return confusion, per_class, measured


def build(model: gr.Dropdown, tab: gr.Tab) -> None:
    """The parts under the table, then their wiring."""
    description = gr.Markdown(label="Description", elem_id="network-about")
    confusion, per_class, measured = results()
    with gr.Row():
        curves = [
            gr.LinePlot(
                x="epoch",
                y=name,
                x_title="Epoch",
                y_title=title,
                height=220,
                min_width=280,
                elem_id=f"curve-{name}",
                label=title,
                show_label=False,
            )
            for name, title in (("loss", "Training loss"), ("accuracy", "Training accuracy (%)"))
        ]
    on_training = gr.Markdown(label="Training", elem_id="learnt", elem_classes="ac-note")
    with gr.Accordion("Layers, or members of an ensemble", open=False, elem_id="layers"):
        layers = table(LAYERS, max_height=420, label="Layers", show_label=False)
    card_facts = gr.Markdown(label="Facts", elem_id="card")
    with gr.Accordion("Attribution", open=False, elem_id="attribution"):
        attribution = gr.Markdown(label="Attribution")
    with gr.Accordion("Card (JSON)", open=False, elem_id="card-json"):
        card = gr.JSON(label="Card", show_label=False, max_height=420)

    changes = [tab.select, model.change]
    gr.on(changes, show_parts, model, [confusion, per_class], trigger_mode="always_last", **QUIET)
    for handler, shown in (
        (show_card, [description, layers, card_facts, attribution, card]),
        (model_results, [confusion, per_class, measured]),
        (show_training, [*curves, on_training]),
    ):
        gr.on(
            changes,
            handler,
            model,
            shown,
            trigger_mode="always_last",
            show_progress="hidden",
        )
