"""What people said of the sounds of a data set, in one SQLite file that only ever grows.

Nothing is changed or deleted: a later mark of the same place counts instead of an earlier one, and
an undo is a row like any other. Several processes and tabs may write at once (write-ahead logging),
and what was acknowledged is there after a kill.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audioclf.labels import Label

LABEL, UNSURE, BAD_AUDIO, REMOVED, UNDO = "label", "unsure", "bad audio", "removed", "undo"
KINDS = (LABEL, UNSURE, BAD_AUDIO, REMOVED)
BUSY_MS = 10_000
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
  place TEXT PRIMARY KEY, duration_s REAL, rate_hz INTEGER, trouble TEXT, added REAL NOT NULL);
CREATE TABLE IF NOT EXISTS classes (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, added REAL NOT NULL);
CREATE TABLE IF NOT EXISTS marks (
  number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, file TEXT NOT NULL,
  start_s REAL, end_s REAL, kind TEXT NOT NULL, names TEXT NOT NULL, who TEXT NOT NULL,
  at REAL NOT NULL, accepted TEXT, undoes INTEGER);
CREATE INDEX IF NOT EXISTS marks_of_files ON marks (file);
"""


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

    @property
    def place(self) -> tuple[Any, ...]:
        """What a later mark has to share to count instead of this one."""
        return (self.region,) if self.region else (self.file, self.start_s, self.end_s)


@dataclass(frozen=True)
class File:
    """A sound file of the data set, as it was when it was added."""

    place: str
    duration_s: float | None = None
    rate_hz: int | None = None
    trouble: str | None = None  # why it cannot be heard


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, made where it is missing; for one task, in one thread. Raises ValueError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_MS / 1e3, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ValueError(f"“{path.name}” cannot be opened here: is the disk full?") from error
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise ValueError(f"“{path.name}” is of a newer audioclf: update this one.")
        if version < VERSION:
            db.executescript(SCHEMA + f"PRAGMA user_version={VERSION};")
        yield db
    except sqlite3.Error as error:
        raise ValueError(
            f"“{path.name}” cannot be read or written ({error}): is the disk full?"
        ) from error
    finally:
        db.close()


def add(db: sqlite3.Connection, mark: Mark) -> Mark:
    """Say something; as it stands in the history. Raises ValueError for an unknown kind."""
    if mark.kind not in KINDS or (mark.kind == LABEL) != bool(mark.names):
        raise ValueError("A label names a class, and nothing else does: choose one.")
    mark = replace(mark, at=mark.at or time.time())
    return replace(mark, number=_append(db, mark, None))


def undo(db: sqlite3.Connection, who: str) -> Mark | None:
    """Take back the last thing that this person said and that still counts; None without any."""
    db.execute("BEGIN IMMEDIATE")
    try:
        undone = {row[0] for row in db.execute("SELECT undoes FROM marks WHERE undoes NOT NULL")}
        rows = db.execute(
            "SELECT * FROM marks WHERE who = ? AND kind != ? ORDER BY number DESC", (who, UNDO)
        )
        last = next((_mark(row) for row in rows if row[0] not in undone), None)
        if last is not None:
            _append(db, replace(last, kind=UNDO, at=time.time(), accepted=None), last.number)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return last


def current(db: sqlite3.Connection) -> list[Mark]:
    """What counts now, in the order in which it was said; removed regions are gone."""
    undone = {row[0] for row in db.execute("SELECT undoes FROM marks WHERE undoes NOT NULL")}
    found: dict[tuple[Any, ...], Mark] = {}
    for row in db.execute("SELECT * FROM marks WHERE kind != ? ORDER BY number", (UNDO,)):
        if row[0] not in undone:
            mark = _mark(row)
            found.pop(mark.place, None)
            found[mark.place] = mark
    return [mark for mark in found.values() if mark.kind != REMOVED]


def history(db: sqlite3.Connection) -> list[tuple[Mark, int | None]]:
    """Everything that was ever said, and which earlier mark a row undoes."""
    rows = db.execute("SELECT * FROM marks ORDER BY number")
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


def add_files(db: sqlite3.Connection, files: Iterable[File]) -> int:
    """Add files that are not there yet; how many these were."""
    before = db.total_changes
    now = time.time()
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?)",
        [(one.place, one.duration_s, one.rate_hz, one.trouble, now) for one in files],
    )
    db.execute("COMMIT")
    return db.total_changes - before


def files(db: sqlite3.Connection) -> list[File]:
    """All files, in the order of their places."""
    rows = db.execute("SELECT place, duration_s, rate_hz, trouble FROM files ORDER BY place")
    return [File(*row) for row in rows]


def add_class(db: sqlite3.Connection, name: str) -> None:
    """A class, where it is not there yet."""
    db.execute("INSERT OR IGNORE INTO classes (name, added) VALUES (?, ?)", (name, time.time()))


def classes(db: sqlite3.Connection) -> list[str]:
    """The classes in the order in which they were added: their keys stay the same."""
    return [row[0] for row in db.execute("SELECT name FROM classes ORDER BY number")]


def set_fact(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Remember a plain value, such as the data set's name or its settings."""
    text = json.dumps(value, ensure_ascii=False)
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, text))


def fact(db: sqlite3.Connection, name: str, otherwise: Any = None) -> Any:
    """A plain value that was remembered."""
    row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else otherwise


def _append(db: sqlite3.Connection, mark: Mark, undoes: int | None) -> int:
    values = (
        mark.region, mark.file, mark.start_s, mark.end_s, mark.kind,
        json.dumps(mark.names, ensure_ascii=False), mark.who, mark.at,
        json.dumps(mark.accepted) if mark.accepted else None, undoes,
    )  # fmt: skip
    made = db.execute(
        "INSERT INTO marks (region, file, start_s, end_s, kind, names, who, at, accepted, undoes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return int(made.lastrowid or 0)


def _mark(row: tuple[Any, ...]) -> Mark:
    number, region, file, start_s, end_s, kind, names, who, at, accepted, _ = row
    suggestion = tuple(json.loads(accepted)) if accepted else None
    return Mark(
        file, kind, tuple(json.loads(names)), start_s, end_s, region, who, at, suggestion, number
    )
