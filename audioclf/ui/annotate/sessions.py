"""Labelling sessions: queues that are kept in memory and embedded in the background."""

import functools
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audioclf.annotation import embedding, project, tasks
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.queue import EmbeddingPass, LabelQueue
from audioclf.annotation.tasks import AnnotationTask, Segmentation
from audioclf.audio.silence import Split
from audioclf.ui.annotate.pool import POOL
from audioclf.ui.annotate.wire import EmbeddingStatus
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import find_model

MAX_HOSTED_TASKS = 5_000  # on a public page
UNFORESEEN = "Embedding failed, and the log says why: choose the embedding model again."
DETECTION_S = 3.0  # how long one call detects silences
RESERVED_S, MAX_WINDOWS, MAX_RESERVED = 90.0, 50, 10  # of browser windows that share a project
MAX_NAME_LETTERS = 100  # of what a page calls a model
MAX_SESSIONS = 24  # in memory; another one is opened again in a moment
MAX_OF_A_PROJECT = 4  # of them, where there are too many
NO_SUGGESTIONS = "none"


@dataclass
class LabellingSession:
    """A queue, and how far its tasks are embedded."""

    queue: LabelQueue
    n_files: int  # of the project, when the session was opened
    requested: tuple[str, str] | None = None  # the kind of suggestions, and the embedding model
    n_embedded: int = 0  # files
    error: str = ""
    embedding: EmbeddingPass | None = None  # while it is under way
    next_lock: threading.Lock = field(default_factory=threading.Lock)
    reserved: dict[str, tuple[float, list[AnnotationTask]]] = field(default_factory=dict)

    def reserved_by_others(self, window: str) -> list[AnnotationTask]:
        """The tasks that other browser windows show just now."""
        now = time.monotonic()
        others = [
            tasks
            for name, (reserved_at, tasks) in list(self.reserved.items())
            if name != window and now - reserved_at < RESERVED_S
        ]
        return [task for tasks in others for task in tasks]

    def reserve(self, window: str, shown: list[AnnotationTask]) -> None:
        """Reserve the tasks that a window shows for a while, and those of its last request.

        The requests of one window may overtake each other.
        """
        _, before = self.reserved.get(window, (0.0, []))
        latest = list(dict.fromkeys([*shown, *before]))[:MAX_RESERVED]
        self.reserved[window] = (time.monotonic(), latest)
        while len(self.reserved) > MAX_WINDOWS:
            self.reserved.pop(next(iter(self.reserved)), None)

    def embedding_status(self) -> EmbeddingStatus:
        """How many files are embedded."""
        kind, model = self.requested or (NO_SUGGESTIONS, "")
        n_files = len({task.file for task in self.queue.tasks})
        is_ready = self.queue.model is not None
        return EmbeddingStatus(
            kind=str(kind or ""),
            model=str(model or ""),
            n_done=self.n_embedded,
            n_total=n_files,
            is_ready=is_ready,
            error=self.error or "",
        )


_SESSIONS: OrderedDict[tuple[str, Segmentation], LabellingSession] = OrderedDict()
_LOCK = threading.Lock()


def get_session(payload: Mapping[str, Any]) -> LabellingSession:
    """The session of a project and a segmentation; opened again where the project has new files.

    Raises ValueError.
    """
    labelled, segmentation = _parse_key(payload)
    key = (str(labelled.folder), segmentation)
    with _LOCK:
        n_files, session = labelled.count_files(), _SESSIONS.pop(key, None)
        is_new = session is None or session.n_files != n_files
        if session is None or is_new:
            _close(session)
            session = LabellingSession(_queue(labelled, segmentation), n_files)
        _SESSIONS[key] = session
        while len(_SESSIONS) > MAX_SESSIONS:
            _close(_SESSIONS.pop(_superfluous_key()))
    if is_new and tasks.is_segmented(labelled, segmentation):  # an open page goes on as before
        start_embedding(session, payload.get("suggestions"), payload.get("model"))
    return session


def _parse_key(payload: Mapping[str, Any]) -> tuple[AnnotationProject, Segmentation]:
    return project.by_id(payload.get("project")), parse_segmentation(payload.get("segmentation"))


def _superfluous_key() -> tuple[str, Segmentation]:
    """The oldest session of a project with too many, so that none drives out others; or of all."""
    counts = Counter(folder for folder, _ in _SESSIONS)
    return max(_SESSIONS, key=lambda key: max(counts[key[0]], MAX_OF_A_PROJECT))


def _close(session: LabellingSession | None) -> None:
    """End the embedding of a session after the current file."""
    if session is not None:
        session.requested, session.embedding = ("closed", ""), None


