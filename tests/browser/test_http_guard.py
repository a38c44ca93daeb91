"""The page's server as others reach it: floods, foreign files, uploads, headers."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from audioclf.ui.http import pending, uploads
from tests.browsing import new_visitor
from tests.conftest import serve, visit

JSON = {"Content-Type": "application/json"}
NOTHING = {"data": [None, None, "as_is"]}
ELSEWHERE = {"path": "http://127.0.0.1:9/x.wav", "meta": {"_type": "gradio.FileData"}}
BOUNDARY = "b0undary"
PART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
).encode() + bytes(50_000)
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

NOT_OURS = "A file is named by an address elsewhere: upload the file itself."
Answered = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serve(GRADIO_TEMP_DIR=str(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def config(url: str) -> Any:
    return json.loads(ask(url, "/config", source="127.0.0.9")[2])


def ask(
    url: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] = JSON,
    source: str = "127.0.0.1",
    *,
    method: str | None = None,
) -> Answered:
    """One request from one address of this machine."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=60, source_address=(source, 0)
    )
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
    try:
        method = method or ("GET" if body is None else "POST")
        connection.request(method, path, sent, headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_one_session_that_floods_is_refused_and_others_are_served(url: str, config: Any) -> None:
    predict = next(d["id"] for d in config["dependencies"] if d["api_name"] == "predict_clip")
    joined = {**NOTHING, "fn_index": predict, "session_hash": "flood"}
    answers = [
        ask(url, "/gradio_api/queue/join", joined, source="127.0.0.2")
        for _ in range(pending.MOST_OF_SESSION + 2)
    ]
    assert [status for status, _, _ in answers[:-2]] == [200] * pending.MOST_OF_SESSION
    assert answers[-1][0] == 429
    assert json.loads(answers[-1][2])["detail"] == pending.FULL_SESSION
    other = ask(url, "/gradio_api/queue/join", {**joined, "session_hash": "x"}, source="127.0.0.3")
    assert other[0] == 200
    answer = ask(url, "/gradio_api/queue/data?session_hash=x", source="127.0.0.3")[2]
    assert b"Upload or record a sound" in answer


def test_no_header_makes_an_address_another_one(url: str) -> None:
    statuses = [
        ask(
            url,
            "/gradio_api/call/predict_clip",
            NOTHING,
            {**JSON, "X-Forwarded-For": f"198.51.100.{number % 250}"},
            "127.0.0.4",
        )[0]
        for number in range(pending.MOST_OF_ADDRESS + 2)
    ]
    assert statuses == [200] * pending.MOST_OF_ADDRESS + [429, 429]


def test_the_queue_has_no_side_door(url: str) -> None:
    run = "/gradio_api/run/predict_clip"
    for path in (run, run.replace("run", "api"), "/gradio_api/vibe-code", "/login"):
        assert ask(url, path, NOTHING)[0] == 404
    for path in ("/gradio_api/deep_link?session_hash=x", "/gradio_api/proxy=http://127.0.0.1:9/"):
        assert ask(url, path)[0] == 404
    assert ask(url, "/gradio_api/component_server", PART, FORM)[0] == 415


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("queue/join", {"data": [ELSEWHERE, None, "as_is"], "fn_index": 0, "session_hash": "u"}),
        ("call/predict_clip", {"data": [ELSEWHERE, None, "as_is"]}),
        ("call/v2/predict_clip", {"sound": ELSEWHERE}),
        ("run/predict", {"data": [ELSEWHERE], "fn_index": 0, "session_hash": "u"}),
        ("component_server", {"data": {"deep": [ELSEWHERE]}, "component_id": 1}),
    ],
)
def test_a_file_elsewhere_is_looked_up_by_nobody(url: str, path: str, body: Any) -> None:
    status, _, answer = ask(url, f"/gradio_api/{path}", body)
    assert (status, json.loads(answer)["detail"]) == (422, NOT_OURS)


def test_large_bodies_are_refused(url: str) -> None:
    status, _, answer = ask(url, "/gradio_api/run/predict", b'"' + bytes(5_000_001) + b'"')
    assert status == 413
    assert b"send less at once" in answer


def left_over(folder: Path) -> list[str]:
    return [entry.name for entry in (folder / uploads.UPLOADS).glob("tmp*")]


def test_an_upload_that_breaks_off_leaves_nothing(url: str, folder: Path) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as half:
        half.sendall(
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}"
            "\r\nContent-Length: 1000000\r\n\r\n".encode()
        )
        half.sendall(PART)
        wait_until(lambda: bool(left_over(folder)))
    wait_until(lambda: not left_over(folder))
    status, _, answer = ask(url, "/gradio_api/upload", PART, FORM)
    assert (status, left_over(folder)) == (400, [])
    assert b"send the file again" in answer


