"""The one SQLite file of a data set that people label: what lies in it, and how it is opened.

Several processes and tabs may write at once (write-ahead logging), and what was acknowledged is
there after a kill.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_MS = 10_000


class StoreError(ValueError):
    """The store itself cannot be read or written now; later it may be."""


STEPS = (  # from an empty file to today's store, one per version
    """
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
""",
    """
ALTER TABLE marks ADD COLUMN suggested TEXT;
ALTER TABLE marks ADD COLUMN token TEXT;
CREATE UNIQUE INDEX marks_by_token ON marks (token);
CREATE TABLE stretches (file TEXT, settings TEXT, ends TEXT NOT NULL, PRIMARY KEY (file, settings));
""",
)
VERSION = len(STEPS)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, made where it is missing; for one task, in one thread. Raises ValueError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_MS / 1e3, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"“{path.name}” cannot be opened here: is the disk full?") from error
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise ValueError(f"“{path.name}” is of a newer audioclf: update this one.")
        if version < VERSION:
            _bring_up_to_date(db)
        yield db
    except sqlite3.Error as error:
        raise StoreError(
            f"“{path.name}” cannot be read or written ({error}): is the disk full?"
        ) from error
    finally:
        db.close()


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """Take the steps that are missing, one at a time; whoever comes second finds them taken."""
    with whole(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for step in STEPS[version:]:
            for statement in step.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")


@contextmanager
def whole(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction: all of it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
