"""Label's background work: few threads, the sets in turns, and nothing done twice."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audioclf.annotation import embedding, project
from audioclf.audio import io
from audioclf.ui.annotate import browse_api, queue_api, regions_api, sessions
from audioclf.ui.annotate import pool as label_pool
from audioclf.ui.annotate.pool import FairPool
from tests import sounds

BACKBONE = "separable_cnn-mel"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)


def a_set(tmp_path: Path, name: str, n_files: int) -> project.AnnotationProject:
    folder = tmp_path / f"{name} in"
    folder.mkdir()
    for i in range(n_files):
        tone = sounds.sine(300 + 40 * i + 7 * len(name), 1.0)
        io.write(folder / f"{i}.wav", tone, sounds.RATE_HZ)
    new_project = project.create(name, folder)
    project.scan_files(new_project)
    return new_project


def until(is_so: Callable[[], bool], patience_s: float = 60) -> None:
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def asking(one: project.AnnotationProject, network: str = BACKBONE, **more: Any) -> dict[str, Any]:
    return {
        "set": one.id,
        "kind": embedding.SuggestionKind.OWN_LABELS,
        "network": network,
        "order": "filed",
        **more,
    }


def test_sets_take_turns_and_what_is_asked_again_is_done_once() -> None:
    pool, done, is_open = FairPool(1), list[str](), threading.Event()

    def step(name: str, n: list[int]) -> bool:
        is_open.wait(10)
        done.append(name)
        n[0] -= 1
        return n[0] > 0

    pool.submit("first", 0, lambda: step("first", [1]))  # holds the only thread
    until(lambda: pool.n_waiting() == 0)
    for number in range(50):
        left = [3]
        pool.submit("flood", number % 5, lambda n=left: step("flood", n))
    small = [2]
    pool.submit("small", "embed", lambda: step("small", small))
    assert pool.n_waiting() == 6  # what was asked before is replaced
    is_open.set()
    until(lambda: len(done) == 1 + 5 * 3 + 2)
    assert [i for i, name in enumerate(done) if name == "small"] == [2, 4]  # every second step


def test_work_that_fails_does_not_end_the_thread() -> None:
    pool, done = FairPool(1), threading.Event()
    pool.submit("a", 0, lambda: bool(1 / 0))
    pool.submit("a", 1, lambda: bool(done.set()))
    assert done.wait(10)


def test_sixty_requests_for_suggestions_are_two_threads_and_others_go_on(tmp_path: Path) -> None:
    flood, small = a_set(tmp_path, "flood", 4), a_set(tmp_path, "small", 2)
    before = threading.active_count()
    for number in range(60):
        cutting = {"window_s": 1.0 + number / 100}
        assert "error" not in queue_api.open_queue(asking(flood, cutting=cutting))
    queue_api.open_queue(asking(small))
    until(lambda: bool(queue_api.next_items(asking(small))["embedding"]["is_ready"]))
    assert threading.active_count() <= before + label_pool.N_THREADS
    for _ in range(20):
        regions_api.open_recording(asking(flood, file="0.wav"))
    assert threading.active_count() <= before + label_pool.N_THREADS
    folders = [folder for folder, _ in sessions._SESSIONS]
    assert str(small.folder) in folders and len(folders) <= sessions.MAX_SESSIONS
    for desk in list(sessions._SESSIONS.values()):
        sessions.start_embedding(desk, sessions.NO_SUGGESTIONS, "")
    until(lambda: label_pool.POOL.n_waiting() == 0)


def test_desks_of_a_set_share_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, requests = a_set(tmp_path, "shared", 5), list[tuple[str, str]]()
    embed_windows, is_open = embedding.embed_windows, threading.Event()

    def counted(own: Any, network: Any, file: str, kind: str) -> Any:
        is_open.wait(10)
        requests.append((network.name, file))
        return embed_windows(own, network, file, kind)

    monkeypatch.setattr(embedding, "embed_windows", counted)
    label_pool.POOL.submit("hold", 0, lambda: not is_open.wait(10))
    ways = [asking(one, cutting={"window_s": 1.0 + number}) for number in range(3)]
    for way in ways:
        queue_api.open_queue(way)
    is_open.set()
    until(lambda: all(queue_api.next_items(way)["embedding"]["is_ready"] for way in ways))
    assert {file for _, file in requests} == {f"{i}.wav" for i in range(5)}
    assert len(requests) <= 6  # the first file may have begun before the others were asked for
    for way in ways:
        assert len(browse_api.draw_map(way)["points"]) == 5


def test_what_cannot_listen_is_told_before_anything_begins(tmp_path: Path) -> None:
    one = a_set(tmp_path, "names", 2)
    for more, words in (
        ({"network": "nobody"}, "There is no model “nobody”"),
        ({"network": "x" * 100_000}, "There is no model"),
        ({"network": ""}, "No model is chosen"),
        ({"kind": "magic"}, "no suggestions from “magic”"),
        ({"kind": None}, "no suggestions from"),
    ):
        n_waiting = label_pool.POOL.n_waiting()
        trouble = queue_api.open_queue({**asking(one), **more})["embedding"]["error"]
        assert words in trouble and len(trouble) < 300
        assert label_pool.POOL.n_waiting() == n_waiting
    queue_api.open_queue(asking(one))
    until(lambda: bool(queue_api.next_items(asking(one))["embedding"]["is_ready"]))
