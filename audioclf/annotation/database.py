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

from audioclf.annotation import store_conversion
from audioclf.annotation.store_conversion import VERSION

BUSY_MS = 10_000
PRIMARY = 0xFF  # of an SQLite error code: the rest of it is detail
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
OTHER_ADVICE = "cannot be read or written ({error}): try it again"


class StoreError(ValueError):
    """The store itself cannot be read or written now; later it may be."""


SCHEMA = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE files (relative_path TEXT PRIMARY KEY, duration_s REAL, rate_hz INTEGER, "
    "error TEXT, added_at REAL NOT NULL)",
    "CREATE TABLE classes (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
    "added_at REAL NOT NULL)",
    "CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, "
    "file TEXT NOT NULL, start_s REAL, end_s REAL, kind TEXT NOT NULL, names TEXT NOT NULL, "
    "annotator TEXT NOT NULL, created_at REAL NOT NULL, accepted TEXT, undoes INTEGER, "
    "suggestion TEXT, request_id TEXT)",
    "CREATE INDEX events_by_file ON events (file)",
    "CREATE UNIQUE INDEX events_by_request_id ON events (request_id)",
    "CREATE TABLE segments (file TEXT, settings TEXT, ends TEXT NOT NULL, "
    "PRIMARY KEY (file, settings))",
    f"PRAGMA user_version={VERSION}",
)


@contextmanager
def connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the store, created where it is missing; use it in one thread. Raises ValueError."""
    with _errors_explained(path):
        _create_if_missing(path)
        with _open(path) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ValueError(f"“{path.name}” is of a newer audioclf: update audioclf.")
            if version == 0:  # every store is made whole, so this one has lost what it held
                raise _error(path, sqlite3.SQLITE_CORRUPT)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            if version < VERSION:
                _convert(db, path)
            yield db


@contextmanager
def _errors_explained(path: Path) -> Iterator[None]:
    """Raise errors of SQLite as a StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(path, (error_code(error) or 0) & PRIMARY, error) from error


def error_code(error: sqlite3.Error) -> int | None:
    """SQLite's number of what went wrong; errors of Python's own module have none."""
    return getattr(error, "sqlite_errorcode", None)


def _error(path: Path, code: int, error: sqlite3.Error | None = None) -> StoreError:
    advice = ADVICE.get(code, OTHER_ADVICE.format(error=error))
    return StoreError(f"“{path.name}” {advice}.")


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing file: one that was deleted meanwhile is not created again."""
    where = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(where, timeout=BUSY_MS / 1e3, isolation_level=None, uri=True)
    try:
        yield db
    finally:
        db.close()


def _create_if_missing(path: Path) -> None:
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
        new = Path(temporary, path.name)
        new.touch()
        with _open(new) as db, transaction(db):
            for statement in SCHEMA:
                db.execute(statement)
        try:
            os.link(new, path)
        except FileExistsError:  # another process was quicker
            pass
        except OSError:  # a disk without links
            new.replace(path)


def _convert(db: sqlite3.Connection, path: Path) -> None:
    """Bring an older store up to date, in one piece."""
    try:
        with transaction(db):
            store_conversion.convert(db, path)
    except OSError as error:
        raise StoreError(
            f"“{path.name}” cannot be converted ({error.strerror or error}): make its folder "
            "writable, or free some space."
        ) from error


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # where the disk is full SQLite has taken it back itself
            db.execute("ROLLBACK")
        raise
