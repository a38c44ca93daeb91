"""Label stores of format 1 in format 2, in one transaction, with a copy of the old file beside.

Format 1 has the `user_version` 1 or 2, format 2 has 3. Only names change: every row stays as it is.
A process that is killed in the middle leaves the old store, and the next one converts it again.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

VERSION = 3  # `user_version` of format 2

STEPS = {  # by the version that they start from
    1: (
        "ALTER TABLE marks ADD COLUMN suggested TEXT",
        "ALTER TABLE marks ADD COLUMN token TEXT",
        "CREATE UNIQUE INDEX marks_by_token ON marks (token)",
        "CREATE TABLE stretches (file TEXT, settings TEXT, ends TEXT NOT NULL, "
        "PRIMARY KEY (file, settings))",
    ),
    2: (
        "DROP INDEX IF EXISTS marks_by_token",
        "DROP INDEX IF EXISTS marks_of_files",
        "ALTER TABLE facts RENAME TO settings",
        "ALTER TABLE files RENAME COLUMN place TO relative_path",
        "ALTER TABLE files RENAME COLUMN trouble TO error",
        "ALTER TABLE files RENAME COLUMN added TO added_at",
        "ALTER TABLE classes RENAME COLUMN added TO added_at",
        "ALTER TABLE marks RENAME TO events",
        "ALTER TABLE events RENAME COLUMN who TO annotator",
        "ALTER TABLE events RENAME COLUMN at TO created_at",
        "ALTER TABLE events RENAME COLUMN suggested TO suggestion",
        "ALTER TABLE events RENAME COLUMN token TO request_id",
        "CREATE INDEX events_by_file ON events (file)",
        "CREATE UNIQUE INDEX events_by_request_id ON events (request_id)",
        "ALTER TABLE stretches RENAME TO segments",
    ),
}


def statements(version: int) -> Iterator[str]:
    """What brings a store of that `user_version` to VERSION."""
    for step in range(version, VERSION):
        yield from STEPS[step]
    yield f"PRAGMA user_version={VERSION}"


def convert(db: sqlite3.Connection, path: Path) -> None:
    """Convert the store in the transaction that has begun; where another process did, nothing."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version < VERSION:
        _back_up(path)
        for statement in statements(version):
            db.execute(statement)


def _back_up(path: Path) -> Path:
    """A copy of the store as it was, which appears when all of it is written."""
    backup, number = path.with_name(f"{path.stem}.format-1{path.suffix}"), 1
    while backup.exists():
        number += 1
        backup = path.with_name(f"{path.stem}.format-1-{number}{path.suffix}")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as temporary:
        part = Path(temporary, backup.name)
        where = f"{path.absolute().as_uri()}?mode=rw"
        with (
            closing(sqlite3.connect(where, uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            old.backup(new)
        os.replace(part, backup)
    return backup
