"""Turns, bodies, pending events, uploads and sessions, each by itself."""

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.queueing import Event
from starlette.datastructures import Headers

from audioclf.ui.app import build_app
from audioclf.ui.http import body as http_body
from audioclf.ui.http import pending as http_pending
from audioclf.ui.http import sessions as http_sessions
from audioclf.ui.http import uploads as http_uploads
from audioclf.ui.http.pending import Pending
from audioclf.ui.http.sessions import Sessions
from audioclf.ui.http.uploads import Quota, Uploads
from audioclf.ui.http.visitor import RefusedError, Turns, address_of

HOSTS = {"here.example"}


def run(scene: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: Playwright's loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scene).result(60)


def scope_of(client: str, forwarded: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (client, 1), "headers": headers}


def test_the_forwarded_address_counts_on_a_space_and_only_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scope = scope_of("10.0.0.1", "6.6.6.6, 203.0.113.9")
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert address_of(scope) == "10.0.0.1"
    monkeypatch.setenv("SPACE_ID", "user/space")
    assert address_of(scope) == "203.0.113.9"
    assert address_of(scope_of("10.0.0.1")) == "10.0.0.1"


def test_all_addresses_of_one_ipv6_network_are_one_visitor() -> None:
    first, second = scope_of("2001:db8:1:2::5"), scope_of("2001:db8:1:2:ffff::7")
    assert address_of(first) == address_of(second)
    assert address_of(first) != address_of(scope_of("2001:db8:1:3::5"))
    assert address_of(scope_of("::ffff:192.0.2.1")) == "192.0.2.1"


def test_requests_wait_for_their_turn_and_a_long_line_is_refused() -> None:
    async def scene() -> list[str]:
        turns, seen = Turns(1, 1), []
        release = asyncio.Event()

        async def ask(name: str, address: str) -> None:
            try:
                async with turns.turn(address):
                    seen.append(name)
                    await release.wait()
            except RefusedError as refusal:
                seen.append(f"{name} {refusal.status}")

        tasks = []
        for name, address in (("first", "a"), ("second", "a"), ("third", "a"), ("other", "b")):
            tasks.append(asyncio.create_task(ask(name, address)))
            await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*tasks)
        assert turns._lines == {}
        return seen

    assert run(scene()) == ["first", "third 429", "other", "second"]


