"""The Hub and downloads from servers that are closed, that hang up, or that refuse."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from audioclf.annotation import add_files, catalog, database, event_log, project
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.audio import io
from audioclf.datasets.uploads import Limits
from audioclf.models import download
from audioclf.storage import hf_hub
from audioclf.ui.annotate import transfer
from tests.conftest import free_port
from tests.sentences import refusal
from tests.sounds import noise

LABEL = EventKind.LABEL

TOKEN = "hf_of_a_test"


def status(code: int) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    return answer


def hang_up(handler: Any) -> None:
    """The connection ends after the headers and one byte of the thousand that were announced."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.wfile.flush()
    handler.connection.close()


def say_nothing(handler: Any) -> None:
    handler.connection.close()


def then(later: Callable[[Any], None]) -> Callable[[Any], None]:
    """The repository is made; what comes after that is answered by another.

    After the question what is in it, too, where that is to refuse: the Hub's library asks again for
    20 seconds where an upload is cut.
    """

    def answer(handler: Any) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        answers: dict[str, object] = {"/api/repos/create": {"url": "http://127.0.0.1/me/mine"}}
        if later is not hang_up:
            answers["/api/models/me/mine"] = {"id": "me/mine", "private": True, "siblings": []}
        if handler.path not in answers:
            later(handler)
            return
        body = json.dumps(answers[handler.path]).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def serve(answer: Callable[[Any], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # the connection was closed on purpose
                self.close_connection = True

        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def do_HEAD(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def closed() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


SERVERS = {
    "closed": (closed, "cannot be reached"),
    "silent": (lambda: serve(say_nothing), "cannot be reached"),
    "hangs up": (lambda: serve(hang_up), "cannot be reached"),
    "no JSON": (lambda: serve(status(200)), "unexpected"),
    "401": (lambda: serve(status(401)), "does not know this token"),
    "403": (lambda: serve(status(403)), "may not write"),
    "429": (lambda: serve(status(429)), "asked too often"),
    "500": (lambda: serve(status(500)), "answered 500"),
    "hangs up later": (lambda: serve(then(hang_up)), "cannot be reached"),
    "403 later": (lambda: serve(then(status(403))), "may not write"),
}


@pytest.mark.parametrize("title", SERVERS)
def test_whatever_the_hub_does_is_told_in_a_sentence(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.json").write_text("{}")
    server, words = SERVERS[title]
    with server() as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)  # as HF_ENDPOINT does at the start
        message = refusal(lambda: hf_hub.push(tmp_path, "me/mine", TOKEN))
    assert words in message and TOKEN not in message


def test_a_data_set_that_cannot_be_pushed_says_so_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path))
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    io.write(tmp_path / "1.wav", noise(0.2), 8_000)
    one = project.create("garden")
    add_files.add_files(one, [tmp_path / "1.wav"], Limits())
    with database.connect(one.store) as db:
        catalog.add_class(db, "hum")
        event_log.add(db, AnnotationEvent("1.wav", LABEL, ("hum",), annotator="me"))
    with closed() as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        message = transfer.push_set(one.id, "audiofolder", "me/mine", TOKEN, False, {})
    assert "The Hub cannot be reached from here" in message


@pytest.mark.parametrize("token", ["", "two words", "hf_\x01", "hf_\nx", "hf_ä", "x" * 600])
def test_a_token_that_cannot_be_one_is_not_sent(token: str, tmp_path: Path) -> None:
    message = refusal(lambda: hf_hub.push(tmp_path, "me/mine", token))
    assert "token of yours" in message and (not token or token not in message)


class _Bar:
    total: float | None = None

    def update(self, n: float = 1) -> None: ...
    def reset(self, total: float | None = None) -> None: ...
    def close(self) -> None: ...


DOWNLOADS = {
    "closed": (closed, "no connection"),
    "silent": (lambda: serve(say_nothing), "no connection"),
    "hangs up": (lambda: serve(hang_up), "no connection"),
    "another file": (lambda: serve(status(200)), "not the file that was expected"),
    "403": (lambda: serve(status(403)), "answered 403"),
    "429": (lambda: serve(status(429)), "answered 429"),
    "500": (lambda: serve(status(500)), "answered 500"),
}


@pytest.mark.parametrize("title", DOWNLOADS)
def test_a_download_that_fails_is_told_in_a_sentence_and_leaves_nothing(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path))
    monkeypatch.delenv("AUDIOCLF_YAMNET_URL", raising=False)
    server, words = DOWNLOADS[title]
    with server() as url:
        wanted = replace(download.YAMNET, urls=(f"{url}/yamnet.tflite",))
        message = refusal(lambda: download.download(wanted, _Bar()))
        assert words in message and "--from FILE" in message
        monkeypatch.setenv("AUDIOCLF_PUBLIC", "1")
        assert "--from" not in refusal(lambda: download.download(wanted, _Bar()))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
