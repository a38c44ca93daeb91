"""The store of labels: nothing is lost by undoing, by a second tab, or by a kill."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from tests.conftest import ROOT
from tests.sentences import refusal

BAD_AUDIO, LABEL, REMOVED, UNSURE = (
    EventKind.BAD_AUDIO,
    EventKind.LABEL,
    EventKind.REMOVED,
    EventKind.UNSURE,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "labels.sqlite"


def say(path: Path, *events: AnnotationEvent) -> None:
    with database.connect(path) as db:
        for event in events:
            event_log.add(db, event)


def counts(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    with database.connect(path) as db:
        return [(event.file, event.names) for event in event_log.current(db)]


def test_a_later_mark_of_the_same_place_counts_and_both_are_kept(path: Path) -> None:
    say(
        path, AnnotationEvent("a.wav", LABEL, ("wren",)), AnnotationEvent("b.wav", LABEL, ("rain",))
    )
    say(
        path,
        AnnotationEvent(
            "a.wav", LABEL, ("rain", "wren"), annotator="Ann", accepted=("yamnet", 0.8)
        ),
    )
    assert counts(path) == [("b.wav", ("rain",)), ("a.wav", ("rain", "wren"))]
    with database.connect(path) as db:
        events = event_log.history(db)
        assert [event.names for event, _ in events] == [("wren",), ("rain",), ("rain", "wren")]
        assert events[2][0].accepted == ("yamnet", 0.8) and events[2][0].created_at > 1.7e9
        named = [(label.file, label.name) for label in event_log.labels(db)]
    assert named == [("b.wav", "rain"), ("a.wav", "rain"), ("a.wav", "wren")]


def test_undo_takes_back_one_s_own_last_word_and_the_earlier_one_counts_again(path: Path) -> None:
    say(
        path,
        AnnotationEvent("a.wav", LABEL, ("wren",), annotator="Ann"),
        AnnotationEvent("a.wav", UNSURE, annotator="Bob"),
    )
    say(path, AnnotationEvent("a.wav", LABEL, ("rain",), annotator="Ann"))
    with database.connect(path) as db:
        first = event_log.undo(db, "Ann")
        assert first is not None and first.names == ("rain",)
        assert [event.kind for event in event_log.current(db)] == [UNSURE]
        assert event_log.undo(db, "Bob") is not None
        assert [event.names for event in event_log.current(db)] == [("wren",)]
        assert event_log.undo(db, "Ann") is not None
        assert event_log.current(db) == [] and event_log.undo(db, "Ann") is None
        assert len(event_log.history(db)) == 6  # all of it is kept


def test_regions_move_are_renamed_and_removed(path: Path) -> None:
    first = AnnotationEvent("a.wav", LABEL, ("wren",), 1.0, 2.0, region="r1")
    say(
        path,
        first,
        AnnotationEvent("a.wav", LABEL, ("wren",), 1.0, 2.0),
        AnnotationEvent("a.wav", BAD_AUDIO),
    )
    say(path, AnnotationEvent("a.wav", LABEL, ("rain",), 1.25, 3.5, region="r1"))
    with database.connect(path) as db:
        spans = [(m.region, m.start_s, m.end_s, m.names) for m in event_log.current(db)]
        assert spans[-1] == ("r1", 1.25, 3.5, ("rain",)) and len(spans) == 3
        event_log.add(db, AnnotationEvent("a.wav", REMOVED, region="r1"))
        assert "r1" not in [event.region for event in event_log.current(db)]
        event_log.undo(db, "")
        assert "r1" in [event.region for event in event_log.current(db)]


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=1>", "${x}", "=HYPERLINK(1)", "../x", "🎧", "عصفور", "x" * 300, "'; DROP"],
)
def test_names_come_back_as_they_were_typed(path: Path, name: str) -> None:
    with database.connect(path) as db:
        catalog.add_class(db, name)
        catalog.add_class(db, name)
        catalog.add_files(db, [File(name, 1.5, 44_100), File(name, 9.0)])
        event_log.add(db, AnnotationEvent(name, LABEL, (name,), annotator=name))
        catalog.set_setting(db, name, {"a": name})
    with database.connect(path) as db:
        assert catalog.classes(db) == [name]
        assert catalog.files(db) == [File(name, 1.5, 44_100)]
        assert event_log.labels(db)[0].name == name == event_log.labels(db)[0].annotator
        assert catalog.setting(db, name) == {"a": name} and catalog.setting(db, "other", 3) == 3


@pytest.mark.parametrize(
    "event",
    [
        AnnotationEvent("a", "magic"),
        AnnotationEvent("a", LABEL),
        AnnotationEvent("a", UNSURE, ("x",)),
    ],
)
def test_what_is_no_mark_is_refused(path: Path, event: AnnotationEvent) -> None:
    with database.connect(path) as db:
        assert "names a class" in refusal(lambda: event_log.add(db, event))
        assert event_log.history(db) == []


def test_two_who_write_at_once_lose_nothing(path: Path) -> None:
    with database.connect(path):
        pass

    def write(who: str) -> None:
        for number in range(100):
            say(path, AnnotationEvent(f"{who}{number}.wav", LABEL, ("wren",), annotator=who))

    writers = [threading.Thread(target=write, args=(who,)) for who in "ABC"]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert len(counts(path)) == 300


WRITER = """
import sys
from pathlib import Path
from audioclf.annotation import database, event_log
from audioclf.annotation.event_log import AnnotationEvent
number = 0
while True:
    with database.connect(Path(sys.argv[1])) as db:
        event_log.add(db, AnnotationEvent(f"{number}.wav", "label", ("wren",)))
    print(number, flush=True)
    number += 1
