"""The spectrogram lane: feature, band, range and colours; a figure with axes on demand."""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.features import FEATURES
from audioclf.ui.page.lanes import spectrogram_lane
from audioclf.ui.page.latest import Requests, current_request, skip_superseded
from audioclf.ui.page.state import (
    QUIET,
    VIEWS,
    Shared,
    Sound,
    show_errors,
    skip_preprocess,
)
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import COLOUR_MAPS, View, pictures

requests = Requests()
CHOICES = [
    (definition.label, name) for name, definition in FEATURES.items() if not definition.is_waveform
]


class Settings(NamedTuple):
    """The components that say what is shown."""

    feature: gr.Dropdown
    low_hz: gr.Number
    high_hz: gr.Number
    range_db: gr.Slider
    colour_map: gr.Dropdown


@skip_superseded(2)
@show_errors(lambda sentence: (gr.skip(), sentence))
def show_spectrogram(
    sound: str | None,
    feature: str,
    low_hz: float | None,
    high_hz: float | None,
    range_db: float,
    colour_map: str,
) -> tuple[Any, str]:
    """The spectrogram of a sound, as a lane on the common time axis.

    feature: a name from the list, or several joined by “+”; one picture per channel. low_hz,
    high_hz: the band; blank or 0 is the full range. range_db: from the loudest down, for levels.
    colour_map: a matplotlib name from the list. With a band that cannot be shown, the lane stays
    as it is, and a sentence says why.
    """
    if sound is None:
        return None, ""
    view = View(feature, low_hz or 0.0, high_hz or 0.0, range_db, colour_map)
    audio = Sound(sound)
    blocks = requests.while_wanted(current_request(), audio.blocks())
    return spectrogram_lane(pictures(blocks, audio.rate_hz, audio.duration_s, view)), ""


@show_errors(lambda sentence: (gr.skip(), sentence))
def draw_figure(
    sound: str | None,
    feature: str,
    low_hz: float | None,
    high_hz: float | None,
    range_db: float,
    colour_map: str,
) -> tuple[Any, str]:
    """The spectrogram of a sound as a figure with axes and a colour bar, to be taken away.

    The settings are those of `show_spectrogram`.
    """
    if sound is None:
        return gr.Plot(visible=False), ""
    view = View(feature, low_hz or 0.0, high_hz or 0.0, range_db, colour_map)
    audio = Sound(sound)
    drawn = pictures(audio.blocks(), audio.rate_hz, audio.duration_s, view)
    figure = figures.spectrogram_figure(drawn, 3.2 if len(drawn) == 1 else 2.2)
    return gr.Plot(figure, visible=True), ""


def hide_figure(request: gr.Request) -> Any:
    """Hide the figure of other audio or settings; what is being drawn is not wanted any more."""
    requests.count(request)
    return gr.Plot(visible=False)


def build(shared: Shared, lane: gr.HTML) -> Settings:
    """The settings at the lane, the figure on demand, then their wiring."""
    with gr.Accordion("Spectrogram settings", open=False, elem_classes="ac-fold"):
        with gr.Row():
            feature = gr.Dropdown(CHOICES, value="mel", label="Feature", min_width=170)
            colour_map = gr.Dropdown(
                list(COLOUR_MAPS), value="magma", label="Colours", min_width=120
            )
            low_hz, high_hz = (
                skip_preprocess(
                    gr.Number(
                        None,
                        label=label,
                        placeholder=blank,
                        min_width=90,
                    )
                )
                for label, blank in (("From (Hz)", "lowest"), ("To (Hz)", "highest"))
            )
            range_db = skip_preprocess(
                gr.Slider(20, 120, value=80, step=5, label="Range (dB)", min_width=150)
            )
        draw = gr.Button("Figure with axes", size="sm", elem_id="draw-figure")
        figure = gr.Plot(
            label="Figure", show_label=False, format="png", elem_id="figure", visible=False
        )
    message = gr.Markdown(label="Message", elem_classes="ac-message")

    controls = Settings(feature, low_hz, high_hz, range_db, colour_map)
    settings: list[Any] = list(controls)
    changes = [shared.sound.change, *(setting.change for setting in settings)]
    gr.on(changes, hide_figure, None, figure, trigger_mode="always_last", **QUIET)
    gr.on(
        changes,
        show_spectrogram,
        [shared.sound, *settings],
        [lane, message],
        trigger_mode="always_last",
        show_progress="hidden",
        **VIEWS,
    )
    draw.click(
        draw_figure,
        [shared.sound, *settings],
        [figure, message],
        show_progress="minimal",
        **VIEWS,
    )
    return controls
