"""The Spectrogram view: feature, band, range and colours, for the lane and for a figure."""

from typing import Any

import gradio as gr

from audioclf.features import FEATURES
from audioclf.ui.page.lanes import spectrogram_lane
from audioclf.ui.page.state import VIEWS, Shared, Sound, guarded, unchecked
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import COLOUR_MAPS, View, pictures

CHOICES = [(found.label, name) for name, found in FEATURES.items() if not found.is_waveform]


@guarded(lambda sentence: (None, None, sentence))
def show_spectrogram(
    sound: str | None,
    feature: str,
    low_hz: float,
    high_hz: float,
    range_db: float,
    colour_map: str,
) -> tuple[Any, Any, str]:
    """The spectrogram of a sound, as a lane on the common time axis and as a figure with axes.

    feature: a name from the list, or several joined by “+”; one picture per channel. low_hz,
    high_hz: the band; high_hz 0 means half the sample rate. range_db: from the loudest down, for
    levels. colour_map: a matplotlib name from the list.
    """
    if sound is None:
        return None, None, ""
    view = View(feature, low_hz or 0.0, high_hz or 0.0, range_db, colour_map)
    heard = Sound(sound)
    drawn = pictures(heard.blocks(), heard.rate_hz, heard.duration_s, view)
    height_inch = 3.2 if len(drawn) == 1 else 2.2
    return spectrogram_lane(drawn), figures.spectrogram_figure(drawn, height_inch), ""


def build(shared: Shared, lane: gr.HTML) -> None:
    """The settings and the figure, then their wiring."""
    with gr.Row():
        feature = gr.Dropdown(CHOICES, value="mel", label="Feature", min_width=200)
        colour_map = gr.Dropdown(list(COLOUR_MAPS), value="magma", label="Colours", min_width=140)
        low_hz = unchecked(gr.Number(0, label="From (Hz)", min_width=100))
        high_hz = unchecked(gr.Number(0, label="To (Hz), 0: all", min_width=100))
        range_db = unchecked(
            gr.Slider(20, 120, value=80, step=5, label="Range (dB)", min_width=160)
        )
    message = gr.Markdown(elem_classes="ac-message")
    figure = gr.Plot(label="Spectrogram", show_label=False, format="png", elem_id="figure")

    settings: list[Any] = [feature, low_hz, high_hz, range_db, colour_map]
    gr.on(
        [shared.sound.change, *(setting.change for setting in settings)],
        show_spectrogram,
        [shared.sound, *settings],
        [lane, figure, message],
        trigger_mode="always_last",
        show_progress="hidden",
        **VIEWS,
    )
