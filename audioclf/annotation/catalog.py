"""What a data set consists of: its sounds and where they are cut, its classes, plain facts."""

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audioclf.annotation.database import whole


@dataclass(frozen=True)
class File:
    """A sound file of the data set, as it was when it was added."""

    place: str
    duration_s: float | None = None
    rate_hz: int | None = None
    trouble: str | None = None  # why it cannot be heard


def add_files(db: sqlite3.Connection, files: Iterable[File]) -> int:
    """Add files that are not there yet; how many these were."""
    before = db.total_changes
    now = time.time()
    with whole(db):
        db.executemany(
            "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?)",
            [(one.place, one.duration_s, one.rate_hz, one.trouble, now) for one in files],
        )
    return db.total_changes - before


def files(db: sqlite3.Connection) -> list[File]:
    """All files, in the order of their places."""
    rows = db.execute("SELECT place, duration_s, rate_hz, trouble FROM files ORDER BY place")
    return [File(*row) for row in rows]


def n_files(db: sqlite3.Connection) -> int:
    """How many files there are."""
    return int(db.execute("SELECT count(*) FROM files").fetchone()[0])


def places(db: sqlite3.Connection) -> set[str]:
    """The places of all files."""
    return {row[0] for row in db.execute("SELECT place FROM files")}


def file(db: sqlite3.Connection, place: str) -> File | None:
    """The file of that place, where it is one."""
    sql = "SELECT place, duration_s, rate_hz, trouble FROM files WHERE place = ?"
    row = db.execute(sql, (place,)).fetchone()
    return File(*row) if row else None


def add_class(db: sqlite3.Connection, name: str) -> None:
    """A class, where it is not there yet."""
    add_classes(db, [name])


def add_classes(db: sqlite3.Connection, names: Iterable[str], most: int | None = None) -> None:
    """Classes that are not there yet, in their order: the one way in which they come into a set.

    Raises ValueError where there would be more than `most`, and adds none then.
    """
    known = set(classes(db))
    new = [name for name in dict.fromkeys(names) if name not in known]
    if new and most is not None and len(known) + len(new) > most:
        raise ValueError(f"At most {most} classes may be made here: use those there are.")
    now = time.time()
    db.executemany(
        "INSERT OR IGNORE INTO classes (name, added) VALUES (?, ?)", [(name, now) for name in new]
    )


def classes(db: sqlite3.Connection) -> list[str]:
    """The classes in the order in which they were added: their keys stay the same."""
    return [row[0] for row in db.execute("SELECT name FROM classes ORDER BY number")]


def rename_class(db: sqlite3.Connection, old: str, new: str) -> None:
    """A class under another name, at its place; gone where the other one is there already."""
    db.execute("UPDATE OR IGNORE classes SET name = ? WHERE name = ?", (new, old))
    if new != old:
        db.execute("DELETE FROM classes WHERE name = ?", (old,))


def set_fact(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Remember a plain value, such as the data set's name or its settings."""
    text = json.dumps(value, ensure_ascii=False)
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, text))


def fact(db: sqlite3.Connection, name: str, otherwise: Any = None) -> Any:
    """A plain value that was remembered."""
    row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else otherwise


def set_trouble(db: sqlite3.Connection, place: str, why: str) -> None:
    """Remember that a file cannot be heard."""
    sql = "UPDATE files SET trouble = ?, added = ? WHERE place = ?"
    db.execute(sql, (why, time.time(), place))


def troubles(db: sqlite3.Connection) -> dict[str, float]:
    """Files that could not be heard, and when that was found, in seconds since 1970."""
    return dict(db.execute("SELECT place, added FROM files WHERE trouble NOT NULL"))


def reasons(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Files that cannot be heard, and why."""
    return list(db.execute("SELECT place, trouble FROM files WHERE trouble NOT NULL"))


def replace_file(db: sqlite3.Connection, found: File) -> None:
    """A file is another one by now."""
    row = (found.duration_s, found.rate_hz, found.trouble, time.time(), found.place)
    sql = "UPDATE files SET duration_s = ?, rate_hz = ?, trouble = ?, added = ? WHERE place = ?"
    db.execute(sql, row)


def on_samples(file: File, start_s: float, end_s: float) -> tuple[float, float]:
    """Both ends in order, inside of the file, and each on a sample."""
    rate_hz, duration_s = file.rate_hz or 1, file.duration_s
    most_s = float("inf") if duration_s is None else duration_s
    ends = (min(max(0.0, at_s), most_s) * rate_hz for at_s in sorted((start_s, end_s)))
    first, last = (round(end) for end in ends)
    return first / rate_hz, last / rate_hz


def keep_stretches(
    db: sqlite3.Connection, file: str, settings: str, ends: list[tuple[float, float]]
) -> None:
    """Remember where a long file was cut with these settings, in seconds."""
    db.execute(
        "INSERT OR REPLACE INTO stretches VALUES (?, ?, ?)", (file, settings, json.dumps(ends))
    )


def stretches(db: sqlite3.Connection, settings: str) -> dict[str, list[tuple[float, float]]]:
    """Where files were cut with these settings, in seconds, by file."""
    rows = db.execute("SELECT file, ends FROM stretches WHERE settings = ?", (settings,))
    return {file: [(a, b) for a, b in json.loads(ends)] for file, ends in rows}
