"""The answer of a model to a sound: what happened when, in words, and window by window."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from audioclf.inference.detection import SEGMENTS
from audioclf.inference.events import EventSettings, SoundEvents, find_events
from audioclf.inference.prediction import Prediction, display_name
from audioclf.inference.unfamiliar import Judgement
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.classify.event_list import (
    event_colours,
    events_json,
    headline,
    quiet_windows,
    unfamiliar_windows,
)
from audioclf.ui.classify.heatmap import heat_lane, is_many
from audioclf.ui.classify.judgements import judge_sound
from audioclf.ui.page.latest import Requests, SupersededError, current_request
from audioclf.ui.page.state import (
    Sound,
    find_model,
    levels_of,
    predict_as_it_comes,
    predict_sound,
    show_errors,
)
from audioclf.ui.plotting import figures

ALL_COLOURED = 12  # up to so many classes, every one has its colour; of more, those that win most
N_KNOWN = 12  # classes that are named beside the answer
WELCOME = "Upload or record a sound, or choose an example: it is classified at once."
EMPTY = {"sentence": WELCOME, "welcome": True}
PREDICTING = "() => [{sentence: 'Predicting…'}, null]"  # at once: no old answer above new audio

WARNINGS = {  # of preprocessing that models were not trained with
    "denoised": "Denoised: on recordings with little noise most models are right less often, and "
    "no less sure. Compare with None before you believe this answer."
}

requests = Requests()


@dataclass(frozen=True)
class Answered:
    """What the exports are made of: windows, events, and what counted as one."""

    prediction: Prediction
    events: SoundEvents
    settings: EventSettings


Answer = tuple[dict[str, Any], dict[str, Any] | None, Answered | None]


@show_errors(lambda sentence: ({"error": sentence}, None, None))
def predict_clip(sound: str | None, model: str | None, preprocessing: str) -> Answer:
    """The predictions of a model for a clip: its events, as a whole, and window by window.

    sound: an audio file. model: the name of a checkpoint. preprocessing: as_is, denoised or
    silence_removed. Returns the answer (a sentence, `events` and the ranking, or `error`, a
    sentence), and the prediction: classes, the clip's probabilities, and start_s, end_s and
    probabilities of every window; of many classes, the rows that matter and the best of every
    window.
    """
    if sound is None:
        return EMPTY, None, None
    audio = _open(sound)
    if isinstance(audio, dict):
        return audio, None, None
    classifier = find_model(model)
    prediction = predict_sound(audio, classifier, preprocessing)
    judgement = judge_sound(audio, classifier)
    shown = Shown(audio, classifier, EventSettings(), prediction, preprocessing, judgement)
    return shown.with_events(predict_sound(audio, classifier, preprocessing, SEGMENTS))


@show_errors(lambda sentence: {"error": sentence, "is_unreadable": True})
def _open(sound: str) -> Any:
    """The sound, or why it is none: then the page shows nothing but that."""
    audio = Sound(sound)
    return audio if audio.n_samples else {"error": "There is no sound here."}


@dataclass(frozen=True)
class Shown:
    """What an answer is made of: a model's windows of a sound, and what counts as an event."""

    audio: Sound
    model: Checkpoint
    settings: EventSettings
    prediction: Prediction
    preprocessing: str = "as_is"
    judgement: Judgement | None = None  # whether it is unlike the training clips, once known

    def with_events(self, closer: Prediction | None = None) -> Answer:
        """The answer, the lane of windows, and the prediction with its events.

        closer: windows close to each other, where they are known: events then begin and end where
        they do, and not where a window does. Silence has no windows.
        """
        prediction = self.prediction
        if prediction.is_silent:
            return {"sentence": f"{prediction.summary()}."}, None, None
        levels = levels_of(self.audio)
        sound_events = find_events(closer or prediction, levels, self.settings)
        judgement = self.judgement
        sound_events = sound_events.with_unknown(judgement.unknown if judgement else ())
        many = is_many(prediction)
        colours = event_colours(sound_events, prediction, many=many)
        shown = {
            **answer(prediction),
            "sentence": headline(sound_events, prediction, judgement),
            "is_unfamiliar": judgement is not None and judgement.is_unfamiliar,
            "events": events_json(sound_events, colours, is_refined=closer is not None),
            "knows": known_classes(self.model),
            "warning": WARNINGS.get(self.preprocessing),
        }
        lane = windows_lane(prediction, Path(self.audio.path).name, self.audio.duration_s)
        lane["quiet"] = quiet_windows(lane["windows"], levels)
        lane["unfamiliar"] = unfamiliar_windows(lane["windows"], sound_events.unknown)
        return shown, lane, Answered(prediction, sound_events, self.settings)


