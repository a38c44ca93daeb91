"""The page's scripts as files: where they are, how long they are kept, and below whose path."""

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from audioclf.ui.page import static_files
from tests.browsing import upload_and_predict
from tests.conftest import free_port, serve, visit

IMPORT = re.compile(r"""(?:from|import\()\s*['"](\.{1,2}/[^'"]+)['"]""")
PREFIX = "/sub/audioclf"
POLICY = "script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'"


def test_every_script_is_served_as_one_and_kept() -> None:
    client = TestClient(Starlette(routes=static_files.routes()))
    addresses = re.findall(r'"\./([^"]+)"', static_files.head())
    names = {address.split("/", 2)[2] for address in addresses}
    scripts = {path.relative_to(static_files.SCRIPTS) for path in _scripts()}
    assert names == {path.as_posix() for path in scripts if path.parts[0] != "vendor"}
    folder = addresses[0].rsplit("/", 1)[0].split("/annotate")[0]
    for name in (path.as_posix() for path in scripts):
        answer = client.get(f"/{folder}/{name}")
        assert answer.status_code == 200 and "javascript" in answer.headers["content-type"], name
        assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"/{folder}/../style.css").status_code == 404
    assert client.get(f"/audioclf-scripts/0000/{static_files.MAIN}").status_code == 404


def test_what_scripts_import_is_there() -> None:
    for path in _scripts():
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


def test_another_script_is_another_version(tmp_path: Path) -> None:
    folder = tmp_path / "js"
    shutil.copytree(static_files.SCRIPTS, folder)
    before = static_files.version(folder)
    assert before == static_files.version(static_files.SCRIPTS)
    with (folder / "annotate" / "api.js").open("a", encoding="utf-8") as script:
        script.write("\n")
    changed = static_files.version(folder)
    (folder / "main.js").rename(folder / "other.js")
    assert len({before, changed, static_files.version(folder)}) == 3


@pytest.mark.browser
def test_the_page_works_below_a_proxys_path_and_with_a_policy(
    browser: Browser, made_checkpoints: Path, made_wav: Path
) -> None:
    with (
        serve(AUDIOCLF_CHECKPOINTS=str(made_checkpoints), GRADIO_ROOT_PATH=PREFIX) as url,
        proxy(url) as front,
        visit(browser, f"{front}{PREFIX}/") as page,
    ):
        upload_and_predict(page, made_wav)
        play = page.locator("#lane-windows .ac-play")
        play.click()
        expect(play).to_have_text("Pause")
        page.get_by_role("tab", name="Label", exact=True).click()
        page.locator("#label-examples").click()
        expect(page.locator(".ac-desk .ac-lanes canvas")).to_be_visible()
        page.get_by_role("button", name="Regions", exact=True).click()
        expect(page.locator(".ac-desk .ac-wave canvas").first).to_be_visible()


def _scripts() -> list[Path]:
    return sorted(static_files.SCRIPTS.rglob("*.js"))


@contextmanager
def proxy(url: str) -> Iterator[str]:
    """A proxy that serves an app below PREFIX and adds POLICY; its address."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port), backlog=64) as load_classifier:
        target = int(url.rsplit(":", 1)[1])

        def accept() -> None:
            while True:
                try:
                    client, _ = load_classifier.accept()
                except OSError:
                    return
                threading.Thread(target=_relay, args=(client, target), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{port}"


def _relay(client: socket.socket, target: int) -> None:
    """One request, one answer."""
    with client, socket.create_connection(("127.0.0.1", target)) as server:
        head, body = _read_head(client)
        if not head:
            return
        head = head.replace(f" {PREFIX}".encode(), b" ", 1)
        server.sendall(_with_header(head, "Connection: close") + body)
        up = threading.Thread(target=_copy, args=(client, server), daemon=True)
        up.start()
        head, body = _read_head(server)
        if not head:  # the app was ended meanwhile
            return
        head = _with_header(head, f"Content-Security-Policy: {POLICY}")
        client.sendall(_with_header(head, "Connection: close") + body)
        _copy(server, client)


def _read_head(stream: socket.socket) -> tuple[bytes, bytes]:
    """Request or status line and headers; and what of the body came with them."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := stream.recv(65_536)):
            return b"", b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join(lines) + b"\r\n\r\n", body


def _with_header(head: bytes, header: str) -> bytes:
    first, rest = head.split(b"\r\n", 1)
    return b"\r\n".join((first, header.encode(), rest))


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        pass  # whoever reads is gone