def _queue(labelled: AnnotationProject, segmentation: Segmentation) -> LabelQueue:
    queue = LabelQueue(labelled, segmentation)
    if len(queue.tasks) > MAX_HOSTED_TASKS and not is_local():
        raise ValueError(f"These are more than {MAX_HOSTED_TASKS:,} clips: choose longer windows.")
    return queue


def parse_segmentation(settings: Any) -> Segmentation:
    """Segmentation settings as the page sends them. Raises ValueError."""
    settings = settings if isinstance(settings, dict) else {}
    split = Split(*(_number(settings, name) for name in ("top_db", "min_length_s", "min_gap_s")))
    return Segmentation(
        str(settings.get("kind", tasks.SegmentationKind.WINDOWS)), _number(settings, "long_s"),
        _number(settings, "window_s"), split,
    )  # fmt: skip


DEFAULTS = {"top_db": 40.0, "min_length_s": 0.1, "min_gap_s": 0.1, "long_s": 30.0, "window_s": 5.0}


def _number(settings: Mapping[str, Any], name: str) -> float:
    value = settings.get(name, DEFAULTS[name])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return DEFAULTS[name]
    return float(value)


def find_task(session: LabellingSession, payload: Mapping[str, Any]) -> AnnotationTask:
    """The task that the page names. Raises ValueError where there is none."""
    named = AnnotationTask(str(payload.get("file")), payload.get("start_s"), payload.get("end_s"))
    number = session.queue.numbers.get(named)
    if number is None:
        raise ValueError("This clip is not in the queue any more: reload the page.")
    return session.queue.tasks[number]


def start_embedding(session: LabellingSession, kind: Any, model: Any) -> None:
    """Embed all tasks in the background, unless that is done or under way.

    kind: what suggestions are made from. model: the embedding model. Where it cannot be used
    the session holds the error.
    """
    requested = (str(kind)[:MAX_NAME_LETTERS], str(model or "")[:MAX_NAME_LETTERS])
    with _LOCK:
        if session.requested == requested and not session.error:
            return
        session.requested, session.embedding = requested, None
        session.n_embedded, session.error, session.queue.model = 0, "", None
        if requested[0] == NO_SUGGESTIONS or not session.queue.tasks:
            return
        try:
            session.embedding = EmbeddingPass(session.queue, find_model(requested[1]), requested[0])
        except ValueError as error:
            session.error = str(error)
            return
    folder = str(session.queue.project.folder)
    POOL.submit(folder, "embed", functools.partial(_embed, folder))


def _embed(folder: str) -> bool:
    """Embed one more file for all sessions of a project; returns whether there is more to do.

    Sessions that differ in their segmentation share the windows of the file.
    """
    with _LOCK:
        waiting = [s for (name, _), s in _SESSIONS.items() if name == folder and s.embedding]
    if not waiting:
        return False
    latest = waiting[-1]  # the one that was requested last
    current, requested = latest.embedding, latest.requested
    if current is None:  # closed meanwhile
        return True
    try:
        if not current.missing:
            current.finish(lambda: latest.embedding is current)
            _end(latest, current)
            return True
        file = next(iter(current.missing))
        windows = embedding.embed_windows(
            current.queue.project, current.embedding_model, file, current.kind
        )
        for session in waiting:
            each = session.embedding
            if each is not None and session.requested == requested and file in each.missing:
                each.add(file, windows)
                session.n_embedded += 1
    except Exception as error:  # in the background nobody else would report it
        if not isinstance(error, ValueError):
            logging.exception("embedding %s", current.queue.project.id)
        _end(latest, current, str(error) if isinstance(error, ValueError) else UNFORESEEN)
    return True


def _end(session: LabellingSession, ended: EmbeddingPass, error: str = "") -> None:
    """End an embedding pass, unless another one has begun for this session meanwhile."""
    with _LOCK:
        if session.embedding is ended:
            session.embedding, session.error = None, error


def schedule_refit(session: LabellingSession) -> None:
    """Fit the suggestion model to the labels soon, in the background."""
    if session.queue.model is not None:
        folder, queue = str(session.queue.project.folder), session.queue

        def refit() -> bool:
            queue.refit()
            return False

        POOL.submit(folder, ("refit", queue.segmentation), refit)


def detect_silences(payload: Mapping[str, Any]) -> int:
    """Detect silences in long recordings for a few seconds; returns how many are left."""
    labelled, segmentation = _parse_key(payload)
    until = time.monotonic() + DETECTION_S
    steps = tasks.detect_silences(labelled, segmentation)
    n_left = next((n for n in steps if n == 0 or time.monotonic() > until), 0)
    with _LOCK:
        _close(_SESSIONS.pop((str(labelled.folder), segmentation), None))
    return n_left
