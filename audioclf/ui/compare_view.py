"""The Compare view: the same sound through several networks, on one time axis."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from audioclf import checkpoint, known, plots
from audioclf.prediction import UNSURE_BELOW, Prediction, key
from audioclf.ui.agreement import agreement, listed, together
from audioclf.ui.lanes import lane
from audioclf.ui.network_lists import network_choices
from audioclf.ui.shared import Shared, Sound, guarded, hear, network_named, unchecked

N_BEST = 3
MOST = 50  # networks at a time
EMPTY = {"sentence": "Upload or record a sound: all networks that are chosen here hear it."}
OPENED = {"sentence": "All networks that are chosen here hear the same sound."}
NO_NETWORK = {"sentence": "No network is chosen: choose the ones to compare."}

Answer = Prediction | str | None  # what a network hears, why it cannot be asked, or not yet known


def compare_networks(
    sound: str | None, networks: list[str] | None, cleaning: str
) -> Iterator[dict[str, Any]]:
    """What several networks hear in the same sound: a row for each, and how far they agree.

    sound: a sound file. networks: names of checkpoints. cleaning: as_is, denoised or
    silence_removed. A row holds the clip's answer in words, its class, the runner-up, and
    start_s, end_s, class and probability of every window; or `error`, a sentence. `together` is the
    mean of the networks' clip probabilities over the classes that all of them know; an ensemble
    beside one of its members is left out of it.
    """
    opened = open_sound(sound, networks)
    if isinstance(opened, dict):
        yield opened
        return
    answers: dict[str, Answer] = dict.fromkeys(networks or [])
    yield compared(opened, answers)
    for name in answers:
        answers[name] = ask(opened, name, cleaning)
        yield compared(opened, answers)


@guarded(lambda sentence: {"error": sentence})
def open_sound(sound: str | None, networks: list[str] | None) -> Sound | dict[str, Any]:
    """The sound, or what is shown where there is nothing to compare."""
    if sound is None:
        return EMPTY
    if not networks:
        return NO_NETWORK
    if not isinstance(networks, list) or not all(isinstance(name, str) for name in networks):
        raise ValueError("Networks are chosen by their names: choose them from the list.")
    if len(networks) > MOST:
        raise ValueError(f"At most {MOST} networks are compared at a time: choose fewer.")
    opened = Sound(sound)
    if opened.is_short:
        opened.samples()  # damage is told once, and not in every row
    return opened


@guarded(lambda sentence: sentence)
def ask(sound: Sound, network: str, cleaning: str) -> Prediction:
    """One network's answer; a sentence where there is none."""
    return hear(sound, network_named(network), cleaning)


def compared(sound: Sound, answers: dict[str, Answer]) -> dict[str, Any]:
    """What the lane draws: the rows that are known, and in words how far they agree."""
    heard = [answer for answer in answers.values() if isinstance(answer, Prediction)]
    if heard and heard[0].is_silent:
        return {"sentence": f"{heard[0].sentence()}."}
    colours = _colours(heard)
    shown = {
        "duration_s": sound.duration_s,
        "rows": [_row(name, answer, colours) for name, answer in answers.items()],
        "colours": colours,
    }
    n_waiting = sum(answer is None for answer in answers.values())
    if n_waiting:
        return {**shown, "sentence": f"Listening: {len(answers) - n_waiting} of {len(answers)}…"}
    failed = [name for name, answer in answers.items() if isinstance(answer, str)]
    missing = f"{listed(failed)} could not be asked." if failed else ""
    if not heard:
        return {**shown, "sentence": missing}
    words = f"{agreement(heard)} {missing}".strip()
    return {**shown, "sentence": words, "together": _together(heard, colours)}


def _colours(heard: Sequence[Prediction]) -> dict[str, str]:
    """One colour per class name, over all networks."""
    return plots.class_colours(list(dict.fromkeys(name for p in heard for name in p.classes)))


def _row(network: str, answer: Answer, colours: dict[str, str]) -> dict[str, Any]:
    if answer is None:
        return {"network": network}
    if isinstance(answer, str):
        return {"network": network, "error": answer}
    best, second = answer.ranking()[:2]
    tops = answer.probabilities.argmax(axis=1)
    return {
        "network": network,
        "answer": answer.sentence(),
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


def _voices(heard: Sequence[Prediction]) -> list[Prediction]:
    """Those that vote: an ensemble has no voice of its own beside one of its members."""
    names = {prediction.checkpoint for prediction in heard}
    members = {
        network.name: {member.name for member in network.members}
        for network in checkpoint.find_all()
        if network.is_ensemble
    }
    return [one for one in heard if not names & members.get(one.checkpoint, set())]


def _together(heard: Sequence[Prediction], colours: dict[str, str]) -> dict[str, Any] | None:
    heard = _voices(heard)
    if len(heard) < 2:
        return None
    mean = together(heard)
    if mean is None:
        return {"note": "These networks share no two classes, so there is no common answer."}
    same = all({*map(key, p.classes)} == {*map(key, mean.classes)} for p in heard)
    classes = f"all {len(mean.classes)}" if same else f"the {len(mean.classes)}"
    return {
        "answer": mean.sentence(),
        "note": f"the mean of these {len(heard)} networks' probabilities over {classes} classes"
        + ("" if same else " that all of them know"),
        "ranking": [
            {"class": name, "probability": round(p, 6), "colour": colours[name]}
            for name, p in mean.ranking()[:3]
        ],
    }


def offer_networks(chosen: list[str] | None, mine: Any = None) -> Any:
    """The list with every checkpoint that is there now; keeps what is chosen and still there."""
    choices = network_choices(mine=mine)
    names = {name for _, name in choices}
    kept = [name for name in chosen or [] if name in names]
    changed: dict[str, Any] = {} if kept == chosen else {"value": kept}
    return gr.update(choices=choices, **changed)


def first_choice() -> list[str]:
    """The best networks and every ensemble, of those that can be used."""
    best = [network for network in known.best_first() if network.trouble is None]
    return [n.name for place, n in enumerate(best) if place < N_BEST or n.is_ensemble]


def build(shared: Shared, wanted: gr.State, tab: gr.Tab) -> None:
    """The choice of networks and their rows, then the wiring; made when `wanted` changes."""
    networks = unchecked(
        gr.Dropdown(
            network_choices(),
            value=first_choice(),
            multiselect=True,
            label="Networks",
            elem_id="compared-networks",
        )
    )
    rows = lane("compare", OPENED, elem_id="compare")

    gr.on(
        [tab.select, shared.classify.select],
        offer_networks,
        [networks, shared.mine],
        networks,
        api_visibility="private",
        show_progress="hidden",
    )
    gr.on(
        [wanted.change, networks.input],
        compare_networks,
        [shared.sound, networks, shared.cleaning],
        rows,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_id="cpu",
    )
