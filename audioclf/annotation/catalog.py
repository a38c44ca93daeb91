"""What a project consists of: its files and their segments, its classes, its settings."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from audioclf.annotation.database import transaction

MERGED = "merged classes"  # the setting
SELECT_FILES = "SELECT relative_path, duration_s, rate_hz, error FROM files"


@dataclass(frozen=True)
class File:
    """An audio file of the project, as it was when it was added."""

    relative_path: str
    duration_s: float | None = None
    rate_hz: int | None = None
    error: str | None = None  # why it cannot be read


def add_files(db: sqlite3.Connection, files: Iterable[File]) -> int:
    """Add files that are not there yet; returns how many were new."""
    before = db.total_changes
    now = time.time()
    with transaction(db):
        db.executemany(
            "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?)",
            [
                (file.relative_path, file.duration_s, file.rate_hz, file.error, now)
                for file in files
            ],
        )
    return db.total_changes - before


def files(db: sqlite3.Connection) -> list[File]:
    """All files, ordered by path."""
    rows = db.execute(
        "SELECT relative_path, duration_s, rate_hz, error FROM files ORDER BY relative_path"
    )
    return [File(*row) for row in rows]


def n_files(db: sqlite3.Connection) -> int:
    """How many files there are."""
    return int(db.execute("SELECT count(*) FROM files").fetchone()[0])


def relative_paths(db: sqlite3.Connection) -> set[str]:
    """The relative paths of all files."""
    return {row[0] for row in db.execute("SELECT relative_path FROM files")}


def file(db: sqlite3.Connection, relative_path: str) -> File | None:
    """The file of that path, or None."""
    row = db.execute(f"{SELECT_FILES} WHERE relative_path = ?", (relative_path,)).fetchone()
    return File(*row) if row else None


def add_class(db: sqlite3.Connection, name: str) -> None:
    """Add a class that is not there yet."""
    add_classes(db, [name])


def add_classes(
    db: sqlite3.Connection, names: Iterable[str], max_classes: int | None = None
) -> None:
    """Add classes that are not there yet, in their order.

    Raises ValueError where there would be more than `max_classes`, and adds none then.
    """
    existing = set(classes(db))
    new = [name for name in dict.fromkeys(names) if name not in existing]
    if new and max_classes is not None and len(existing) + len(new) > max_classes:
        raise ValueError(f"At most {max_classes} classes may be made here: use those there are.")
    now = time.time()
    db.executemany(
        "INSERT OR IGNORE INTO classes (name, added_at) VALUES (?, ?)",
        [(name, now) for name in new],
    )
    if new:
        _set_merged(db, _merged(db) - set(new))


def classes(db: sqlite3.Connection) -> list[str]:
    """The classes in the order in which they were added: their keys stay the same."""
    return list(class_numbers(db))


def class_numbers(db: sqlite3.Connection) -> dict[str, int]:
    """The classes in their order, each with its number from 1 on, which no other one ever gets."""
    merged = _merged(db)
    rows = db.execute("SELECT name, number FROM classes ORDER BY number")
    return {name: number for name, number in rows if name not in merged}


def rename_class(db: sqlite3.Connection, old: str, new: str) -> None:
    """Rename a class; where the new name is another class's, both are merged.

    The row of a merged class stays, with its number, for `undo_rename`.
    """
    if old == new:
        return
    if _has_row(db, new):
        _set_merged(db, (_merged(db) | {old}) - {new})
    else:
        db.execute("UPDATE classes SET name = ? WHERE name = ?", (new, old))


def undo_rename(db: sqlite3.Connection, old: str, new: str, used: Collection[str]) -> None:
    """Undo a `rename_class`; a class of the new name stays where it is among those in use."""
    if _has_row(db, old) or new in used:
        add_class(db, old)
        _set_merged(db, _merged(db) - {old})
    else:
        db.execute("UPDATE classes SET name = ? WHERE name = ?", (old, new))


def _has_row(db: sqlite3.Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM classes WHERE name = ?", (name,)).fetchone() is not None


def _merged(db: sqlite3.Connection) -> set[str]:
    """The classes that are part of another one now."""
    return set(setting(db, MERGED, []))


def _set_merged(db: sqlite3.Connection, names: set[str]) -> None:
    set_setting(db, MERGED, sorted(names))


def set_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Store a plain value, such as the project's name."""
    text = json.dumps(value, ensure_ascii=False)
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, text))


def setting(db: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """A stored value."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else default


def set_error(db: sqlite3.Connection, relative_path: str, error: str) -> None:
    """Store why a file cannot be read."""
    sql = "UPDATE files SET error = ?, added_at = ? WHERE relative_path = ?"
    db.execute(sql, (error, time.time(), relative_path))


def error_times(db: sqlite3.Connection) -> dict[str, float]:
    """The files that could not be read, and when that was found, in seconds since 1970."""
    return dict(db.execute("SELECT relative_path, added_at FROM files WHERE error NOT NULL"))


def errors(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """The files that cannot be read, and why."""
    return list(db.execute("SELECT relative_path, error FROM files WHERE error NOT NULL"))


def replace_file(db: sqlite3.Connection, file: File) -> None:
    """Update a file that has changed."""
    row = (file.duration_s, file.rate_hz, file.error, time.time(), file.relative_path)
    values = "duration_s = ?, rate_hz = ?, error = ?, added_at = ?"
    db.execute(f"UPDATE files SET {values} WHERE relative_path = ?", row)


def on_samples(file: File, start_s: float, end_s: float) -> tuple[float, float]:
    """Both ends in order, inside of the file, and each on a sample."""
    rate_hz, duration_s = file.rate_hz or 1, file.duration_s
    most_s = float("inf") if duration_s is None else duration_s
    ends = (min(max(0.0, at_s), most_s) * rate_hz for at_s in sorted((start_s, end_s)))
    first, last = (round(end) for end in ends)
    return first / rate_hz, last / rate_hz


def save_segments(
    db: sqlite3.Connection, file: str, settings: str, ends: list[tuple[float, float]]
) -> None:
    """Store the segments of a long file for these settings, in seconds."""
    db.execute(
        "INSERT OR REPLACE INTO segments VALUES (?, ?, ?)", (file, settings, json.dumps(ends))
    )


def segments(db: sqlite3.Connection, settings: str) -> dict[str, list[tuple[float, float]]]:
    """The segments of files for these settings, in seconds, by file."""
    rows = db.execute("SELECT file, ends FROM segments WHERE settings = ?", (settings,))
    return {file: [(a, b) for a, b in json.loads(ends)] for file, ends in rows}


def segment_settings(db: sqlite3.Connection) -> list[str]:
    """The settings for which segments are stored."""
    return [row[0] for row in db.execute("SELECT DISTINCT settings FROM segments")]