def test_a_turn_that_was_waited_for_in_vain_is_given_on() -> None:
    async def scene() -> None:
        turns, release = Turns(1, 2), asyncio.Event()

        async def ask() -> None:
            async with turns.turn("a"):
                await release.wait()

        first, gone, last = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0)
        gone.cancel()
        release.set()
        await asyncio.wait_for(asyncio.gather(first, last), 5)
        assert turns._lines == {}

    run(scene())


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"path": "http://127.0.0.1:1/x.wav"}, 422),
        ({"path": " HTTPS://there.example/x.wav"}, 422),
        ({"path": "//there.example/share"}, 422),
        ({"path": "\\\\there.example\\share"}, 422),
        ({"path": "/uploads/a.wav", "url": "http://there.example/gradio_api/file=/a.wav"}, 422),
        ({"path": "/uploads/a.wav", "url": "http://here.example:7860/other"}, 422),
        ({"path": "/uploads/a.wav", "url": "http://here.example:7860/gradio_api/file=/a.wav"}, 0),
        ({"path": "/uploads/a.wav", "url": "/gradio_api/file=/uploads/a.wav"}, 0),
        ({"path": "/uploads/a.wav", "url": None}, 0),
        ({"name": "http://there.example"}, 0),
    ],
)
def test_files_are_named_here_alone(value: Any, status: int) -> None:
    body = json.dumps({"data": [1, [{"deep": value}]]}).encode()
    if not status:
        assert http_body.parse(body, HOSTS) == json.loads(body)
        return
    with pytest.raises(RefusedError, match="upload the file itself") as refusal:
        http_body.parse(body, HOSTS)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b"[" * 200 + b"]" * 200, 400),
        (b"{nothing", 400),
        (b"\xff\xfe", 400),
        (b"[" + b"[]," * 150_000 + b"1]", 413),
    ],
)
def test_bodies_that_cannot_be_read_are_told_so(body: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        http_body.parse(body, HOSTS)
    assert refusal.value.status == status


def test_a_body_is_read_up_to_its_limit_whatever_was_announced() -> None:
    async def read(parts: list[bytes], headers: dict[str, str]) -> bytes:
        messages = [
            {"type": "http.request", "body": part, "more_body": i + 1 < len(parts)}
            for i, part in enumerate(parts)
        ]

        async def receive() -> Any:
            return messages.pop(0)

        return await http_body.read_body(receive, Headers(headers), 10)

    assert run(read([b"12345", b"67890"], {})) == b"1234567890"
    for parts, headers in (([b"12345", b"678901"], {}), ([b"1"], {"content-length": "11"})):
        with pytest.raises(RefusedError, match="too large"):
            run(read(parts, headers))


def queued(app: gr.Blocks, client: str, session: str) -> Event:
    """One more event in Gradio's queue, as `Queue.push` puts it there."""
    queue, fn = app._queue, app.fns[0]
    queue.create_event_queue_for_fn(fn)
    event = Event(session, fn, SimpleNamespace(scope=scope_of(client)), None)
    queue.pending_messages_per_session.setdefault(session, asyncio.Queue())
    queue.pending_event_ids_session.setdefault(session, set()).add(event._id)
    queue.event_ids_to_events[event._id] = event
    queue.event_queue_per_concurrency_id[fn.concurrency_id].queue.append(event)
    return event


@pytest.fixture
def small_app() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as app:
        gr.Button().click(lambda: None)
    return app.queue()


def test_pending_events_are_capped_per_session_and_per_address(small_app: gr.Blocks) -> None:
    pending = Pending(small_app._queue)
    for _ in range(http_pending.MOST_OF_SESSION):
        pending.check("a", "one")
        queued(small_app, "a", "one")
        pending.accepted("a", "one")
    with pytest.raises(RefusedError, match="this page") as refusal:
        pending.check("a", "one")
    assert refusal.value.status == 429
    n_more = http_pending.MOST_OF_ADDRESS - http_pending.MOST_OF_SESSION
    for number in range(n_more):
        pending.check("a", None)
        queued(small_app, "a", f"{number}")
        pending.accepted("a", f"{number}")
    with pytest.raises(RefusedError, match="your address"):
        pending.check("a", "another")
    pending.check("b", "another")


def test_the_first_of_every_address_comes_before_anybodys_second(small_app: gr.Blocks) -> None:
    pending = Pending(small_app._queue)
    for client in ("a", "a", "a", "b", "b", "c"):
        queued(small_app, client, client)
        pending.accepted(client, client)
    (line,) = small_app._queue.event_queue_per_concurrency_id.values()
    assert [event.session_hash for event in line.queue] == ["a", "b", "c", "a", "b", "a"]


def test_results_that_nobody_fetches_count_and_are_dropped_in_the_end(
    small_app: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending, queue = Pending(small_app._queue), small_app._queue
    for _ in range(http_pending.MOST_OF_SESSION):
        event = queued(small_app, "a", "one")
        pending.accepted("a", "one")
        queue.event_ids_to_events.pop(event._id)  # done
    with pytest.raises(RefusedError):
        pending.check("a", "one")
    monkeypatch.setattr(http_pending, "UNFETCHED_S", -1.0)
    pending.check("a", "one")
    assert not queue.pending_event_ids_session
    assert not queue.pending_messages_per_session


def test_sessions_whose_page_is_open_are_kept_and_others_go(
    small_app: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_sessions, "MOST_IDLE", 10)
    sessions = Sessions()
    sessions.set_blocks(small_app)
    labelling = sessions["labels for an hour"]
    sessions.open("labels for an hour", 1)
    for number in range(300):
        assert sessions[f"{number}"].config_values == {}
    assert sessions["labels for an hour"] is labelling
    assert len(sessions.session_data) == 11
    sessions.open("labels for an hour", -1)
    for number in range(20):
        sessions[f"later {number}"].is_closed = False
    assert "labels for an hour" not in sessions
    assert len(sessions.session_data) == len(sessions.time_last_used) == 10


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    http_uploads.use_own_folders()
    return tmp_path


def put(folder: Path, name: str, n_bytes: int) -> Path:
    path = folder / http_uploads.UPLOADS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    return path


def test_uploads_have_a_quota_per_address_and_in_all(folders: Path, small_app: gr.Blocks) -> None:
    uploads = Uploads(small_app, Quota(total=250, of_address=100))
    uploads.take("a", 60)
    with pytest.raises(RefusedError, match="your address") as refusal:
        uploads.take("a", 41)
    assert refusal.value.status == 413
    uploads.arrived("a", 60, [str(put(folders, "x/a.wav", 60))])
    with pytest.raises(RefusedError, match="your address"):
        uploads.take("a", 41)
    uploads.take("b", 100)
    with pytest.raises(RefusedError, match="no room") as refusal:
        uploads.take("c", 91)
    assert refusal.value.status == 507
    put(folders, "x/a.wav", 0).unlink()
    run(uploads.make_room(0))
    uploads.take("a", 100)


def test_what_pages_made_goes_first_where_there_is_no_room(
    folders: Path, small_app: gr.Blocks
) -> None:
    uploads = Uploads(small_app, Quota(total=250, of_address=200))
    theirs = put(folders, "x/theirs.wav", 100)
    uploads.take("a", 100)
    uploads.arrived("a", 100, [str(theirs)])
    export = put(folders, "y/export.zip", 100)
    arriving = put(folders, "tmp1", 10)
    run(uploads.make_room(100))
    uploads.take("b", 100)
    assert theirs.exists() and arriving.exists() and not export.exists()


def test_old_files_of_this_app_alone_are_tidied(
    folders: Path, small_app: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = folders / "another app's"
    foreign.write_bytes(b"1")
    left = [put(folders, "tmp_half", 10), put(folders, "hash/a.wav", 10)]
    temporary = folders / http_uploads.TEMPORARY / "tmp_export"
    temporary.mkdir()
    (temporary / "part").write_bytes(b"1")
    example = put(folders, "hash2/example.wav", 10)
    list(small_app.blocks.values())[0].keep_in_cache = {str(example)}
    http_uploads.cleanup(small_app)
    assert all(path.exists() for path in (*left, temporary, example, foreign))
    monkeypatch.setattr(http_uploads, "HOUR_S", -1.0)
    http_uploads.cleanup(small_app)
    assert example.exists() and foreign.exists()
    assert not any(path.exists() for path in (*left, temporary, left[1].parent))


def test_what_does_not_queue_sets_no_state_that_is_listened_to() -> None:
    """The page hears of such changes through the queue alone, and would not go on."""
    app = build_app()
    listened = {
        target for fn in app.fns.values() for target, event in fn.targets if event == "change"
    }
    at_once = [fn for fn in app.fns.values() if fn.fn is not None and not fn.queue]
    assert at_once
    for fn in at_once:
        states = {block._id for block in fn.outputs if isinstance(block, gr.State)}
        assert not states & listened, fn.name
