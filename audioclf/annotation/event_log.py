"""The annotations of a project as an event log that only grows.

Nothing is changed or deleted: a later event with the same target replaces an earlier one, and an
undo is an event like any other.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from audioclf.annotation import catalog
from audioclf.annotation.database import transaction
from audioclf.datasets.formats.base import Label

LINKED = "+"
LOCAL_ANNOTATOR = "me"  # on one's own machine: the name of its user goes into no export


class EventKind(StrEnum):
    """What an event says."""

    LABEL = "label"
    UNSURE = "unsure"
    BAD_AUDIO = "bad audio"
    REMOVED = "removed"
    UNDO = "undo"  # of another event
    RENAMED_CLASS = "renamed class"  # names: the old and the new one; what it changed is linked
    SUGGESTED = "suggested"  # by a model of another tool, and said by nobody


NO_JUDGEMENTS = (EventKind.UNDO, EventKind.RENAMED_CLASS, EventKind.SUGGESTED)
KINDS = tuple(kind for kind in EventKind if kind not in NO_JUDGEMENTS)


class Suggestion(NamedTuple):
    """The class that a model suggests for a task; never a label by itself."""

    name: str  # of the class
    probability: float | None  # None: not known, with few labels of its class
    source: str  # the model's name, or “your labels”
    is_random: bool = False  # whether the task was drawn at random, as an unbiased check


@dataclass(frozen=True)
class AnnotationEvent:
    """One annotation of a file, a segment of it, or a region that may move."""

    file: str
    kind: str  # label, unsure, bad audio or removed
    names: tuple[str, ...] = ()  # of classes
    start_s: float | None = None  # None: the whole file
    end_s: float | None = None
    region: str = ""  # what a region is called while it is moved and renamed
    annotator: str = ""
    created_at: float = 0.0  # seconds since 1970; now where it is 0
    accepted: tuple[str, float | None] | None = (
        None  # source and probability of the accepted suggestion
    )
    number: int = 0  # its row in the log, once it is stored
    suggested: Suggestion | None = None  # what was suggested, accepted or not
    request_id: str = ""  # of its sender: a request that is sent twice is stored once

    @property
    def target(self) -> tuple[Any, ...]:
        """What is annotated: a later event with the same target replaces this one."""
        return (self.region,) if self.region else (self.file, self.start_s, self.end_s)


def add(db: sqlite3.Connection, event: AnnotationEvent) -> AnnotationEvent:
    """Append an event and return it as stored. Raises ValueError for an unknown kind.

    An event with the request id of an earlier one was sent twice and is not stored again.
    """
    if event.kind not in KINDS or (event.kind == EventKind.LABEL) != bool(event.names):
        raise ValueError("A label names a class, and nothing else does: choose one.")
    event = replace(event, created_at=event.created_at or time.time())
    return replace(event, number=_append(db, event, None))


def add_rename(db: sqlite3.Connection, old: str, new: str, annotator: str, request_id: str) -> int:
    """Append that a class was renamed, after the labels that follow from it; returns how many.

    A label stays its annotator's, from when it was given. One undo takes back all of it.
    """
    events = [event for event in current(db) if old in event.names]
    for number, event in enumerate(events):
        names = tuple(dict.fromkeys(new if name == old else name for name in event.names))
        linked_id = f"{linked_request_id(request_id)}{number}"
        add(db, replace(event, names=names, request_id=linked_id))
    renamed = AnnotationEvent(
        "", EventKind.RENAMED_CLASS, (old, new), annotator=annotator, created_at=time.time(),
        request_id=request_id,
    )  # fmt: skip
    _append(db, renamed, None)
    return len(events)


def undo(
    db: sqlite3.Connection, annotator: str, undone_id: str = "", request_id: str = ""
) -> AnnotationEvent | None:
    """Undo the annotator's last event that still counts and return it; None without any.

    All events that are linked to it are undone too (see `linked_request_id`). A renamed class is
    everybody's last event. undone_id: undo the event of this request instead. request_id: of the
    undo itself.
    """
    with transaction(db):
        if request_id and _find_number(db, request_id) is not None:
            return None  # sent twice
        values: tuple[str, ...]
        if undone_id:
            where, values = "request_id = ?", (undone_id,)
        else:
            where, values = "(annotator = ? OR kind = ?)", (annotator, EventKind.RENAMED_CLASS)
        last = next(_counting(db, where, values), None)
        if last is None:
            return None
        for number, event in enumerate([last, *_linked(db, last)]):
            linked_id = f"{linked_request_id(request_id)}{number}" if number else request_id
            undo_event = replace(
                event, kind=EventKind.UNDO, created_at=time.time(), accepted=None,
                request_id=linked_id if request_id else "",
            )  # fmt: skip
            _append(db, undo_event, event.number)
        if last.kind == EventKind.RENAMED_CLASS:
            used = {name for event in current(db) for name in event.names}
            old, new = last.names
            catalog.undo_rename(db, old, new, used)
    return last


def linked_request_id(request_id: str) -> str:
    """The request id of the event that is stored together with another and undone with it.

    It begins the ids of further ones.
    """
    return request_id + LINKED


def _linked(db: sqlite3.Connection, last: AnnotationEvent) -> list[AnnotationEvent]:
    """The events that are linked to one and still count."""
    if not last.request_id:
        return []
    first = linked_request_id(last.request_id)
    behind = last.request_id + chr(ord(LINKED) + 1)
    return list(_counting(db, "request_id >= ? AND request_id < ?", (first, behind)))


def _counting(
    db: sqlite3.Connection, where: str, values: tuple[str, ...]
) -> Iterator[AnnotationEvent]:
    """The events that still count, the last one first."""
    rows = db.execute(f"{SELECT_EVENTS} WHERE {where} AND {COUNTS} ORDER BY number DESC", values)
    return map(_event, rows)


def current(db: sqlite3.Connection, file: str | None = None) -> list[AnnotationEvent]:
    """The events that count now, in the order of the log; removed regions are left out.

    file: those of this file alone.
    """
    of_file, values = ("", ()) if file is None else ("AND file = ?", (file,))
    rows = db.execute(
        f"{SELECT_EVENTS} WHERE number IN ({LATEST}) AND kind != ? {of_file} ORDER BY number",
        (EventKind.REMOVED, *values),
    )
    return [_event(row) for row in rows]


def add_suggestion(db: sqlite3.Connection, event: AnnotationEvent) -> None:
    """Append what a model of another tool suggests for a place; it is no label."""
    _append(db, replace(event, kind=EventKind.SUGGESTED, created_at=time.time()), None)


def suggestions(db: sqlite3.Connection) -> list[AnnotationEvent]:
    """What models of other tools suggest, with the names that classes have now."""
    sql = f"{SELECT_EVENTS} WHERE kind IN (?, ?) ORDER BY number DESC"
    undone = {row[0] for row in db.execute("SELECT undoes FROM events WHERE undoes NOT NULL")}
    names: dict[str, str] = {}  # by those that they had
    suggested = []
    for row in db.execute(sql, (EventKind.SUGGESTED, EventKind.RENAMED_CLASS)):
        event = _event(row)
        if event.kind == EventKind.RENAMED_CLASS and event.number not in undone:
            old, new = event.names
            names[old] = names.get(new, new)
        elif event.suggested is not None:
            name = names.get(event.suggested.name, event.suggested.name)
            suggested.append(replace(event, suggested=event.suggested._replace(name=name)))
    return suggested[::-1]


def version(db: sqlite3.Connection) -> int:
    """A number that grows with every event and class: which of two states is the later one."""
    sql = "SELECT (SELECT max(number) FROM events), (SELECT max(number) FROM classes)"
    return sum(number or 0 for number in db.execute(sql).fetchone())


def history(db: sqlite3.Connection) -> list[tuple[AnnotationEvent, int | None]]:
    """All events, each with the number of the event that it undoes."""
    rows = db.execute(f"{SELECT_EVENTS} ORDER BY number")
    return [(_event(row), row[10]) for row in rows]


def labels(db: sqlite3.Connection) -> list[Label]:
    """The current labels, one per class; “not sure” and “bad audio” are none."""
    return [
        Label(
            event.file, name, event.start_s, event.end_s, annotator=event.annotator,
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.created_at)),
        )
        for event in current(db)
        for name in event.names
    ]  # fmt: skip


SELECT_EVENTS = (
    "SELECT number, region, file, start_s, end_s, kind, names, annotator, created_at, accepted, "
    "undoes, suggestion, request_id FROM events"
)
COUNTS = (  # said by somebody, and neither undone nor an undo itself
    f"kind NOT IN ('{EventKind.UNDO}', '{EventKind.SUGGESTED}') AND "
    "number NOT IN (SELECT undoes FROM events WHERE undoes NOT NULL)"
)
LATEST = (  # the last event of every target, see `AnnotationEvent.target`
    f"SELECT max(number) FROM events WHERE kind != '{EventKind.RENAMED_CLASS}' AND {COUNTS} "
    "GROUP BY region, "
    + ", ".join(f"CASE region WHEN '' THEN {name} END" for name in ("file", "start_s", "end_s"))
)


def _append(db: sqlite3.Connection, event: AnnotationEvent, undoes: int | None) -> int:
    values = (
        event.region, event.file, event.start_s, event.end_s, event.kind,
        json.dumps(event.names, ensure_ascii=False), event.annotator, event.created_at,
        json.dumps(event.accepted) if event.accepted else None, undoes,
        json.dumps(event.suggested) if event.suggested else None, event.request_id or None,
    )  # fmt: skip
    columns = SELECT_EVENTS.removeprefix("SELECT number, ").removesuffix(" FROM events")
    places = ", ".join("?" * len(values))
    inserted = db.execute(
        f"INSERT INTO events ({columns}) VALUES ({places}) ON CONFLICT (request_id) DO NOTHING",
        values,
    )
    if inserted.rowcount:
        return int(inserted.lastrowid or 0)
    return _find_number(db, event.request_id) or 0


def _find_number(db: sqlite3.Connection, request_id: str) -> int | None:
    """The number of the event with this request id."""
    row = db.execute("SELECT number FROM events WHERE request_id = ?", (request_id,)).fetchone()
    return int(row[0]) if row else None


def _event(row: tuple[Any, ...]) -> AnnotationEvent:
    number, region, file, start_s, end_s, kind, names, annotator, created_at, *others = row
    accepted, _, suggestion, request_id = others
    return AnnotationEvent(
        file, kind, tuple(json.loads(names)), start_s, end_s, region, annotator, created_at,
        accepted=tuple(json.loads(accepted)) if accepted else None, number=number,
        suggested=Suggestion(*json.loads(suggestion)) if suggestion else None,
        request_id=request_id or "",
    )  # fmt: skip
