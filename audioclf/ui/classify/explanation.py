"""Explain: what the answer for a window or an event rests on, drawn over the spectrogram."""

import math
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from audioclf.audio import excerpt
from audioclf.inference.explain import Explanation, explain
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.page.latest import Requests, current_request, skip_superseded
from audioclf.ui.page.limits import limits
from audioclf.ui.page.state import QUIET, VIEWS, Shared, Sound, find_model, show_errors

requests = Requests()
OWN_BANDS = "Bands are equal parts of the model's own input ({feature}), low ones below."


@skip_superseded(1)
@show_errors(lambda sentence: {"error": sentence})
def explain_segment(
    sound: str | None, model: str | None, event: gr.EventData
) -> dict[str, Any] | None:
    """Why a model gives its class to the window around the middle of a segment.

    The event carries from_s, to_s and a class, or none for the most probable one.
    """
    if sound is None:
        return None
    end_if_unwanted = requests.ender(current_request())
    detail = vars(event)["_data"]
    audio, classifier = Sound(sound), find_model(model)
    from_s, to_s = window_around(
        float(detail.get("from_s") or 0.0),
        float(detail.get("to_s") or 0.0),
        classifier.load_members()[0].frontend.window_s,
        audio.duration_s,
    )
    samples, rate_hz = excerpt.samples_of(Path(sound), from_s, to_s, limits().sound)
    end_if_unwanted(None)
    found = explain(samples, rate_hz, classifier, detail.get("label") or None)
    end_if_unwanted(None)
    return explanation_json(found, classifier, from_s, len(samples) / rate_hz)


def window_around(
    from_s: float, to_s: float, window_s: float, duration_s: float
) -> tuple[float, float]:
    """A window's length around the middle of a segment, within the sound. Raises ValueError."""
    if not all(map(math.isfinite, (from_s, to_s))) or not 0 <= from_s < to_s:
        raise ValueError("Nothing is chosen to explain: choose an event or a window.")
    start_s = max(0.0, min((from_s + to_s - window_s) / 2, duration_s - window_s))
    return start_s, min(duration_s, start_s + window_s)


def explanation_json(
    found: Explanation, model: Checkpoint, from_s: float, length_s: float
) -> dict[str, Any]:
    """What the lane draws: times by bands, as shares of the strongest, and what is left open.

    A sound that is shorter than a window was repeated: its first time is shown.
    """
    share = min(1.0, length_s / model.load_members()[0].frontend.window_s)
    falls = found.importance[: max(1, math.ceil(share * len(found.importance)))]
    strongest = float(np.abs(falls).max(initial=0.0))
    attention = found.attention
    if attention is not None:
        attention = attention[: max(1, math.ceil(share * len(attention)))]
        attention = attention / max(float(attention.max()), 1e-9)
    frontend = model.frontend
    notes = [*found.notes]
    if not frontend.definition.is_waveform:
        notes.insert(0, OWN_BANDS.format(feature=frontend.definition.label))
    return {
        "label": found.label,
        "probability": round(found.probability, 4),
        "from_s": from_s,
        "to_s": from_s + length_s,
        "importance": (falls / (strongest or 1.0)).round(3).tolist(),
        "strongest": round(strongest, 3),
        "attention": None if attention is None else attention.round(3).tolist(),
        "notes": notes,
    }


def supersede(request: gr.Request) -> None:
    """The explanation of another sound or model is gone; one under way is not waited for."""
    requests.count(request)


def wire(shared: Shared, bar: gr.HTML, shown: gr.HTML) -> None:
    """The bar's event fills the lane; another sound or model empties it."""
    events: Any = bar
    events.explain(
        explain_segment,
        [shared.sound, shared.model],
        shown,
        trigger_mode="always_last",
        api_visibility="private",
        show_progress="hidden",
        **VIEWS,
    )
    changes = [shared.sound.change, shared.model.change]
    gr.on(changes, supersede, None, None, **QUIET)
    gr.on(changes, None, None, shown, js="() => null", **QUIET)