"""


def test_what_was_acknowledged_is_there_after_a_kill(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(25)]
    time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    acknowledged += child.stdout.readlines()
    child.wait()
    last = max(int(line) for line in acknowledged if line.endswith("\n"))
    stored = {event[0] for event in counts(path)}
    assert {f"{number}.wav" for number in range(last + 1)} <= stored
    assert len(stored) <= last + 2


def test_a_file_that_is_no_store_or_a_newer_one_is_a_sentence(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 100)

    def look() -> None:
        with database.connect(path) as db:
            event_log.current(db)

    assert "is no set of labels" in refusal(look)
    path.unlink()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version=99")
    newer.close()
    assert "newer audioclf" in refusal(look)


def test_a_new_store_is_there_whole_or_not_at_all(path: Path) -> None:
    with database.connect(path) as db:
        assert event_log.current(db) == []
    assert [one.name for one in path.parent.iterdir()] == [path.name]  # nothing half made is left
    counted = []

    def make(name: str) -> None:
        with database.connect(path.with_name("other.sqlite")) as db:
            catalog.set_setting(db, name, 1)
            counted.append(name)

    makers = [threading.Thread(target=make, args=(name,)) for name in "abcdefgh"]
    for one in makers:
        one.start()
    for one in makers:
        one.join()
    with database.connect(path.with_name("other.sqlite")) as db:
        assert all(catalog.setting(db, name) == 1 for name in counted) and len(counted) == len(
            makers
        )


@pytest.mark.parametrize("n_bytes", [0, 1, 100])
def test_a_store_that_was_cut_off_is_damage_and_no_new_set(path: Path, n_bytes: int) -> None:
    say(path, AnnotationEvent("a.wav", LABEL, ("wren",)))
    path.write_bytes(path.read_bytes()[:n_bytes])
    message = refusal(lambda: counts(path))
    assert "is damaged: put back" in message or "is no set of labels: put back" in message
    assert path.stat().st_size == n_bytes  # nothing was written over what may be saved


def test_what_goes_wrong_with_a_store_is_told_apart(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.connect(path) as db:
        catalog.add_files(db, [File(f"{number}" * 60, 1.0) for number in range(2_000)])

    def full() -> None:
        with database.connect(path) as db:
            db.execute("PRAGMA max_page_count=1")
            catalog.add_files(db, [File(f"x{number}" * 60, 1.0) for number in range(2_000)])

    def read_only() -> None:
        with database.connect(path) as db:
            db.execute("PRAGMA query_only=1")
            catalog.set_setting(db, "a", 1)

    assert "the disk is full: free some space" in refusal(full)
    assert "make the file and its folder writable" in refusal(read_only)
    monkeypatch.setattr(database, "BUSY_MS", 100)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "in use by another program" in refusal(
        lambda: say(path, AnnotationEvent("a.wav", UNSURE))
    )
    other.close()
    raw = path.read_bytes()
    path.write_bytes(raw[:4_096] + b"\xaa" * (len(raw) - 4_096))
    assert "is damaged: put back a copy" in refusal(lambda: counts(path))
    folder = path.with_name("folder.sqlite")
    folder.mkdir()
    assert "cannot be opened" in refusal(lambda: counts(folder))


def test_ten_thousand_marks_are_read_in_one_go(path: Path) -> None:
    with database.connect(path) as db:
        catalog.add_files(db, [File(f"{i:05}.wav", 2.0) for i in range(10_000)])
        db.execute("BEGIN")
        for i in range(10_000):
            event_log.add(db, AnnotationEvent(f"{i:05}.wav", LABEL, ("wren",)))
        db.execute("COMMIT")
        assert len(event_log.current(db)) == len(catalog.files(db)) == 10_000


def test_the_current_events_are_the_last_of_every_target_whatever_was_undone(path: Path) -> None:
    """Against the definition: all events one after the other, without those that are undone."""
    rng = random.Random(0)
    with database.connect(path) as db:
        for _ in range(400):
            kind = rng.choice([LABEL, LABEL, UNSURE, REMOVED])
            start_s = rng.choice([None, 0.0, 1.5])
            event = AnnotationEvent(
                rng.choice("abc"),
                kind,
                (rng.choice(["wren", "rain"]),) if kind == LABEL else (),
                start_s,
                None if start_s is None else start_s + 1,
                region=rng.choice(["", "", "r1", "r2"]),
                annotator=rng.choice(["Ann", "Bob"]),
            )
            event_log.add(db, event)
            if rng.random() < 0.2:
                event_log.undo(db, rng.choice(["Ann", "Bob"]))
        history = event_log.history(db)
        undone = {number for _, number in history}
        latest: dict[object, AnnotationEvent] = {}
        for event, undoes in history:
            if undoes is None and event.number not in undone:
                latest.pop(event.target, None)
                latest[event.target] = event
        expected = [event for event in latest.values() if event.kind != REMOVED]
        assert len(undone) > 50 and event_log.current(db) == expected
        for file in "abcd":
            assert event_log.current(db, file) == [one for one in expected if one.file == file]
