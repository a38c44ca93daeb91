"""The Denoised view: audio before and after spectral gating, to play and to see."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from audioclf.audio import silence
from audioclf.audio.denoise import denoise
from audioclf.ui.page.lanes import join_playback
from audioclf.ui.page.latest import Requests, current_request, skip_superseded
from audioclf.ui.page.state import VIEWS, Shared, Sound, pcm16, show_errors, skip_preprocess
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import View, pictures

MIN_NOISE_S = 0.1
requests = Requests()
METHODS = [("Follows the noise", "non_stationary"), ("Steady noise", "stationary")]


@skip_superseded(4)
@show_errors(lambda sentence: (None, None, None, sentence))
def denoise_clip(
    sound: str | None, method: str, strength: float, noise_start_s: float, noise_end_s: float
) -> tuple[Any, Any, Any, str]:
    """Audio before and after spectral gating, equally loud, and both spectrograms.

    method: stationary or non_stationary. strength: 0 to 1. noise_start_s, noise_end_s: the
    segment that is only noise, for the stationary gate; end 0 means the whole clip.
    """
    if sound is None:
        return None, None, None, ""
    with requests.run(current_request()) as end_if_unwanted:
        return _before_and_after(
            Sound(sound), method, strength, (noise_start_s, noise_end_s), end_if_unwanted
        )


def _before_and_after(
    audio: Sound,
    method: str,
    strength: float,
    noise_s: tuple[float, float],
    end_if_unwanted: Callable[[object], None],
) -> tuple[Any, Any, Any, str]:
    """What the view shows; ended between its steps where nobody looks at it any more."""
    noise_start_s, noise_end_s = noise_s
    before = audio.samples()
    end_if_unwanted(None)
    noise = None
    if noise_end_s:
        noise = silence.cut(before, audio.rate_hz, max(0.0, noise_start_s or 0.0), noise_end_s)
        if len(noise) < MIN_NOISE_S * audio.rate_hz:
            raise ValueError(
                "The noise segment is empty or too short: its end must come a tenth of a second "
                "after its start or later, within the sound."
            )
    after = denoise(
        before, audio.rate_hz, stationary=method == "stationary", noise=noise, strength=strength
    )
    end_if_unwanted(None)
    rate_hz, duration_s = audio.rate_hz, audio.duration_s
    (first,) = pictures([before], rate_hz, duration_s, View())
    end_if_unwanted(None)
    (second,) = pictures([after], rate_hz, duration_s, View(), [first.loudest_db])
    shown = [first._replace(title="Before"), second._replace(title="After")]
    figure = figures.spectrogram_figure(shown, 2.2)
    return (rate_hz, pcm16(before)), (rate_hz, pcm16(after)), figure, ""


def build(shared: Shared, wanted: gr.State) -> None:
    """Settings, two players and a figure, then their wiring; made when `wanted` has a sound."""
    with gr.Row():
        method = gr.Radio(METHODS, value="non_stationary", label="Noise", min_width=240)
        strength = skip_preprocess(
            gr.Slider(0, 1, value=1, step=0.05, label="Strength", min_width=160)
        )
    with gr.Accordion("Where there is only noise (for steady noise)", open=False), gr.Row():
        start_s = skip_preprocess(gr.Number(0, label="From (s)", min_width=100))
        end_s = skip_preprocess(gr.Number(0, label="To (s), 0: the whole clip", min_width=140))
    message = gr.Markdown(label="Message", elem_classes="ac-message")
    with gr.Row():
        before = gr.Audio(
            label="Before", interactive=False, buttons=["download"], elem_id="before", min_width=260
        )
        after = gr.Audio(
            label="After", interactive=False, buttons=["download"], elem_id="after", min_width=260
        )
    figure = gr.Plot(
        label="Before and after", show_label=False, format="png", elem_id="denoised-figure"
    )

    for player in (before, after):
        join_playback(player)
    settings: list[Any] = [method, strength, start_s, end_s]
    gr.on(
        [wanted.change, *(setting.change for setting in settings)],
        denoise_clip,
        [shared.sound, *settings],
        [before, after, figure, message],
        trigger_mode="always_last",
        **VIEWS,
    )