def wait_until(is_so: Any) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_uploads_over_the_quota_are_refused_before_they_are_written(url: str, folder: Path) -> None:
    too_many = {**FORM, "Content-Length": str(uploads.Quota().of_address + 1)}
    status, _, answer = ask(url, "/gradio_api/upload", PART, too_many, "127.0.0.5")
    assert status == 413
    assert b"500 MB" in answer
    assert left_over(folder) == []
    body = PART + f"\r\n--{BOUNDARY}--\r\n".encode()
    status, _, answer = ask(url, "/gradio_api/upload", body, FORM, "127.0.0.5")
    assert status == 200
    path = json.loads(answer)[0]
    assert path.startswith(str(folder))
    status, headers, content = ask(url, f"/gradio_api/file={path}")
    assert (status, len(content)) == (200, 50_000)
    assert "sandbox" in headers["content-security-policy"]


def test_every_answer_tells_the_browser_what_it_may_do(url: str) -> None:
    assert ask(url, "/", method="HEAD")[::2] == (200, b"")
    for path in ("/", "/config", "/nothing/here", "/theme.css"):
        _, headers, _ = ask(url, path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "object-src 'none'" in policy
        assert "https://huggingface.co" in policy.partition("frame-ancestors")[2]


@pytest.mark.browser
def test_nothing_that_the_page_does_is_against_its_policy(browser: Browser, url: str) -> None:
    with visit(browser, url) as page:
        violations: list[str] = []
        page.on("console", lambda message: violations.append(message.text))
        page.goto(url)
        page.get_by_text("rain", exact=True).first.click()
        expect(page.locator("#answer .ac-sentence")).to_be_visible()
        expect(page.locator("#lane-spectrogram img")).to_be_visible()
        page.locator("#sound button[aria-label='Clear']").click()
        page.locator("#sound button[aria-label='Record audio']").click()
        page.locator("#sound .record-button").click()
        page.wait_for_timeout(1_500)
        page.locator("#sound .stop-button").click()
        expect(page.locator("#lane-windows canvas")).to_be_visible()
        page.get_by_role("tab", name="Label", exact=True).click()
        page.locator("#label-examples").click()
        page.locator("#desk").get_by_text("Regions", exact=True).click()
        page.wait_for_selector("#desk canvas", state="attached")
        for name in ("Fine-tune", "Models"):
            page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator("#use-network")).to_be_visible()
        assert [words for words in violations if "Content Security Policy" in words] == []


@pytest.mark.browser
def test_a_visitor_of_a_full_address_reads_a_sentence(browser: Browser, url: str) -> None:
    with new_visitor(browser, url) as page:  # the console tells of every refusal
        page.goto(url)
        page.wait_for_selector("#sound input[type=file]", state="attached")
        while ask(url, "/gradio_api/call/predict_clip", NOTHING)[0] == 200:
            pass
        page.get_by_text("rain", exact=True).first.click()
        expect(page.get_by_text(pending.FULL_ADDRESS).first).to_be_visible()


def test_on_a_space_the_address_that_its_proxy_appended_counts() -> None:
    with serve(SPACE_ID="user/space", GRADIO_ANALYTICS_ENABLED="False") as space:
        seen = {"flood": set(), "other": set()}
        for number in range(pending.MOST_OF_ADDRESS + 1):
            claimed = {**JSON, "X-Forwarded-For": f"198.51.100.{number % 250}, 203.0.113.1"}
            seen["flood"].add(ask(space, "/gradio_api/call/predict_clip", NOTHING, claimed)[0])
        beside = {**JSON, "X-Forwarded-For": "203.0.113.2"}
        seen["other"].add(ask(space, "/gradio_api/call/predict_clip", NOTHING, beside)[0])
    assert seen == {"flood": {200, 429}, "other": {200}}


def test_a_sound_that_was_deleted_meanwhile_is_told_in_a_sentence(url: str, folder: Path) -> None:
    body = PART + f"\r\n--{BOUNDARY}--\r\n".encode()
    sent = body.replace(bytes(50_000), b"another" * 100)
    path = json.loads(ask(url, "/gradio_api/upload", sent, FORM, "127.0.0.6")[2])[0]
    Path(path).unlink()
    sound = {"path": path, "meta": {"_type": "gradio.FileData"}}
    called = {"data": [sound, "cldnn-mel", "as_is"]}
    status, _, event = ask(url, "/gradio_api/call/predict_clip", called, source="127.0.0.6")
    assert status == 200
    read = f"/gradio_api/call/predict_clip/{json.loads(event)['event_id']}"
    assert b"event: complete" in (answer := ask(url, read, source="127.0.0.6")[2])
    assert b'"error": "' in answer
