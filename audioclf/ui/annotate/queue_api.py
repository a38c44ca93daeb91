"""The endpoints of the annotation queue: JSON objects in, JSON objects out.

A project is named by its id, which on a public page nobody can guess.
"""

from typing import Any

from audioclf.annotation import active_learning, catalog, database, event_log, tasks
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.annotation.queue import QueueItem, accuracy
from audioclf.annotation.tasks import AnnotationTask
from audioclf.audio import excerpt
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.ui.annotate import sessions
from audioclf.ui.annotate.payloads import (
    Payload,
    annotator,
    decoding,
    endpoint,
    max_classes,
    parse_names,
    parse_number,
    parse_request_id,
    parse_suggestion,
    parse_word,
    render_audio,
)
from audioclf.ui.annotate.sessions import LabellingSession, find_task, get_session
from audioclf.ui.annotate.wire import (
    Accuracy,
    LabelClass,
    Status,
    Undone,
    annotation_of,
    item_of,
    place_of,
)
from audioclf.ui.page.limits import limits
from audioclf.ui.plotting import figures

PREFETCHED, MAX_PREFETCHED = 4, 16  # tasks that are prepared before they are shown
MAX_HELD = 500
MAX_PLAYED_S = 120.0  # of a task that is played and drawn
MAX_ERRORS = 200  # that are listed


@endpoint
def open_queue(payload: Payload) -> Payload:
    """Open a project: its status, and the next tasks.

    payload: project, segmentation, suggestions and model (the embedding model), order, n.
    """
    session = get_session(payload)
    project = session.queue.project
    session.queue.retry()
    with database.connect(project.store) as db:
        n_pending = len(tasks.pending_files(db, session.queue.segmentation))
    if not n_pending:
        sessions.start_embedding(session, payload.get("suggestions"), payload.get("model"))
    return {
        **_status(session, payload), "name": project.read_name(), "n_unsegmented": n_pending,
        "max_name": MAX_NAME,
    }  # fmt: skip


@endpoint
def detect_silences(payload: Payload) -> Payload:
    """Detect silences in long recordings for some seconds; `n_left` is how many are left."""
    return {"n_left": sessions.detect_silences(payload)}


@endpoint
def next_items(payload: Payload) -> Payload:
    """The status and the next tasks; `held` are those that the page holds or that were skipped."""
    return _status(get_session(payload), payload)


@endpoint
def prepare_clip(payload: Payload) -> Payload:
    """The clip of a task to play and draw: a WAV, its waveform and spectrogram."""
    session = get_session(payload)
    task = find_task(session, payload)
    start_s = task.start_s or 0.0
    end_s = min(float("inf") if task.end_s is None else task.end_s, start_s + MAX_PLAYED_S)
    with decoding():
        try:
            path = session.queue.project.path_of(task.file)
            samples, rate_hz = excerpt.samples_of(path, start_s, end_s, limits().sound)
        except excerpt.EmptyPartError as error:  # the file has changed meanwhile
            session.queue.skip(task)
            return {"unplayable": str(error)}
        except ValueError as error:
            session.queue.exclude(task.file, str(error))
            return {"unplayable": str(error)}
        is_beginning = len(samples) / rate_hz > MAX_PLAYED_S - 0.01
        return {**render_audio(samples, rate_hz), "is_beginning": is_beginning}


@endpoint
def submit_annotation(payload: Payload) -> Payload:
    """Store the annotation of a task; then the status and the next tasks.

    payload: request_id (the same one is stored once), file, start_s, end_s, kind, names, suggestion
    (what was shown: name, probability, source, is_random) and accepted (whether it was).
    """
    session = get_session(payload)
    task = find_task(session, payload)
    suggestion = parse_suggestion(payload.get("suggestion"))
    is_accepted = suggestion is not None and payload.get("accepted")
    accepted = (suggestion.source, suggestion.probability) if suggestion and is_accepted else None
    event = AnnotationEvent(
        task.file, str(payload.get("kind")), parse_names(payload), task.start_s, task.end_s,
        annotator=annotator(payload), suggested=suggestion, request_id=parse_request_id(payload),
        accepted=accepted,
    )  # fmt: skip
    with database.connect(session.queue.project.store) as db, database.transaction(db):
        event_log.add(db, event)
        catalog.add_classes(db, event.names, max_classes())
    sessions.schedule_refit(session)
    return _status(session, payload)


