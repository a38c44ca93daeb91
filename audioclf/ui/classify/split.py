"""The Split view: the stretches between silences, to see, to hear and to trim by."""

from typing import Any

import gradio as gr

from audioclf.audio import silence
from audioclf.ui.page.lanes import join_playback, lane, waveform_lane
from audioclf.ui.page.state import VIEWS, Shared, Sound, guarded, pcm16, unchecked

NOTHING = "No stretch is loud and long enough: raise the threshold in dB, or allow shorter ones."
MAX_STRETCHES = 500  # rows of the table; more is a sign of a threshold that is too low


@guarded(lambda sentence: (None, [], None, sentence))
def split_clip(
    sound: str | None, top_db: float, min_length_s: float, min_gap_s: float
) -> tuple[Any, list[list[float]], Any, str]:
    """The stretches of a sound that are not silent, and the sound trimmed at both ends.

    top_db: how far below the loudest frame silence begins. min_length_s: shorter stretches are
    dropped. min_gap_s: shorter silences are bridged. Returns the waveform with its stretches, a
    table of start, end and length in seconds, the trimmed sound, and a sentence.
    """
    if sound is None:
        return None, [], None, ""
    heard = Sound(sound)
    samples = heard.samples()
    settings = silence.Split(top_db, min_length_s, min_gap_s)
    segments = silence.split(samples, heard.rate_hz, settings)
    lane = {**waveform_lane(heard, segments), "title": "Stretches that are not silent"}
    if len(segments) == 0:
        return lane, [], None, NOTHING
    rows = [[round(s, 3), round(e, 3), round(e - s, 3)] for s, e in segments[:MAX_STRETCHES]]
    trimmed = silence.cut(samples, heard.rate_hz, *silence.trim(samples, heard.rate_hz, settings))
    kept_s = float((segments[:, 1] - segments[:, 0]).sum())
    words = (
        f"{len(segments)} stretch{'es' if len(segments) > 1 else ''}, {kept_s:.2f} of "
        f"{heard.duration_s:.2f} s. Choose a row to hear it."
    )
    return lane, rows, (heard.rate_hz, pcm16(trimmed)), words


def cut_clip(sound: str | None, start_s: float, end_s: float) -> tuple[Any, Any]:
    """The part of a sound between two times in seconds, and a sentence where there is none."""
    if sound is None:
        return None, ""
    heard = Sound(sound)
    part = silence.cut(heard.samples(), heard.rate_hz, max(0.0, start_s), end_s)
    if len(part) == 0:
        raise ValueError("Nothing lies between these times: choose a start before the end.")
    return (heard.rate_hz, pcm16(part)), gr.skip()


@guarded(lambda sentence: (None, sentence))
def choose_stretch(sound: str | None, event: gr.SelectData) -> tuple[Any, Any]:
    """The stretch of the row that was chosen, to be played."""
    start_s, end_s = event.row_value[:2]
    return cut_clip(sound, float(start_s), float(end_s))


def forget_stretch() -> None:
    """No stretch of another sound stays behind."""


def build(shared: Shared, wanted: gr.State) -> None:
    """Settings, waveform, table and players, then their wiring; made when `wanted` changes."""
    with gr.Row():
        top_db, min_length_s, min_gap_s = (
            unchecked(gr.Slider(low, high, value=value, step=step, label=label, min_width=140))
            for low, high, value, step, label in (
                (10, 80, 40, 1, "Silence below (dB)"),
                (0, 2, 0.1, 0.05, "Shortest (s)"),
                (0, 2, 0.1, 0.05, "Bridge gaps to (s)"),
            )
        )
    waveform = lane("waveform", elem_id="lane-split")
    message = gr.Markdown(elem_classes="ac-message")
    with gr.Row():
        table = gr.Dataframe(
            headers=["Start (s)", "End (s)", "Length (s)"],
            datatype="number",
            interactive=False,
            max_height=260,
            label="Stretches",
            elem_id="stretches",
            min_width=260,
        )
        with gr.Column(min_width=260):
            stretch = gr.Audio(
                label="Chosen stretch",
                interactive=False,
                buttons=["download"],
                autoplay=True,
                elem_id="stretch",
            )
            trimmed = gr.Audio(
                label="Trimmed clip", interactive=False, buttons=["download"], elem_id="trimmed"
            )

    for player in (stretch, trimmed):
        join_playback(player)
    settings: list[Any] = [top_db, min_length_s, min_gap_s]
    gr.on(
        [wanted.change, *(setting.change for setting in settings)],
        split_clip,
        [shared.sound, *settings],
        [waveform, table, trimmed, message],
        trigger_mode="always_last",
        show_progress="hidden",
        **VIEWS,
    )
    shared.sound.change(forget_stretch, None, stretch, api_visibility="private")
    table.select(
        choose_stretch, shared.sound, [stretch, message], api_visibility="private", **VIEWS
    )
