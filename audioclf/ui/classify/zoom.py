"""A closer look at a part of a sound, and what can be done with a selected segment."""

import math
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.annotation import add_files, project
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import excerpt
from audioclf.inference.predict import predict
from audioclf.inference.unfamiliar import unfamiliar
from audioclf.jobs.queue import new_id
from audioclf.ui.classify.spectrogram import Settings
from audioclf.ui.page import session as sessions
from audioclf.ui.page.lanes import scaled_peaks
from audioclf.ui.page.limits import limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import (
    LABEL,
    PREDICT,
    QUEUED,
    Shared,
    find_model,
    show_errors,
)
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import View, pictures

SELECTIONS = "selections"  # the data set of segments, where none is open that takes files
N_COLUMNS = 2_400  # of a page's waveform: it is twice as wide as what is seen


@show_errors(lambda sentence: None)
def show_page(sound: str | None, event: gr.EventData, *settings: Any) -> dict[str, Any] | None:
    """A part of a sound as the lanes draw it: peaks, and one picture per channel."""
    if sound is None:
        return None
    request = vars(event)["_data"]
    from_s, to_s = _times(request)
    samples, rate_hz = excerpt.samples_of(Path(sound), from_s, to_s, limits().sound)
    feature, low_hz, high_hz, range_db, colour_map = settings
    view = View(feature, low_hz or 0.0, high_hz or 0.0, range_db, colour_map)
    references_db = [float(reference) for reference in request.get("references_db") or []]
    duration_s = len(samples) / rate_hz
    drawn = pictures([samples], rate_hz, duration_s, view, references_db)
    peaks = figures.envelope([samples], len(samples), N_COLUMNS)
    return {
        "from_s": from_s,
        "to_s": from_s + duration_s,
        "peaks": scaled_peaks(peaks, float(request.get("loudest") or 1.0)),
        "images": [figures.png_url(picture) for picture in drawn],
    }


@show_errors(lambda sentence: sentence)
def predict_segment(
    sound: str | None, model: str | None, preprocessing: str, event: gr.EventData
) -> str:
    """The prediction of a segment of a sound alone, in words."""
    if sound is None:
        return ""
    from_s, to_s = _times(vars(event)["_data"])
    samples, rate_hz = excerpt.samples_of(Path(sound), from_s, to_s, limits().sound)
    classifier = find_model(model)
    prediction = predict(samples, rate_hz, classifier, preprocessing)
    judgement = None if prediction.is_silent else unfamiliar(samples, rate_hz, classifier)
    is_unlike = judgement is not None and judgement.is_unfamiliar
    summary = judgement.summary() if judgement and is_unlike else prediction.summary()
    best = [f"{name.replace('_', ' ')} {100 * p:.0f} %" for name, p in prediction.ranking()[:3]]
    return f"{from_s:.2f} to {to_s:.2f} s alone: {summary} ({', '.join(best)})."


@show_errors(lambda sentence: (gr.skip(), gr.skip(), sentence))
def label_segment(sound: str | None, session: Any, event: gr.EventData) -> tuple[Any, Any, str]:
    """Add a segment of a sound to the data set that is labelled, and open the tab Label."""
    if sound is None:
        return gr.skip(), gr.skip(), ""
    from_s, to_s = _times(vars(event)["_data"])
    stored, target = sessions.parse_session(session), _data_set(session)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, f"{Path(sound).stem[:60]} {from_s:.2f}-{to_s:.2f} s.flac")
        excerpt.cut(Path(sound), clip, from_s, to_s)
        add_files.add_files(target, [clip], limits().labelling)
    stored["projects"] = [*dict.fromkeys([*stored["projects"], target.id])]
    return {**stored, "project": target.id}, gr.Tabs(selected=LABEL), ""


def _data_set(session: Any) -> AnnotationProject:
    """The data set that is labelled if it takes files; else one for segments like this."""
    mine = sessions.sets_of(session)
    chosen = sessions.parse_session(session)["project"]
    fitting = [one for one in mine if not one.is_external()]
    found = next((one for one in fitting if one.id == chosen), None)
    found = found or next((one for one in fitting if one.read_name() == SELECTIONS), None)
    return found or project.create(SELECTIONS, project_id="" if is_local() else new_id())


def _times(request: Any) -> tuple[float, float]:
    """From when to when. Raises ValueError."""
    times = [float(request.get(name) or 0.0) for name in ("from_s", "to_s")]
    if not all(map(math.isfinite, times)) or not 0 <= times[0] < times[1]:
        raise ValueError("Nothing is selected: drag over the waveform, or choose a window.")
    return times[0], times[1]


def wire(shared: Shared, bar: gr.HTML, settings: Settings, message: gr.Markdown) -> None:
    """What the events of the bar under the lanes do."""
    events: Any = bar
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    events.look_closer(
        show_page, [shared.sound, *settings], bar, trigger_mode="always_last",
        concurrency_id="pages", concurrency_limit=2, **hidden,
    )  # fmt: skip
    events.predict_alone(
        predict_segment, [shared.sound, shared.model, shared.preprocessing], message,
        **PREDICT, **hidden,
    )  # fmt: skip
    events.label_segment(
        label_segment, [shared.sound, shared.session], [shared.session, shared.tabs, message],
        **hidden,
    )  # fmt: skip
    shared.sound.change(lambda: "", None, message, **QUEUED)
