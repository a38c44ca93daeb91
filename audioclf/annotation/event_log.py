"""What people said of the sounds of a data set: a history that only ever grows.

Nothing is changed or deleted: a later mark of the same place counts instead of an earlier one, and
an undo is a row like any other.
"""

import json
import sqlite3
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from audioclf.annotation.database import whole
from audioclf.datasets.formats.base import Label

LABEL, UNSURE, BAD_AUDIO, REMOVED, UNDO = "label", "unsure", "bad audio", "removed", "undo"
KINDS = (LABEL, UNSURE, BAD_AUDIO, REMOVED)
WITH = "+"


class Suggested(NamedTuple):
    """What a person was shown beside a sound."""

    name: str  # of the class
    probability: float
    by: str
    by_chance: bool = False  # whether the sound came at random, so that it is an honest check


@dataclass(frozen=True)
class Mark:
    """One thing that was said, of a file, a stretch of it, or a region that may move."""

    file: str
    kind: str  # label, unsure, bad audio or removed
    names: tuple[str, ...] = ()  # of classes
    start_s: float | None = None  # None: the whole file
    end_s: float | None = None
    region: str = ""  # what a region is called while it is moved and renamed
    who: str = ""
    at: float = 0.0  # seconds since 1970; now where it is 0
    accepted: tuple[str, float] | None = None  # the network whose suggestion it was, and how sure
    number: int = 0  # its place in the history, once it is there
    suggested: Suggested | None = None  # what stood there, accepted or not
    token: str = ""  # what its sender calls it: the same one is never said twice

    @property
    def place(self) -> tuple[Any, ...]:
        """What a later mark has to share to count instead of this one."""
        return (self.region,) if self.region else (self.file, self.start_s, self.end_s)


def add(db: sqlite3.Connection, mark: Mark) -> Mark:
    """Say something; as it stands in the history. Raises ValueError for an unknown kind.

    What has the token of an earlier mark was sent twice, and is there already.
    """
    if mark.kind not in KINDS or (mark.kind == LABEL) != bool(mark.names):
        raise ValueError("A label names a class, and nothing else does: choose one.")
    mark = replace(mark, at=mark.at or time.time())
    return replace(mark, number=_append(db, mark, None))


def undo(db: sqlite3.Connection, who: str, token: str = "", own: str = "") -> Mark | None:
    """Take back the last thing that this person said and that still counts; None without any.

    token: takes back what bears it instead, such as the last thing that was said in this window,
    and what was said with it (see `beside`). own: what its sender calls this undo.
    """
    with whole(db):
        if own and db.execute("SELECT 1 FROM marks WHERE token = ?", (own,)).fetchone():
            return None  # sent twice
        last = _undo(db, *(("token", token) if token else ("who", who)), own)
        if last is not None and last.token:
            _undo(db, "token", beside(last.token), own + WITH if own else "")
    return last


def beside(token: str) -> str:
    """The token of what is said together with a mark, and taken back with it."""
    return token + WITH


def _undo(db: sqlite3.Connection, chosen: str, value: str, own: str) -> Mark | None:
    undone = {row[0] for row in db.execute("SELECT undoes FROM marks WHERE undoes NOT NULL")}
    rows = db.execute(
        f"{MARKS} WHERE {chosen} = ? AND kind != ? ORDER BY number DESC", (value, UNDO)
    )
    last = next((_mark(row) for row in rows if row[0] not in undone), None)
    if last is not None:
        taken = replace(last, kind=UNDO, at=time.time(), accepted=None, token=own)
        _append(db, taken, last.number)
    return last


def current(db: sqlite3.Connection) -> list[Mark]:
    """What counts now, in the order in which it was said; removed regions are gone."""
    undone = {row[0] for row in db.execute("SELECT undoes FROM marks WHERE undoes NOT NULL")}
    found: dict[tuple[Any, ...], Mark] = {}
    for row in db.execute(f"{MARKS} WHERE kind != ? ORDER BY number", (UNDO,)):
        if row[0] not in undone:
            mark = _mark(row)
            found.pop(mark.place, None)
            found[mark.place] = mark
    return [mark for mark in found.values() if mark.kind != REMOVED]


def history(db: sqlite3.Connection) -> list[tuple[Mark, int | None]]:
    """Everything that was ever said, and which earlier mark a row undoes."""
    rows = db.execute(f"{MARKS} ORDER BY number")
    return [(_mark(row), row[10]) for row in rows]


def labels(db: sqlite3.Connection) -> list[Label]:
    """What counts now as labels, one per class; “not sure” and “bad audio” are none."""
    return [
        Label(
            mark.file, name, mark.start_s, mark.end_s, who=mark.who,
            when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mark.at)),
        )
        for mark in current(db)
        for name in mark.names
    ]  # fmt: skip


MARKS = (
    "SELECT number, region, file, start_s, end_s, kind, names, who, at, accepted, undoes, "
    "suggested, token FROM marks"
)


def _append(db: sqlite3.Connection, mark: Mark, undoes: int | None) -> int:
    values = (
        mark.region, mark.file, mark.start_s, mark.end_s, mark.kind,
        json.dumps(mark.names, ensure_ascii=False), mark.who, mark.at,
        json.dumps(mark.accepted) if mark.accepted else None, undoes,
        json.dumps(mark.suggested) if mark.suggested else None, mark.token or None,
    )  # fmt: skip
    columns = MARKS.removeprefix("SELECT number, ").removesuffix(" FROM marks")
    places = ", ".join("?" * len(values))
    made = db.execute(
        f"INSERT INTO marks ({columns}) VALUES ({places}) ON CONFLICT (token) DO NOTHING", values
    )
    if made.rowcount:
        return int(made.lastrowid or 0)
    said = db.execute("SELECT number FROM marks WHERE token = ?", (mark.token,)).fetchone()
    return int(said[0])


def _mark(row: tuple[Any, ...]) -> Mark:
    number, region, file, start_s, end_s, kind, names, who, at, accepted, _, shown, token = row
    suggestion = tuple(json.loads(accepted)) if accepted else None
    suggested = Suggested(*json.loads(shown)) if shown else None
    names = tuple(json.loads(names))
    return Mark(
        file, kind, names, start_s, end_s, region, who, at, suggestion, number, suggested,
        token or "",
    )  # fmt: skip
