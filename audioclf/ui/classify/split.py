"""The Split view: the segments between silences, to see, to play, to trim by and to take away."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from audioclf.audio import silence
from audioclf.ui.classify import split_exports
from audioclf.ui.page.lanes import join_playback, lane, waveform_lane
from audioclf.ui.page.latest import Requests, current_request, skip_superseded
from audioclf.ui.page.state import QUEUED, VIEWS, Shared, Sound, pcm16, show_errors, skip_preprocess
from audioclf.ui.page.tables import right_aligned

NOTHING = "No segment is loud and long enough: raise the threshold in dB, or allow shorter ones."
COLUMNS = (("Start (s)", "{:.3f}"), ("End (s)", "{:.3f}"), ("Length (s)", "{:.3f}"))
MAX_SEGMENTS = 500  # rows of the table; more is a sign of a threshold that is too low

requests = Requests()


@skip_superseded(4)
@show_errors(lambda sentence: (None, [], None, sentence))
def split_clip(
    sound: str | None, top_db: float, min_length_s: float, min_gap_s: float
) -> tuple[Any, list[list[float]], Any, str]:
    """The segments of a clip that are not silent, and the clip trimmed at both ends.

    top_db: how far below the loudest frame silence begins. min_length_s: shorter segments are
    dropped. min_gap_s: shorter silences are bridged. Returns the waveform with its segments, a
    table of start, end and length in seconds, the trimmed clip, and a sentence.
    """
    if sound is None:
        return None, [], None, ""
    with requests.run(current_request()) as end_if_unwanted:
        return _segments(
            Sound(sound), silence.Split(top_db, min_length_s, min_gap_s), end_if_unwanted
        )


def _segments(
    audio: Sound, settings: silence.Split, end_if_unwanted: Callable[[object], None]
) -> tuple[Any, list[list[float]], Any, str]:
    """What the view shows; ended between its steps where nobody looks at it any more."""
    samples = audio.samples()
    end_if_unwanted(None)
    segments = silence.split(samples, audio.rate_hz, settings)
    end_if_unwanted(None)
    lane = {**waveform_lane(audio, segments), "title": "Segments that are not silent"}
    if len(segments) == 0:
        return lane, [], None, NOTHING
    lane["sounding"] = [float(segments[0, 0]), float(segments[-1, 1])]
    rows = [[round(s, 3), round(e, 3), round(e - s, 3)] for s, e in segments[:MAX_SEGMENTS]]
    trimmed = silence.cut(samples, audio.rate_hz, *silence.trim(samples, audio.rate_hz, settings))
    kept_s = float((segments[:, 1] - segments[:, 0]).sum())
    text = (
        f"{len(segments)} segment{'s' if len(segments) > 1 else ''}, {kept_s:.2f} of "
        f"{audio.duration_s:.2f} s. Choose a row to play it."
    )
    return lane, rows, (audio.rate_hz, pcm16(trimmed)), text


def cut_clip(sound: str | None, start_s: float, end_s: float) -> tuple[Any, Any]:
    """The part of a sound between two times in seconds, and a sentence where there is none."""
    if sound is None:
        return None, ""
    audio = Sound(sound)
    part = silence.cut(audio.samples(), audio.rate_hz, max(0.0, start_s), end_s)
    if len(part) == 0:
        raise ValueError("Nothing lies between these times: choose a start before the end.")
    return (audio.rate_hz, pcm16(part)), gr.skip()


@show_errors(lambda sentence: (None, sentence))
def choose_segment(sound: str | None, event: gr.SelectData) -> tuple[Any, Any]:
    """The segment of the row that was chosen, to be played."""
    start_s, end_s = event.row_value[:2]
    return cut_clip(sound, float(start_s), float(end_s))


def clear_segment() -> None:
    """Clear the segment of other audio."""


def build(shared: Shared, wanted: gr.State) -> None:
    """Settings, waveform, table and players, then their wiring; made when `wanted` changes."""
    with gr.Row():
        top_db, min_length_s, min_gap_s = (
            skip_preprocess(
                gr.Slider(low, high, value=value, step=step, label=label, min_width=140)
            )
            for low, high, value, step, label in (
                (10, 80, 40, 1, "Silence below (dB)"),
                (0, 2, 0.1, 0.05, "Shortest (s)"),
                (0, 2, 0.1, 0.05, "Bridge gaps to (s)"),
            )
        )
    waveform = lane("waveform", elem_id="lane-split")
    message = gr.Markdown(label="Message", elem_classes="ac-message")
    with gr.Row():
        table = gr.Dataframe(
            headers=[header for header, _ in COLUMNS],
            datatype="number",
            interactive=False,
            elem_classes=["ac-table", *right_aligned(COLUMNS)],
            max_height=260,
            label="Segments",
            elem_id="stretches",
            min_width=260,
        )
        with gr.Column(min_width=260):
            segment = gr.Audio(
                label="Chosen segment",
                interactive=False,
                buttons=["download"],
                autoplay=True,
                elem_id="stretch",
            )
            trimmed = gr.Audio(
                label="Trimmed clip", interactive=False, buttons=["download"], elem_id="trimmed"
            )
    exported = split_exports.build()

    for player in (segment, trimmed):
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
    ).then(
        split_exports.write_segments, [shared.sound, *settings], exported.tables, **QUEUED, **VIEWS
    )
    split_exports.wire(exported, [shared.sound, *settings], message)
    shared.sound.change(clear_segment, None, segment, api_visibility="private")
    table.select(
        choose_segment, shared.sound, [segment, message], api_visibility="private", **VIEWS
    )
