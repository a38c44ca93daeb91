"""Label stores of format 1 open with every label, whatever happens in the middle."""

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audioclf.annotation import catalog, database, event_log, store_conversion
from audioclf.annotation.event_log import AnnotationEvent, Suggestion
from tests.sentences import refusal

DUMP = Path(__file__).parent.parent / "data" / "format_1" / "labels.sql"  # of the first version
FIRST = """
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
PRAGMA user_version=1;
INSERT INTO marks (region, file, kind, names, who, at)
VALUES ('', 'a.wav', 'label', '["wren"]', 'Ann', 1);
"""


def store(folder: Path, sql: str = "") -> Path:
    """A store as the first version left it."""
    path = folder / "labels.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(sql or DUMP.read_text(encoding="utf-8"))
    return path


def rows(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables, by what they are called today."""
    old = {"facts": "settings", "marks": "events", "stretches": "segments"}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {old.get(name, name): list(db.execute(f"SELECT * FROM {name}"))
                for name in names if not name.startswith("sqlite_")}  # fmt: skip


def test_a_store_of_the_first_version_opens_with_all_that_was_said(tmp_path: Path) -> None:
    path = store(tmp_path)
    before = {name: list(values) for name, values in rows(path).items()}
    with database.connect(path) as db:
        assert catalog.classes(db) == ["wren", "crow", "rain, häil"]
        assert catalog.setting(db, "name") == "Birds" and catalog.setting(db, "folder") is None
        assert catalog.files(db)[1] == catalog.File("b/long.wav", 90.5, 44_100)
        assert catalog.errors(db) == [("cut.wav", "is cut off: copy it again.")]
        assert catalog.segments(db, '{"min_gap_s": 0.1}') == {
            "b/long.wav": [(0.0, 5.0), (5.5, 90.5)]
        }
        labels = [(one.file, one.name, one.start_s, one.end_s) for one in event_log.labels(db)]
        assert labels == [
            ("a.wav", "crow", None, None),
            ("a.wav", "rain, häil", None, None),
            ("b/long.wav", "wren", 11.0, 13.0),
        ]
        times = {one.created_at for one in event_log.labels(db)}
        assert times == {"2023-11-14T22:13:22Z", "2023-11-14T22:13:26Z"}
        history = event_log.history(db)
        assert len(history) == 10 and history[-1][1] == 9
        assert history[0][0].suggested == Suggestion("wren", 0.75, "yamnet-esc10", False)
        assert history[0][0].accepted == ("yamnet-esc10", 0.75)
        again = event_log.add(db, AnnotationEvent("a.wav", "label", ("wren",), request_id="r-2"))
        assert again.number == 2 and len(event_log.history(db)) == 10  # sent twice, also now
        new = event_log.add(db, AnnotationEvent("a.wav", "label", ("wren",)))
        assert new.number > 10
        db.execute("DELETE FROM events WHERE number = ?", (new.number,))
    assert rows(path) == before
    assert rows(tmp_path / "labels.format-1.sqlite") == before
    with database.connect(path):
        pass
    assert len(list(tmp_path.glob("*format-1*"))) == 1


def test_one_of_before_that_version_does_too_and_is_as_one_made_today(tmp_path: Path) -> None:
    path = store(tmp_path, FIRST)
    with database.connect(path) as db:
        assert [event.names for event in event_log.current(db)] == [("wren",)]
        event_log.add(db, AnnotationEvent("a.wav", "label", ("rain",), request_id="t"))
        event_log.add(db, AnnotationEvent("a.wav", "label", ("hail",), request_id="t"))
        assert [event.names for event in event_log.current(db)] == [("rain",)]
        converted = columns(db)
    with database.connect(tmp_path / "new.sqlite") as db:
        assert columns(db) == converted


def columns(db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Every table's columns and every index, with the version."""
    names = [
        row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 's%_%'")
    ]
    by_table = {
        name: [row[1:] for row in db.execute(f"PRAGMA table_xinfo({name})")] for name in names
    }
    return by_table | {"version": list(db.execute("PRAGMA user_version"))}


def test_a_kill_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    n_statements = len(list(store_conversion.statements(2)))
    for n_done in range(n_statements + 1):
        (folder := tmp_path / str(n_done)).mkdir()
        path = store(folder)
        before = rows(path)
        killed = os.fork()
        if killed == 0:  # a process of its own, which dies after that many statements
            convert_and_die(path, n_done)
        assert os.waitpid(killed, 0)[1] == signal.SIGKILL
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (2,)
        with database.connect(path) as db:
            assert len(event_log.history(db)) == 10
        assert rows(path) == before
        backups = sorted(folder.glob("labels.format-1*"))
        assert backups and all(rows(backup) == before for backup in backups)


def convert_and_die(path: Path, n_done: int) -> None:
    original = store_conversion.statements

    def some(version: int) -> Iterator[str]:
        for number, statement in enumerate([*original(version), ""]):
            if number == n_done:
                os.kill(os.getpid(), signal.SIGKILL)
            yield statement

    store_conversion.statements = some
    with database.connect(path):
        os._exit(1)


def test_two_that_open_it_at_once_convert_it_once(tmp_path: Path) -> None:
    path, errors = store(tmp_path), []

    def open_it() -> None:
        try:
            with database.connect(path) as db:
                assert len(event_log.history(db)) == 10
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == [] and len(list(tmp_path.glob("*format-1*"))) == 1


def test_one_of_a_later_version_says_what_to_do(tmp_path: Path) -> None:
    path = store(tmp_path, f"CREATE TABLE x (y); PRAGMA user_version={database.VERSION + 1};")
    assert refusal(lambda: database.connect(path).__enter__()) == (
        "“labels.sqlite” is of a newer audioclf: update audioclf."
    )
    assert list(tmp_path.glob("*format-1*")) == []


def test_where_the_disk_is_full_the_old_store_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store(tmp_path)
    before = rows(path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_conversion.os, "replace", full)
    assert "No space left" in refusal(lambda: database.connect(path).__enter__())
    monkeypatch.undo()
    assert rows(path) == before and not list(tmp_path.glob(".new-*"))
    with database.connect(path) as db:
        assert len(event_log.history(db)) == 10
