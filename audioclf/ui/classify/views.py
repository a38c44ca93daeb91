"""The views under the lanes. The costly ones are computed when they are opened."""

from typing import Any

import gradio as gr

from audioclf.ui.classify import compare, denoise, exports, split
from audioclf.ui.page.state import QUEUED, QUIET, Shared

COSTLY = ("Denoised", "Split", "Compare")


def ask_for_view(
    opened: str, sound: str | None, preprocessing: str, request: gr.Request
) -> tuple[Any, ...]:
    """What the costly view that is open is made of; the others keep what they show."""
    made_of = {
        "Denoised": [sound, denoise.requests.of(request)],  # anew where it was ended
        "Split": [sound, split.requests.of(request)],
        "Compare": [sound, preprocessing],
    }
    return tuple(made_of[view] if opened == view else gr.skip() for view in COSTLY)


def end_views(request: gr.Request) -> None:
    """Other audio: what Denoised and Split are computing is not wanted any more."""
    denoise.requests.end_running(request)
    split.requests.end_running(request)


def end_others(event: gr.SelectData, request: gr.Request) -> None:
    """Another tab: what the view that was left is computing is not looked at any more."""
    for name, view in (("Denoised", denoise), ("Split", split)):
        if event.value != name:
            view.requests.end_running(request)


def open_view(event: gr.SelectData) -> str:
    """The name of the view whose tab was chosen."""
    return str(event.value)


def build(app: gr.Blocks, shared: Shared) -> tuple[gr.Radio, list[Any]]:
    """One tab per view, then their wiring; returns the exports' choice and outputs."""
    opened = gr.State("Export")
    wanted = [gr.State(None) for _ in COSTLY]
    with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
        with gr.Tab("Export") as first:
            exported = exports.build()
        with gr.Tab("Denoised") as second:
            denoise.build(shared, wanted[0])
        with gr.Tab("Split") as third:
            split.build(shared, wanted[1])
        with gr.Tab("Compare") as fourth:
            compare.build(app, shared, wanted[2], fourth)

    for tab in (first, second, third, fourth):
        tab.select(end_others, None, None, **QUIET)
        tab.select(open_view, None, opened, **QUEUED)
    shared.sound.change(end_views, None, None, **QUIET)
    gr.on(
        [opened.change, shared.sound.change, shared.preprocessing.change],
        ask_for_view,
        [opened, shared.sound, shared.preprocessing],
        wanted,
        **QUEUED,
    )
    return exported
