"""All tasks of a project at a glance: a list of them, those that are similar, and a map."""

from audioclf.annotation import active_learning
from audioclf.annotation.event_log import AnnotationEvent
from audioclf.ui.annotate.payloads import (
    Payload,
    endpoint,
    parse_number,
)
from audioclf.ui.annotate.sessions import NO_SUGGESTIONS, LabellingSession, find_task, get_session
from audioclf.ui.annotate.wire import item_of, place_of

MAX_SIMILAR, ROWS = 24, 50


@endpoint
def find_similar(payload: Payload) -> Payload:
    """The tasks without an annotation that are most similar to one, the nearest first."""
    session = get_session(payload)
    task = find_task(session, payload)
    if session.queue.model is None:
        raise ValueError(_why_not(session, "Similar clips are known"))
    items = session.queue.similar(task, MAX_SIMILAR)
    return {"similar": [item_of(item).model_dump(mode="json") for item in items]}


@endpoint
def draw_map(payload: Payload) -> Payload:
    """Every task as a point from 0 to 1 each way, with its class or none."""
    session = get_session(payload)
    model = session.queue.model
    if model is None:
        raise ValueError(_why_not(session, "The map is drawn"))
    events, points = session.queue.events(), active_learning.project_2d(model.space)
    drawn = [
        {**place_of(task), "x": round(float(x), 4), "y": round(float(y), 4),
         "name": next(iter(events[n].names), "") if n in events else "",
         "is_annotated": n in events}
        for n, (task, (x, y)) in enumerate(zip(session.queue.tasks, points, strict=True))
        if n not in session.queue.excluded
    ]  # fmt: skip
    return {"points": drawn}


@endpoint
def list_clips(payload: Payload) -> Payload:
    """Tasks from number `first` on, of those whose file or class contains `text`."""
    session = get_session(payload)
    events, first = session.queue.events(), max(0, int(parse_number(payload, "first", 0)))
    text, only = str(payload.get("text") or "").casefold(), str(payload.get("only") or "")
    matching = [
        number
        for number, task in enumerate(session.queue.tasks)
        if _has_kind(events.get(number), only)
        and (not text or text in task.file.casefold() or text in _names(events.get(number)))
    ]
    rows = [item_of(session.queue.item(n, events)) for n in matching[first : first + ROWS]]
    return {
        "rows": [row.model_dump(mode="json") for row in rows],
        "n_found": len(matching),
        "first": first,
    }


def _why_not(session: LabellingSession, what: str) -> str:
    """Why there are no embeddings yet."""
    if session.requested is None or session.requested[0] == NO_SUGGESTIONS:
        return f"{what} when suggestions are on: choose their source, under “Suggestions”."
    return session.error or f"{what} when all files are embedded: wait a little."


def _has_kind(event: AnnotationEvent | None, only: str) -> bool:
    if only == "nothing":
        return event is None
    return not only or (event is not None and only == event.kind)


def _names(event: AnnotationEvent | None) -> str:
    return " ".join(event.names).casefold() if event else ""
