"""The Compare view: the predictions of several models for one clip, on one time axis."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import gradio as gr

from audioclf.inference.prediction import UNSURE_BELOW, Prediction, normalize_class_name
from audioclf.models import checkpoint, ranking
from audioclf.text import listed
from audioclf.ui.classify.agreement import agreement, mean_over_shared_classes
from audioclf.ui.page.lanes import lane
from audioclf.ui.page.latest import Requests
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import model_choices
from audioclf.ui.page.state import (
    COMPARE,
    QUIET,
    Shared,
    Sound,
    find_model,
    predict_sound,
    readable,
    show_errors,
    skip_preprocess,
)
from audioclf.ui.plotting import figures

N_BEST = 3
MAX_MODELS, MAX_HOSTED = 50, 8  # models at a time; an ensemble counts as its members
MAX_HOSTED_S = 1_800.0  # seconds of audio times models
MAX_NAME_LETTERS = 200  # of a model's name
EMPTY = {"sentence": "Upload or record audio: all models that are chosen here classify it."}
OPENED = {"sentence": "All models that are chosen here classify the same audio."}
NO_MODEL = {"sentence": "No model is chosen: choose the ones to compare."}

Answer = Prediction | str | None  # a prediction, an error, or not yet known


def compare_models(
    sound: str | None,
    models: list[str] | None,
    preprocessing: str,
    request: gr.Request | None = None,
) -> Iterator[dict[str, Any]]:
    """The predictions of several models for the same clip: a row for each, and their agreement.

    sound: an audio file. models: names of checkpoints. preprocessing: as_is, denoised or
    silence_removed. A row holds the clip's answer in words, its class, the runner-up, and
    start_s, end_s, class and probability of every window; or `error`, a sentence. `together` is the
    mean of the models' clip probabilities over the classes that all of them have, without ensembles
    whose members are compared too.
    """
    audio = open_sound(sound, models)
    if isinstance(audio, dict):
        yield audio
        return
    answers: dict[str, Answer] = dict.fromkeys(models or [])
    version = _requests.of(request)
    yield comparison_json(audio, answers)
    for name in answers:
        if _requests.of(request) > version:
            return  # the same visitor wants another comparison
        answers[name] = predict_or_explain(audio, name, preprocessing)
        yield comparison_json(audio, answers)


@show_errors(lambda sentence: {"error": sentence})
def open_sound(sound: str | None, models: list[str] | None) -> Sound | dict[str, Any]:
    """The audio file, or what is shown where there is nothing to compare."""
    if sound is None:
        return EMPTY
    if not models:
        return NO_MODEL
    if not isinstance(models, list) or not all(map(_is_name, models)):
        raise ValueError("Models are chosen by their names: choose them from the list.")
    if len(models) > MAX_MODELS:
        raise ValueError(f"At most {MAX_MODELS} models are compared at a time: choose fewer.")
    audio = Sound(sound)
    if not is_local():
        _check_cost(audio, models)
    if audio.is_short:
        audio.samples()  # damage is reported once, and not in every row
    return audio


def _is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME_LETTERS and readable(name) == name


def _check_cost(sound: Sound, models: list[str]) -> None:
    """Raise ValueError where others would wait too long for this comparison."""
    n_asked = count_models(models)
    if n_asked > MAX_HOSTED:
        raise ValueError(
            f"These are {n_asked} models, with the members of ensembles, and at most "
            f"{MAX_HOSTED} are compared at a time here: choose fewer."
        )
    if n_asked * sound.duration_s > MAX_HOSTED_S:
        n_possible = int(MAX_HOSTED_S / sound.duration_s)
        raise ValueError(
            f"This audio lasts {sound.duration_s:.0f} s, and at most {n_possible} models can"
            " classify that length here, with the members of ensembles: choose fewer, or a"
            " shorter file."
        )


def count_models(models: list[str]) -> int:
    """How many models are needed: a member of several ensembles counts once."""
    names: set[str] = set()
    for name in models:
        try:
            names |= {member.name for member in find_model(name).load_members()}
        except ValueError:
            names.add(name)
    return len(names)


_requests = Requests()


def cancel_comparison(request: gr.Request) -> None:
    """End the comparison of this visitor after the current model."""
    _requests.count(request)


@show_errors(lambda sentence: sentence)
def predict_or_explain(sound: Sound, model: str, preprocessing: str) -> Prediction:
    """One model's prediction; a sentence where there is none."""
    return predict_sound(sound, find_model(model), preprocessing)


