"""Lanes: waveform, spectrogram, windows, answer and comparison, drawn in the browser.

One component for all of them; `assets/js/lanes.js` draws them on one time axis. The template is
constant and the values are plain data, so no word of a user is ever taken for HTML.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from audioclf.audio.io import Samples
from audioclf.ui.page.state import QUIET, Sound
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import Picture

ASSETS = Path(__file__).parents[1] / "assets"
CSS = (ASSETS / "style.css").read_text(encoding="utf-8")


LABELS = {  # of the values that endpoints return
    "waveform": "Waveform",
    "spectrogram": "Spectrogram",
    "windows": "Predictions per window",
    "answer": "Answer",
    "compare": "Comparison",
    "explanation": "Explanation",
}


def lane(kind: str, value: dict[str, Any] | None = None, **settings: Any) -> gr.HTML:
    """A lane; `kind` is a key of LABELS, the value a dictionary or None.

    A function and no subclass of `gr.HTML`: Gradio writes a stub file beside every subclass.
    """
    component: Any = gr.HTML(
        value=value,
        label=LABELS[kind],
        html_template='<div class="ac"></div>',
        js_on_load=(
            "window.audioclf.then((scripts) =>"
            f" scripts.startLane('{kind}', element, props, watch));"
        ),
        apply_default_css=False,
        **settings,
    )
    # What the API's description says: a JSON object, and no string.
    component.api_info = lambda: {"type": "object"}
    return component


def timeline(**settings: Any) -> gr.HTML:
    """The scroll bar under the lanes and the tools of the selected segment.

    Its events `look_closer`, `predict_alone`, `label_segment` and `explain` carry from_s and to_s;
    its value is what the lanes draw a closer look from.
    """
    component: Any = gr.HTML(
        value=None,
        html_template='<div class="ac"></div>',
        js_on_load=(
            "const events = ['look_closer', 'predict_alone', 'label_segment', 'explain'];"
            "window.audioclf.then((scripts) =>"
            " scripts.startTimeline(element, props, watch, trigger, events));"
        ),
        apply_default_css=False,
        **settings,
    )
    component.api_info = lambda: {"type": "object"}
    return component


def join_playback(player: gr.Audio) -> None:
    """One sound plays at a time on the page, and the lanes' playhead follows this player, too."""
    for name in ("play", "pause", "stop"):
        script = f"scripts.gradioPlayer('{player.elem_id}', '{name}')"
        event: Any = getattr(player, name)
        event(None, js=f"() => {{ window.audioclf.then((scripts) => {script}); }}", **QUIET)


def waveform_lane(sound: Sound, segments: Iterable[Any] = ()) -> dict[str, Any]:
    """What the waveform lane draws: peaks scaled to the loudest, which names the axis."""
    drawn = outline(sound.blocks(), sound.n_samples, sound.duration_s)
    return {**drawn, "stretches": [[float(s), float(e)] for s, e in segments]}


def outline(
    blocks: Iterable[Samples], n_samples: int, duration_s: float, n_columns: int = 1_200
) -> dict[str, Any]:
    """A waveform as a lane draws it: lowest and highest sample per column."""
    peaks = figures.envelope(blocks, n_samples, n_columns)
    loudest = float(np.abs(peaks).max(initial=0.0)) or 1.0
    return {
        "title": "Waveform (amplitude)",
        "duration_s": duration_s,
        "peaks": scaled_peaks(peaks, loudest),
        "loudest": loudest,
        "ticks": [
            {"at": 0.06, "label": f"−{loudest:.2g}"},
            {"at": 0.5, "label": "0"},
            {"at": 0.94, "label": f"{loudest:.2g}"},
        ],
    }


def scaled_peaks(peaks: NDArray[np.floating], loudest: float) -> list[list[int]]:
    """Lowest and highest sample per column, (columns, 2), as whole numbers up to 127."""
    scaled: list[list[int]] = (
        np.clip(np.round(peaks / loudest * 127), -127, 127).astype(int).tolist()
    )
    return scaled


def spectrogram_lane(drawn: Sequence[Picture]) -> dict[str, Any]:
    """What the spectrogram lane draws: one picture per channel."""
    return {
        "duration_s": drawn[0].duration_s,
        "references_db": [picture.loudest_db for picture in drawn],
        "pictures": [
            {
                "title": _title(picture, alone=len(drawn) == 1),
                "image": figures.png_url(picture),
                "ticks": [
                    {"at": at, "label": label}
                    for at, label in picture.ticks(6 if len(drawn) == 1 else 4)
                ],
            }
            for picture in drawn
        ],
    }


def _title(picture: Picture, *, alone: bool) -> str:
    """The axis and what the colours stand for."""
    name = picture.axis_name if alone else f"{picture.title}: {picture.axis_name}"
    if picture.channel.unit in ("dB", "Np"):
        return f"{name}; colours from the loudest down to −{-picture.low:.0f} dB"
    if picture.channel.unit == "rad":
        return f"{name}; colours are the phase from −π to π rad"
    if picture.channel.unit == "mixed":
        return f"{name}; colours from −3 to 3 deviations from a row's mean"
    low, high = f"{picture.low:.2g}".replace("-", "−"), f"{picture.high:.2g}"
    return f"{name}; colours from {low} to {high}"
