"""Data sets while they are labelled: kept in memory, and listened to in the background."""

import functools
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audioclf.annotation import embedding as hearing
from audioclf.annotation import project, tasks
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.queue import EmbeddingPass, LabelQueue
from audioclf.annotation.tasks import AnnotationTask, Segmentation
from audioclf.audio.silence import Split
from audioclf.ui.annotate.pool import POOL
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import network_named

MOST_CANDIDATES = 5_000  # on a public page
UNFORESEEN = "Listening went wrong, and the log says why: choose the network again."
CUT_S = 3.0  # how long one call looks for silences
AWAY_S, MOST_WINDOWS, MOST_KEPT = 90.0, 50, 10  # of windows that label the same set
MOST_LETTERS = 100  # of what a page calls a network
MOST_OPEN = 24  # queues in memory; another one is opened again in a moment
MOST_OF_A_SET = 4  # of them, where there are too many
NO_SUGGESTIONS = "none"


@dataclass
class LabellingSession:
    """A queue, and how far a network has listened to its candidates."""

    queue: LabelQueue
    n_files: int  # of the set, when it was opened
    asked: tuple[str, str] | None = None  # for what, and which network
    n_heard: int = 0
    trouble: str = ""
    embedding: EmbeddingPass | None = None  # what it still waits for
    asking: threading.Lock = field(default_factory=threading.Lock)
    away: dict[str, tuple[float, list[AnnotationTask]]] = field(default_factory=dict)  # by window

    def elsewhere(self, window: str) -> list[AnnotationTask]:
        """What other windows are asking about just now."""
        now = time.monotonic()
        others = [v for k, v in list(self.away.items()) if k != window and now - v[0] < AWAY_S]
        return [one for _, held in others for one in held]

    def hold(self, window: str, held: list[AnnotationTask]) -> None:
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
        n_files = len({candidate.file for candidate in self.queue.tasks})
        ready = self.queue.model is not None
        return {
            "kind": kind, "network": network, "n_heard": self.n_heard, "n_files": n_files,
            "ready": ready, "trouble": self.trouble,
        }  # fmt: skip


_DESKS: OrderedDict[tuple[str, Segmentation], LabellingSession] = OrderedDict()
_OPENING = threading.Lock()


def get_session(asked: Mapping[str, Any]) -> LabellingSession:
    """The desk of a set with a cutting; opened again where its sounds are others by now.

    Raises ValueError.
    """
    one, cutting = project.by_id(asked.get("set")), cutting_of(asked.get("cutting"))
    key = (str(one.folder), cutting)
    with _OPENING:
        n_files, desk = one.n_files, _DESKS.pop(key, None)
        is_new = desk is None or desk.n_files != n_files
        if desk is None or is_new:
            _close(desk)
            desk = LabellingSession(_queue(one, cutting), n_files)
        _DESKS[key] = desk
        while len(_DESKS) > MOST_OPEN:
            _close(_DESKS.pop(_superfluous()))
    if is_new and tasks.is_segmented(one, cutting):  # whoever asks goes on where they were
        listen(desk, asked.get("kind"), asked.get("network"))
    return desk


def _superfluous() -> tuple[str, Segmentation]:
    """The oldest desk of the set that has too many, so that no set drives out others; or of all."""
    counts = Counter(folder for folder, _ in _DESKS)
    return max(_DESKS, key=lambda key: max(counts[key[0]], MOST_OF_A_SET))


def _close(desk: LabellingSession | None) -> None:
    """Nothing more is made for it from the next file on."""
    if desk is not None:
        desk.asked, desk.embedding = ("closed", ""), None


def _queue(one: AnnotationProject, cutting: Segmentation) -> LabelQueue:
    found = LabelQueue(one, cutting)
    if len(found.tasks) > MOST_CANDIDATES and not is_local():
        raise ValueError(
            f"These are more than {MOST_CANDIDATES:,} candidates: choose longer windows."
        )
    return found


