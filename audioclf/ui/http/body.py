"""What a JSON body may hold: not too much, not too deep, and no file that lies elsewhere."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from audioclf.ui.http.visitor import RefusedError

Receive = Callable[[], Awaitable[Any]]

MOST_BYTES = 5_000_000
MOST_VALUES, MOST_DEPTH = 200_000, 64
PATIENCE_S = 60.0  # a body that does not come
FILES = "/gradio_api/file="
ELSEWHERE = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.\-]*:)?(?://|\\\\|/\\|\\/)")
TOO_LARGE = "The request is too large: send less at once, and sounds as uploads."
NOT_JSON = "The request is no JSON that can be read: send it again."
NOT_OURS = "A file is named by an address elsewhere: upload the file itself."


async def read_body(receive: Receive, headers: Headers, most_bytes: int = MOST_BYTES) -> bytes:
    """The whole body. Raises RefusedError where it is too large, cut off or does not come."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > most_bytes:
        raise RefusedError(413, TOO_LARGE)
    parts, n_bytes, more = [], 0, True
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while more:
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise RefusedError(408, "The request did not arrive in time: send it again.") from None
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "The request was cut off: send it again.")
        parts.append(message.get("body", b""))
        n_bytes += len(parts[-1])
        if n_bytes > most_bytes:
            raise RefusedError(413, TOO_LARGE)
        more = message.get("more_body", False)
    return b"".join(parts)


def parse(body: bytes, hosts: set[str]) -> Any:
    """The JSON of a body whose files all lie here; `hosts` is what this server is called.

    Raises RefusedError.
    """
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise RefusedError(413, TOO_LARGE)
    try:
        parsed = json.loads(body) if body else None
    except (ValueError, RecursionError):
        raise RefusedError(400, NOT_JSON) from None
    for value in _dicts(parsed):
        path, url = value.get("path"), value.get("url")
        if isinstance(path, str) and ELSEWHERE.match(path):
            raise RefusedError(422, NOT_OURS)
        if "path" in value and isinstance(url, str) and not _is_ours(url, hosts):
            raise RefusedError(422, NOT_OURS)
    return parsed


def hosts_of(headers: Headers) -> set[str]:
    """The names under which this server was asked, without ports."""
    named = [headers.get("host", ""), headers.get("x-forwarded-host", "")]
    named.append(os.environ.get("SPACE_HOST", ""))
    return {_host(f"//{name.strip()}") for part in named for name in part.split(",")} - {""}


def _dicts(parsed: Any) -> Iterator[dict[str, Any]]:
    """Every object in it. Raises RefusedError where it nests too deep."""
    level: list[Any] = [parsed]
    for _ in range(MOST_DEPTH):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                yield value
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
        if not deeper:
            return
        level = deeper
    raise RefusedError(400, NOT_JSON)


def _is_ours(url: str, hosts: set[str]) -> bool:
    """Whether an address is that of a file of this server; blobs and data need no server."""
    if not ELSEWHERE.match(url):
        return True
    try:
        return urlsplit(url).path.find(FILES) >= 0 and _host(url) in hosts
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
