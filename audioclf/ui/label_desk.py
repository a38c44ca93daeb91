"""Data sets while they are labelled: kept in memory, and listened to in the background."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audioclf import candidates, labelled
from audioclf.candidates import Candidate, Cutting
from audioclf.clean import Split
from audioclf.label_queue import LabelQueue
from audioclf.labelled import LabelledSet
from audioclf.ui.shared import network_named
from audioclf.ui.where import is_local

MOST_CANDIDATES = 5_000  # on a public page
UNFORESEEN = "Listening went wrong, and the log says why: choose the network again."
CUT_S = 3.0  # how long one call looks for silences
AWAY_S, MOST_WINDOWS, MOST_KEPT = 90.0, 50, 10  # of windows that label the same set
MOST_OPEN = 24  # queues in memory; another one is opened again in a moment
NO_SUGGESTIONS = "none"


@dataclass
class Desk:
    """A queue, and how far a network has listened to its candidates."""

    queue: LabelQueue
    n_files: int  # of the set, when it was opened
    asked: tuple[str, str] | None = None  # for what, and which network
    n_heard: int = 0
    trouble: str = ""
    judging: threading.Lock = field(default_factory=threading.Lock)
    asking: threading.Lock = field(default_factory=threading.Lock)
    is_newer: bool = False  # labels that the opinion does not know
    away: dict[str, tuple[float, list[Candidate]]] = field(default_factory=dict)  # by window

    def elsewhere(self, window: str) -> list[Candidate]:
        """What other windows are asking about just now."""
        now = time.monotonic()
        others = [v for k, v in list(self.away.items()) if k != window and now - v[0] < AWAY_S]
        return [one for _, held in others for one in held]

    def hold(self, window: str, held: list[Candidate]) -> None:
        """Remember what a window asks about, for a while; also what it was told just before, since
        its questions overtake each other.
        """
        _, before = self.away.get(window, (0.0, []))
        kept = list(dict.fromkeys([*held, *before]))[:MOST_KEPT]
        self.away[window] = (time.monotonic(), kept)
        while len(self.away) > MOST_WINDOWS:
            self.away.pop(next(iter(self.away)), None)

    def listens(self) -> dict[str, Any]:
        """How far it has come, for the page."""
        kind, network = self.asked or (NO_SUGGESTIONS, "")
        n_files = len({candidate.file for candidate in self.queue.candidates})
        ready = self.queue.opinion is not None
        return {
            "kind": kind, "network": network, "n_heard": self.n_heard, "n_files": n_files,
            "ready": ready, "trouble": self.trouble,
        }  # fmt: skip


_DESKS: OrderedDict[tuple[str, Cutting], Desk] = OrderedDict()
_OPENING = threading.Lock()
_EARS = threading.Semaphore(2)  # networks that listen at once


def desk_of(asked: Mapping[str, Any]) -> Desk:
    """The desk of a set with a cutting; opened again where its sounds are others by now.

    Raises ValueError.
    """
    one, cutting = labelled.by_id(asked.get("set")), cutting_of(asked.get("cutting"))
    key = (str(one.folder), cutting)
    with _OPENING:
        n_files, desk = one.n_files, _DESKS.pop(key, None)
        is_new = desk is None or desk.n_files != n_files
        if desk is None or is_new:
            _close(desk)
            desk = Desk(_queue(one, cutting), n_files)
        _DESKS[key] = desk
        while len(_DESKS) > MOST_OPEN:
            _close(_DESKS.popitem(last=False)[1])
    if is_new and candidates.is_cut(one, cutting):  # whoever asks goes on where they were
        listen(desk, asked.get("kind"), asked.get("network"))
    return desk


def _close(desk: Desk | None) -> None:
    """Whoever listens for it stops at the next file."""
    if desk is not None:
        desk.asked = ("closed", "")


def _queue(one: LabelledSet, cutting: Cutting) -> LabelQueue:
    found = LabelQueue(one, cutting)
    if len(found.candidates) > MOST_CANDIDATES and not is_local():
        raise ValueError(
            f"These are more than {MOST_CANDIDATES:,} candidates: choose longer windows."
        )
    return found


def cutting_of(asked: Any) -> Cutting:
    """Settings as the page sends them. Raises ValueError."""
    asked = asked if isinstance(asked, dict) else {}
    split = Split(*(_number(asked, name) for name in ("top_db", "min_length_s", "min_gap_s")))
    return Cutting(
        str(asked.get("kind", candidates.WINDOWS)), _number(asked, "long_s"),
        _number(asked, "window_s"), split,
    )  # fmt: skip


USUAL = {"top_db": 40.0, "min_length_s": 0.1, "min_gap_s": 0.1, "long_s": 30.0, "window_s": 5.0}


def _number(asked: Mapping[str, Any], name: str) -> float:
    value = asked.get(name, USUAL[name])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return USUAL[name]
    return float(value)


def candidate_of(desk: Desk, asked: Mapping[str, Any]) -> Candidate:
    """The candidate that the page means. Raises ValueError for what is none."""
    found = Candidate(str(asked.get("file")), asked.get("start_s"), asked.get("end_s"))
    number = desk.queue.numbers.get(found)
    if number is None:
        raise ValueError("This sound is not in the queue any more: reload the page.")
    return desk.queue.candidates[number]


def listen(desk: Desk, kind: Any, network: Any) -> None:
    """Have a network listen to all candidates in the background, unless it does or did already."""
    asked = (str(kind), str(network or ""))
    with _OPENING:
        if desk.asked == asked and not desk.trouble:
            return
        desk.asked, desk.n_heard, desk.trouble = asked, 0, ""
        desk.queue.opinion = None
    if asked[0] != NO_SUGGESTIONS and desk.queue.candidates:
        threading.Thread(target=_listen, args=(desk, asked), daemon=True).start()


def _listen(desk: Desk, asked: tuple[str, str]) -> None:
    """A network listens file by file; ends as soon as something else is asked for."""
    kind, name = asked

    def is_wanted() -> bool:
        return desk.asked == asked

    try:
        with _EARS:
            heard = desk.queue.listen(network_named(name), kind, is_wanted)
            for number, _ in enumerate(heard, 1):
                if not is_wanted():
                    return
                desk.n_heard = number
    except Exception as error:  # in the background nobody else would say it
        if not isinstance(error, ValueError):
            logging.exception("listening to %s", desk.queue.one.id)
        if is_wanted():
            said = str(error) if isinstance(error, ValueError) else UNFORESEEN
            desk.trouble = said


def judge_later(desk: Desk) -> None:
    """Have a new opinion of the labels soon, in the background; asked meanwhile, once more."""
    desk.is_newer = True
    if desk.queue.opinion is not None and desk.judging.acquire(blocking=False):
        threading.Thread(target=_judge, args=(desk,), daemon=True).start()


def _judge(desk: Desk) -> None:
    try:
        while desk.is_newer:
            desk.is_newer = False
            desk.queue.judge()
    finally:
        desk.judging.release()
    if desk.is_newer:  # said between the last look and the release
        judge_later(desk)


def cut_long(asked: Mapping[str, Any]) -> int:
    """Look for silences in long recordings for a few seconds; how many recordings are left."""
    one, cutting = labelled.by_id(asked.get("set")), cutting_of(asked.get("cutting"))
    until = time.monotonic() + CUT_S
    left = (n for n in candidates.listen(one, cutting) if n == 0 or time.monotonic() > until)
    n_left = next(left, 0)
    with _OPENING:
        _close(_DESKS.pop((str(one.folder), cutting), None))
    return n_left