def cutting_of(asked: Any) -> Segmentation:
    """Settings as the page sends them. Raises ValueError."""
    asked = asked if isinstance(asked, dict) else {}
    split = Split(*(_number(asked, name) for name in ("top_db", "min_length_s", "min_gap_s")))
    return Segmentation(
        str(asked.get("kind", tasks.WINDOWS)), _number(asked, "long_s"),
        _number(asked, "window_s"), split,
    )  # fmt: skip


USUAL = {"top_db": 40.0, "min_length_s": 0.1, "min_gap_s": 0.1, "long_s": 30.0, "window_s": 5.0}


def _number(asked: Mapping[str, Any], name: str) -> float:
    value = asked.get(name, USUAL[name])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return USUAL[name]
    return float(value)


def task_of(desk: LabellingSession, asked: Mapping[str, Any]) -> AnnotationTask:
    """The candidate that the page means. Raises ValueError for what is none."""
    found = AnnotationTask(str(asked.get("file")), asked.get("start_s"), asked.get("end_s"))
    number = desk.queue.numbers.get(found)
    if number is None:
        raise ValueError("This sound is not in the queue any more: reload the page.")
    return desk.queue.tasks[number]


def listen(desk: LabellingSession, kind: Any, network: Any) -> None:
    """Have a network listen to all candidates in the background, unless it does or did already.

    What cannot be listened to is told by the desk, and nothing begins.
    """
    asked = (str(kind)[:MOST_LETTERS], str(network or "")[:MOST_LETTERS])
    with _OPENING:
        if desk.asked == asked and not desk.trouble:
            return
        desk.asked, desk.n_heard, desk.trouble, desk.embedding = asked, 0, "", None
        desk.queue.model = None
        if asked[0] == NO_SUGGESTIONS or not desk.queue.tasks:
            return
        try:
            desk.embedding = EmbeddingPass(desk.queue, network_named(asked[1]), asked[0])
        except ValueError as error:
            desk.trouble = str(error)
            return
    folder = str(desk.queue.one.folder)
    POOL.submit(folder, "embed", functools.partial(_embed, folder))


def _embed(folder: str) -> bool:
    """One file more for all desks of a set that wait for it; whether there are more.

    Desks that differ in how recordings are cut share what a network made of the file.
    """
    with _OPENING:
        desks = [d for (place, _), d in _DESKS.items() if place == folder and d.embedding]
    if not desks:
        return False
    first = desks[-1]  # that was asked for last
    own, asked = first.embedding, first.asked
    if own is None:  # closed meanwhile
        return True
    try:
        if not own.missing:
            own.finish(lambda: first.embedding is own)
            _end(first, own)
            return True
        file = next(iter(own.missing))
        windows = hearing.windows_of(own.queue.one, own.network, file, own.kind)
        for desk in desks:
            each = desk.embedding
            if each is not None and desk.asked == asked and file in each.missing:
                each.add(file, windows)
                desk.n_heard += 1
    except Exception as error:  # in the background nobody else would say it
        if not isinstance(error, ValueError):
            logging.exception("listening to %s", own.queue.one.id)
        said = str(error) if isinstance(error, ValueError) else UNFORESEEN
        _end(first, own, said)
    return True


def _end(desk: LabellingSession, own: EmbeddingPass, trouble: str = "") -> None:
    """A pass is over, unless another one has begun for this desk meanwhile."""
    with _OPENING:
        if desk.embedding is own:
            desk.embedding, desk.trouble = None, trouble


def schedule_refit(desk: LabellingSession) -> None:
    """Have a new opinion of the labels soon, in the background; asked meanwhile, once more."""
    if desk.queue.model is not None:
        folder, queue = str(desk.queue.one.folder), desk.queue

        def judge() -> bool:
            queue.refit()
            return False

        POOL.submit(folder, ("judge", desk.queue.cutting), judge)


def cut_long(asked: Mapping[str, Any]) -> int:
    """Look for silences in long recordings for a few seconds; how many recordings are left."""
    one, cutting = project.by_id(asked.get("set")), cutting_of(asked.get("cutting"))
    until = time.monotonic() + CUT_S
    left = (n for n in tasks.detect_silences(one, cutting) if n == 0 or time.monotonic() > until)
    n_left = next(left, 0)
    with _OPENING:
        _close(_DESKS.pop((str(one.folder), cutting), None))
    return n_left