@endpoint
def undo_annotation(payload: Payload) -> Payload:
    """Undo the annotation of that `request_id`, or else the annotator's last; `undone` is which."""
    session = get_session(payload)
    with database.connect(session.queue.project.store) as db:
        request_id, undone_id = (
            parse_word(payload[name]) if payload.get(name) else ""
            for name in ("undo_id", "request_id")
        )
        event = event_log.undo(db, annotator(payload), undone_id, request_id)
        targets = {one.target: one for one in event_log.current(db)}
    sessions.schedule_refit(session)
    if event is None:
        return {**_status(session, payload), "undone": None}
    undone = Undone(
        **place_of(event),
        region=event.region,
        names=event.names,
        is_renamed_class=event.kind == EventKind.RENAMED_CLASS,
        annotation=annotation_of(targets.get(event.target)),
    )
    return {**_status(session, payload), "undone": undone.model_dump(mode="json")}


@endpoint
def add_classes(payload: Payload) -> Payload:
    """Add classes to the project, in the order in which they are named."""
    session = get_session(payload)
    names = parse_names(payload)
    if not names:
        raise ValueError("Type the name of a class first.")
    with database.connect(session.queue.project.store) as db, database.transaction(db):
        catalog.add_classes(db, names, max_classes())
    return _status(session, payload)


def _status(session: LabellingSession, payload: Payload) -> Payload:
    """The status of a project and the next tasks."""
    queue = session.queue
    with database.connect(queue.project.store) as db:
        version = event_log.version(db)  # first: what comes meanwhile is told by the next answer
        current = event_log.current(db)
        classes = catalog.class_numbers(db)
        errors = catalog.errors(db)
    events = queue.events(current)
    annotated = [event for _, event in sorted(events.items(), key=lambda item: item[1].number)]
    counts = dict.fromkeys(classes, 0)
    for name in (name for event in current for name in event.names):
        counts[name] = counts.get(name, 0) + 1
    held = [_parse_task(value) for value in (payload.get("held") or [])[:MAX_HELD]]
    held = [task for task in dict.fromkeys(held) if task in queue.numbers]
    following = _next_items(session, payload, held, events)
    suggestions = accuracy(annotated)
    status = Status(
        version=version,
        classes=[
            LabelClass(name=name, n=counts[name], colour=figures.palette_colour(number))
            for name, number in classes.items()
        ],
        n_total=len(queue.tasks) - len(queue.excluded),
        n_labelled=len(annotated),
        kinds={kind: sum(e.kind == kind for e in annotated) for kind in event_log.KINDS},
        errors=errors[:MAX_ERRORS],
        n_errors=len(errors),
        embedding=session.embedding_status(),
        accuracy=Accuracy(
            n_labels=suggestions.n_labels,
            n_right=suggestions.n_right,
            n_random=suggestions.n_random,
            n_right_random=suggestions.n_right_random,
        ),
        next=[item_of(item) for item in following],
        held=[item_of(queue.item(queue.numbers[task], events)) for task in held],
    )
    return status.model_dump(mode="json")


def _next_items(
    session: LabellingSession,
    payload: Payload,
    held: list[AnnotationTask],
    events: dict[int, AnnotationEvent],
) -> list[QueueItem]:
    """The next tasks of this window; those that other windows show only where none else is left."""
    n = min(MAX_PREFETCHED, int(parse_number(payload, "n", PREFETCHED)))
    window = str(payload.get("tab") or "")[:40]
    with session.next_lock:
        others = session.reserved_by_others(window)
        items = session.queue.next_items(_order(payload), n, [*held, *others], events)
        if n and not items and others:  # better twice than never
            items = session.queue.next_items(_order(payload), n, held, events)
        session.reserve(window, [*held, *(item.task for item in items)])
    return items


def _order(payload: Payload) -> str:
    return str(payload.get("order") or active_learning.QueueOrder.USEFUL)


def _parse_task(value: Any) -> Any:
    return AnnotationTask(str(value.get("file")), value.get("start_s"), value.get("end_s"))