def comparison_json(sound: Sound, answers: dict[str, Answer]) -> dict[str, Any]:
    """What the lane draws: the rows that are known, and a sentence on their agreement."""
    predictions = [answer for answer in answers.values() if isinstance(answer, Prediction)]
    if predictions and predictions[0].is_silent:
        return {"sentence": f"{predictions[0].summary()}."}
    colours = _colours(predictions)
    shown = {
        "duration_s": sound.duration_s,
        "rows": [_row(name, answer, colours) for name, answer in answers.items()],
        "colours": colours,
    }
    n_waiting = sum(answer is None for answer in answers.values())
    if n_waiting:
        return {**shown, "sentence": f"Predicting: {len(answers) - n_waiting} of {len(answers)}…"}
    failed = [name for name, answer in answers.items() if isinstance(answer, str)]
    missing = f"{listed(failed)} could not predict." if failed else ""
    if not predictions:
        return {**shown, "sentence": missing}
    text = f"{agreement(predictions)} {missing}".strip()
    return {**shown, "sentence": text, "together": _ensemble_mean(predictions, colours)}


def _colours(predictions: Sequence[Prediction]) -> dict[str, str]:
    """One colour per class name, over all models."""
    return figures.class_colours(
        list(dict.fromkeys(name for p in predictions for name in p.classes))
    )


def _row(model: str, answer: Answer, colours: dict[str, str]) -> dict[str, Any]:
    if answer is None:
        return {"model": model}
    if isinstance(answer, str):
        return {"model": model, "error": answer}
    best, second = answer.ranking()[:2]
    tops = answer.probabilities.argmax(axis=1)
    return {
        "model": model,
        "answer": answer.summary(),
        "colour": colours[best[0]],
        "is_sure": best[1] >= UNSURE_BELOW,
        "best": {"class": best[0], "probability": round(best[1], 6)},
        "second": {"class": second[0], "probability": round(second[1], 6)},
        "windows": [
            [round(float(start_s), 4), round(float(end_s), 4), answer.classes[top], round(p, 4)]
            for start_s, end_s, top, p in zip(
                answer.starts_s,
                answer.ends_s,
                tops,
                answer.probabilities.max(axis=1).tolist(),
                strict=True,
            )
        ],
    }


def _members(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The predictions to average: no ensemble whose members are compared too."""
    names = {prediction.checkpoint for prediction in predictions}
    members = {
        model.name: {member.name for member in model.load_members()}
        for model in checkpoint.find_all()
        if model.is_ensemble
    }
    return [p for p in predictions if not names & members.get(p.checkpoint, set())]


def _ensemble_mean(
    predictions: Sequence[Prediction], colours: dict[str, str]
) -> dict[str, Any] | None:
    predictions = _members(predictions)
    if len(predictions) < 2:
        return None
    mean = mean_over_shared_classes(predictions)
    if mean is None:
        return {"note": "These models share no two classes, so there is no ensemble mean."}
    is_same = all(
        {*map(normalize_class_name, p.classes)} == {*map(normalize_class_name, mean.classes)}
        for p in predictions
    )
    classes = f"all {len(mean.classes)}" if is_same else f"the {len(mean.classes)}"
    return {
        "answer": mean.summary(),
        "note": f"the mean of these {len(predictions)} models' probabilities over {classes} classes"
        + ("" if is_same else " that all of them have"),
        "ranking": [
            {"class": name, "probability": round(p, 6), "colour": colours[name]}
            for name, p in mean.ranking()[:3]
        ],
    }


def update_choices(selected: list[str] | None, session: Any = None) -> Any:
    """The list with every checkpoint that is there now; keeps the selection."""
    choices = model_choices(session=session)
    names = {name for _, name in choices}
    still_there = [name for name in selected if name in names] if isinstance(selected, list) else []
    changed: dict[str, Any] = {} if still_there == selected else {"value": still_there}
    return gr.update(choices=choices, **changed)


def first_choice() -> list[str]:
    """The best models of those that are available now."""
    best = (model.name for model in ranking.best_first() if model.unavailable_reason() is None)
    return list(islice(best, N_BEST))


def show_first_choice(session: Any = None) -> Any:
    """The list as a new visitor finds it."""
    return gr.update(choices=model_choices(session=session), value=first_choice())


def build(app: gr.Blocks, shared: Shared, wanted: gr.State, tab: gr.Tab) -> None:
    """The choice of models and their rows, then the wiring; computed when `wanted` changes."""
    models = skip_preprocess(
        gr.Dropdown(
            model_choices(),
            multiselect=True,
            label="Models",
            elem_id="compared-networks",
        )
    )
    rows = lane("compare", OPENED, elem_id="compare")

    app.load(show_first_choice, shared.session, models, **QUIET)
    gr.on(
        [tab.select, shared.classify.select],
        update_choices,
        [models, shared.session],
        models,
        api_visibility="private",
        show_progress="hidden",
    )
    # First and outside the queue: the comparison that is under way ends for the new one.
    gr.on(
        [wanted.change, models.input],
        cancel_comparison,
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    ).then(
        compare_models,
        [shared.sound, models, shared.preprocessing],
        rows,
        trigger_mode="always_last",
        show_progress="hidden",
        **COMPARE,
    )
