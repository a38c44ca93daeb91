"""The Compare view: the same sound through several networks, on one time axis."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from audioclf.inference.prediction import UNSURE_BELOW, Prediction, key
from audioclf.models import checkpoint, ranking
from audioclf.text import listed
from audioclf.ui.classify.agreement import agreement, together
from audioclf.ui.page.lanes import lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import network_choices
from audioclf.ui.page.state import (
    COMPARE,
    Shared,
    Sound,
    guarded,
    hear,
    network_named,
    readable,
    unchecked,
)
from audioclf.ui.plotting import figures

N_BEST = 3
MOST, MOST_HOSTED = 50, 8  # networks at a time; an ensemble counts as its members
MOST_HOSTED_S = 1_800.0  # seconds of sound times networks
MOST_LETTERS = 200  # of a network's name
MOST_SESSIONS = 2_000  # whose last question is remembered
EMPTY = {"sentence": "Upload or record a sound: all networks that are chosen here hear it."}
OPENED = {"sentence": "All networks that are chosen here hear the same sound."}
NO_NETWORK = {"sentence": "No network is chosen: choose the ones to compare."}

Answer = Prediction | str | None  # what a network hears, why it cannot be asked, or not yet known


def compare_networks(
    sound: str | None,
    networks: list[str] | None,
    cleaning: str,
    request: gr.Request | None = None,
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
    asked = _questions.of(request)
    yield compared(opened, answers)
    for name in answers:
        if _questions.of(request) > asked:
            return  # the same visitor wants another comparison
        answers[name] = ask(opened, name, cleaning)
        yield compared(opened, answers)


@guarded(lambda sentence: {"error": sentence})
def open_sound(sound: str | None, networks: list[str] | None) -> Sound | dict[str, Any]:
    """The sound, or what is shown where there is nothing to compare."""
    if sound is None:
        return EMPTY
    if not networks:
        return NO_NETWORK
    if not isinstance(networks, list) or not all(map(_is_name, networks)):
        raise ValueError("Networks are chosen by their names: choose them from the list.")
    if len(networks) > MOST:
        raise ValueError(f"At most {MOST} networks are compared at a time: choose fewer.")
    opened = Sound(sound)
    if not is_local():
        _check_cost(opened, networks)
    if opened.is_short:
        opened.samples()  # damage is told once, and not in every row
    return opened


def _is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MOST_LETTERS and readable(name) == name


def _check_cost(sound: Sound, networks: list[str]) -> None:
    """Raise ValueError where others would wait too long for this comparison."""
    n_asked = n_heard_through(networks)
    if n_asked > MOST_HOSTED:
        raise ValueError(
            f"These are {n_asked} networks, with the members of ensembles, and at most "
            f"{MOST_HOSTED} are compared at a time here: choose fewer."
        )
    if n_asked * sound.duration_s > MOST_HOSTED_S:
        n_possible = int(MOST_HOSTED_S / sound.duration_s)
        raise ValueError(
            f"This sound lasts {sound.duration_s:.0f} s, and at most {n_possible} networks hear one"
            " of that length here, with the members of ensembles: choose fewer, or a shorter sound."
        )


def n_heard_through(networks: list[str]) -> int:
    """How many networks are asked: a member of several ensembles once; those that are not, too."""
    asked: set[str] = set()
    for name in networks:
        try:
            asked |= {member.name for member in network_named(name).members}
        except ValueError:
            asked.add(name)
    return len(asked)


class _Questions:
    """How often each session has asked anew, of the last sessions that did."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: OrderedDict[str, int] = OrderedDict()

    def of(self, request: gr.Request | None) -> int:
        """Its number so far; 0 for one that never asked anew."""
        return self.counts.get(_session(request), 0)

    def ask(self, request: gr.Request | None) -> None:
        """One more."""
        session = _session(request)
        with self.lock:
            self.counts[session] = self.counts.get(session, 0) + 1
            self.counts.move_to_end(session)
            while len(self.counts) > MOST_SESSIONS:
                self.counts.popitem(last=False)


_questions = _Questions()


def _session(request: gr.Request | None) -> str:
    return str(request.session_hash) if request else ""


def ask_anew(request: gr.Request) -> None:
    """What is being compared for this visitor ends with the network that is being asked."""
    _questions.ask(request)


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
    return figures.class_colours(list(dict.fromkeys(name for p in heard for name in p.classes)))


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
    kept = [name for name in chosen if name in names] if isinstance(chosen, list) else []
    changed: dict[str, Any] = {} if kept == chosen else {"value": kept}
    return gr.update(choices=choices, **changed)


def first_choice() -> list[str]:
    """The best networks and every ensemble, of those that can be used."""
    best = [network for network in ranking.best_first() if network.unavailable_reason is None]
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
    # Told first and outside the queue: the comparison that runs then makes room for the new one.
    gr.on(
        [wanted.change, networks.input],
        ask_anew,
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    ).then(
        compare_networks,
        [shared.sound, networks, shared.cleaning],
        rows,
        trigger_mode="always_last",
        show_progress="hidden",
        **COMPARE,
    )