def answer(prediction: Prediction) -> dict[str, Any]:
    """The clip's answer in words, and the ranking with its colours."""
    many = is_many(prediction)
    colours = {} if many else figures.class_colours(prediction.classes)
    ranking = [
        {"class": name, "probability": round(p, 6), "colour": colours.get(name)}
        for name, p in prediction.ranking()
    ]
    return {"sentence": prediction.summary(), "ranking": ranking, "many": many}


def known_classes(model: Checkpoint) -> str:
    """What the model can answer at all, such as “10 classes: baby cry, chainsaw, …”."""
    names = [display_name(name).lower() for name in model.classes]
    rest = f", and {len(names) - N_KNOWN} more" if len(names) > N_KNOWN else ""
    return f"Knows {len(names):,} classes: {', '.join(names[:N_KNOWN])}{rest}."


def windows_lane(prediction: Prediction, file: str, duration_s: float) -> dict[str, Any]:
    """The prediction as the command line prints it, with what its drawing needs.

    Of many classes, those that matter: see `heat_lane`.
    """
    if is_many(prediction):
        return heat_lane(prediction, file, duration_s)
    colours = figures.class_colours(prediction.classes)
    wins = np.bincount(prediction.probabilities.argmax(axis=1), minlength=len(colours))
    top = np.argsort(-(wins + prediction.clip), kind="stable")[:ALL_COLOURED].tolist()
    return {
        **prediction.to_dict(file),
        "title": "Predictions per window",
        "duration_s": duration_s,
        "colours": [colours[name] for name in prediction.classes],
        "top": top,
    }


def supersede(request: gr.Request) -> None:
    """The prediction that is under way is not waited for any more."""
    requests.count(request)


def watch_prediction(
    sound: str | None,
    model: str | None,
    preprocessing: str,
    threshold: float,
    min_length_s: float,
) -> Iterator[tuple[Any, Any, Any]]:
    """The answer as `predict_clip` gives it; of a long sound, as its windows come.

    threshold: the probability with which an event begins. min_length_s: shorter ones are dropped.
    It ends where the visitor wants another one.
    """
    answers = _answers(sound, model, preprocessing, (threshold, min_length_s))
    with contextlib.suppress(SupersededError):
        yield from requests.while_wanted(current_request(), _explained(answers))


def _explained(answers: Iterator[Any]) -> Iterator[Any]:
    """Answers; an error on the way is the last one."""
    following: Any = show_errors(lambda sentence: ({"error": sentence}, None, None))(next)
    while (answer := following(answers, None)) is not None:
        yield answer


def _answers(
    sound: str | None, model: str | None, preprocessing: str, events: tuple[float, float]
) -> Iterator[Any]:
    if sound is None:
        yield EMPTY, None, None
        return
    audio = _open(sound)
    if isinstance(audio, dict):
        yield audio, None, None
        return
    classifier = find_model(model)
    settings = EventSettings(threshold=events[0], min_length_s=events[1])
    end_if_unwanted = requests.ender(current_request())
    judgement = judge_sound(audio, classifier) if audio.is_short else None
    for prediction, is_whole in predict_as_it_comes(audio, classifier, preprocessing):
        shown = Shown(audio, classifier, settings, prediction, preprocessing, judgement)
        yield shown.with_events() if is_whole else _in_part(*shown.with_events(), audio)
    if prediction.is_silent:
        return
    if not audio.is_short:
        shown = replace(shown, judgement=judge_sound(audio, classifier, end_if_unwanted))
        yield shown.with_events()
    for closer, is_whole in predict_as_it_comes(audio, classifier, preprocessing, SEGMENTS):
        yield shown.with_events(closer) if is_whole else (gr.skip(), gr.skip(), gr.skip())


def _in_part(answer: dict[str, Any], lane: Any, answered: Answered | None, audio: Sound) -> Any:
    """What is shown of the beginning of a long sound, while the rest is being predicted."""
    if answered is None:
        return {"sentence": "Predicting…"}, None, None
    until_s = float(answered.prediction.ends_s[-1])
    progress = f"Predicting: the first {until_s:.0f} of {audio.duration_s:.0f} s…"
    return {**answer, "progress": progress}, lane, None
