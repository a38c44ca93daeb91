"""The one SQLite file of a data set that people label: what lies in it, and how it is opened.

Several processes and tabs may write at once (write-ahead logging), and what was acknowledged is
there after a kill.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_MS = 10_000
PRIMARY = 0xFF  # of an SQLite error code: the rest of it says more than is told here
ADVICE = {
    sqlite3.SQLITE_NOTADB: "is no set of labels: put back the file that was here",
    sqlite3.SQLITE_CORRUPT: "is damaged: put back a copy of it",
    sqlite3.SQLITE_FULL: "cannot be written, the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk failed: look whether it is full",
    sqlite3.SQLITE_READONLY: "cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_PERM: "may not be read: make the file and its folder writable",
    sqlite3.SQLITE_BUSY: "is in use by another program: end that one, or wait a little",
    sqlite3.SQLITE_LOCKED: "is in use by another program: end that one, or wait a little",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: make the file and its folder writable",
}
OTHERWISE = "cannot be read or written ({error}): try it again"


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
    with _told(path):
        _make_where_missing(path)
        with _connected(path) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ValueError(f"“{path.name}” is of a newer audioclf: update this one.")
            if version == 0:  # every store is made whole, so this one has lost what it held
                raise _error(path, sqlite3.SQLITE_CORRUPT)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            if version < VERSION:
                _bring_up_to_date(db)
            yield db


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong with the file as a StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(path, (error_code(error) or 0) & PRIMARY, error) from error


def error_code(error: sqlite3.Error) -> int | None:
    """SQLite's number of what went wrong; errors of Python's own module have none."""
    return getattr(error, "sqlite_errorcode", None)


def _error(path: Path, code: int, error: sqlite3.Error | None = None) -> StoreError:
    advice = ADVICE.get(code, OTHERWISE.format(error=error))
    return StoreError(f"“{path.name}” {advice}.")


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A file that is there, opened: one that was deleted meanwhile is not made again."""
    where = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(where, timeout=BUSY_MS / 1e3, isolation_level=None, uri=True)
    try:
        yield db
    finally:
        db.close()


def _make_where_missing(path: Path) -> None:
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
    except OSError as error:
        why = error.strerror or error
        raise StoreError(
            f"“{path.name}” cannot be made ({why}): make its folder writable, or free some space."
        ) from error


def _make(path: Path) -> None:
    """A new store: made under another name, so that one under its own name is never half made."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as temporary:
        made = Path(temporary, path.name)
        made.touch()
        with _connected(made) as db:
            _bring_up_to_date(db)
        try:
            os.link(made, path)
        except FileExistsError:  # another process was quicker
            pass
        except OSError:  # a disk without links
            made.replace(path)


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
        if db.in_transaction:  # where the disk is full SQLite has taken it back itself
            db.execute("ROLLBACK")
        raise
