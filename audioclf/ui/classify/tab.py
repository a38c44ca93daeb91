"""The tab Classify: one clip, its spectrogram, and the predictions of a model."""

from typing import Any

import gradio as gr

from audioclf.inference.events import EventSettings
from audioclf.ui.classify import (
    answers,
    explanation,
    exports,
    sound_input,
    spectrogram,
    views,
    zoom,
)
from audioclf.ui.classify.models import describe_model, first_models
from audioclf.ui.page.lanes import lane, timeline, waveform_lane
from audioclf.ui.page.model_lists import list_models, model_choices
from audioclf.ui.page.session import browser_state
from audioclf.ui.page.state import (
    PREDICT,
    QUEUED,
    QUIET,
    Shared,
    Sound,
    playable,
    show_errors,
    skip_preprocess,
)

PREPROCESSINGS = [
    ("None", "as_is"),
    ("Denoised", "denoised"),
    ("Silences removed", "silence_removed"),
]


@show_errors(lambda sentence: None)
def show_waveform(sound: str | None) -> dict[str, Any] | None:
    """The waveform of a sound: duration in seconds, and lowest and highest sample per column."""
    if sound is None:
        return None
    audio = Sound(sound)
    return {**waveform_lane(audio), "audio": playable(audio)}


def build(app: gr.Blocks, tabs: gr.Tabs, tab: gr.Tab) -> Shared:
    """The tab's components, then its wiring; what other parts of the page read of them."""
    session = browser_state()
    prediction = gr.State(None, time_to_live=3600)
    with gr.Row(equal_height=False, elem_id="classify"):
        with gr.Column(scale=4, min_width=300, elem_id="controls"):
            source = sound_input.build()
            model, about = _model_choice()
            preprocessing = gr.Radio(
                PREPROCESSINGS, value="as_is", label="Preprocessing", elem_id="preprocessing"
            )
            events = _event_settings()
        with gr.Column(scale=8, min_width=320, elem_id="results"):
            shared = Shared(tabs, tab, session, source.sound, model, preprocessing)
            answer = lane("answer", answers.EMPTY, elem_id="answer")
            with gr.Column(elem_classes="ac-stack"):
                bar = timeline(elem_id="lane-timeline")
                message = gr.Markdown(elem_id="segment-answer", elem_classes="ac-message")
                waveform = lane("waveform", elem_id="lane-waveform")
                pictures = lane("spectrogram", elem_id="lane-spectrogram")
                explained = lane("explanation", elem_id="explanation")
                settings = spectrogram.build(shared, pictures)
                windows = lane("windows", elem_id="lane-windows")
            exported = views.build(app, shared)

    sound_input.wire(source, app)
    zoom.wire(shared, bar, settings, message)
    explanation.wire(shared, bar, explained)
    app.load(first_models, [gr.State(model.value), session], model, **QUIET)
    tab.select(list_models, [model, session], model, **QUIET)
    model.change(describe_model, model, about, show_progress="hidden")
    source.sound.change(
        show_waveform, source.sound, waveform, show_progress="hidden", concurrency_id="waveform"
    )
    _wire_prediction(shared, events, [answer, windows, prediction], exported)
    return shared


def _model_choice() -> tuple[gr.Dropdown, gr.Markdown]:
    choices = model_choices()
    first = choices[0][1] if choices else None
    model = gr.Dropdown(choices, value=first, label="Model", elem_id="network")
    about = gr.Markdown(describe_model(first), label="Description", elem_id="about")
    return skip_preprocess(model), about


def _event_settings() -> list[Any]:
    """When a class counts as an event: its probability and its length."""
    usual = EventSettings()
    with gr.Accordion("Event settings", open=False, elem_id="event-settings"):
        threshold = gr.Slider(
            0.05, 0.95, value=usual.threshold, step=0.05, label="Threshold (probability)"
        )
        min_length_s = gr.Slider(
            0, 5, value=usual.min_length_s, step=0.05, label="Shortest event (s)"
        )
    return [skip_preprocess(threshold), skip_preprocess(min_length_s)]


def _wire_prediction(
    shared: Shared,
    events: list[Any],
    shown: list[Any],
    exported: tuple[gr.Radio, list[Any]],
) -> None:
    """Whatever changes predicts anew, and ends what is under way; and the endpoint of the API."""
    inputs: list[Any] = [shared.sound, shared.model, shared.preprocessing]
    changes = [one.change for one in (*inputs, *events)]
    kind, files = exported
    shared.sound.change(None, None, shown[:2], js=answers.PREDICTING)
    gr.on(changes, answers.supersede, None, None, **QUIET)
    gr.on(
        changes,
        answers.watch_prediction,
        [*inputs, *events],
        shown,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
        **PREDICT,
    ).then(exports.write_tables, [shown[2], shared.sound, kind], files, **QUEUED)
    kind.change(exports.write_tables, [shown[2], shared.sound, kind], files, **QUEUED)
    gr.Button(visible=False).click(answers.predict_clip, inputs, shown, **PREDICT)
