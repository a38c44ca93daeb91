"""What stands between visitors and Gradio: every request passes here, and none starves others.

On a public page a request waits for its address's turn, its body is judged before Gradio reads it,
and what one address has pending and uploaded is limited. On one's own machine there are no limits.
"""

from typing import Any
from urllib.parse import parse_qs

from gradio.blocks import Blocks
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from audioclf.ui.http import body as http_body
from audioclf.ui.http.body import Receive
from audioclf.ui.http.headers import Send, with_headers
from audioclf.ui.http.pending import Pending
from audioclf.ui.http.receiving import Answer, Arriving, Body, again
from audioclf.ui.http.sessions import Sessions
from audioclf.ui.http.uploads import Uploads
from audioclf.ui.http.visitor import RefusedError, Turns, address_of
from audioclf.ui.page.mode import is_local

API = "/gradio_api"
JOINS = ("/queue/join", "/call/")
POSTS = (*JOINS, "/run/", "/component_server", "/cancel", "/reset", "/upload")
STREAMS = ("/queue/data", "/heartbeat/", "/call/", "/upload_progress")
CLOSED = ("/deep_link", "/proxy=", "/stream/", "/vibe", "/runs", "/run-history")  # not this page's
NOT_HERE = "There is nothing under this address: use the page, or the API that it describes."
MOST_JOIN_BYTES = 500_000  # what waits in the queue holds its body


class Guard:
    """The middleware; `blocks` is the page."""

    def __init__(self, app: Any, blocks: Blocks) -> None:
        self._app, self._blocks = app, blocks
        self._sessions = Sessions()
        self._pending = Pending(blocks._queue)
        self._uploads = Uploads(blocks)
        self._turns = {  # at once, and waiting
            "stream": Turns(192, 0),  # thirty pages with a heartbeat and results, thrice
            "upload": Turns(6, 64),
            "read": Turns(24, 256),
            "call": Turns(16, 128),
        }

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve a request, or say in a sentence why not."""
        if scope["type"] == "lifespan":
            scope["app"].state_holder = self._sessions
            self._sessions.set_blocks(self._blocks)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send, body = with_headers(send, scope["path"]), Body(receive)
        receive = body.receive
        if (scope["method"], scope["path"]) == ("HEAD", "/"):  # Gradio asks at its start, for 3 s:
            await HTMLResponse()(scope, receive, send)  # a busy machine would not start the app
            return
        try:
            if is_local():
                await self._follow(scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        except RefusedError as refusal:
            await body.drain()
            await _refuse(refusal, scope, receive, send)

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        """A request on a public page: when it is its turn, and not more than its share."""
        address, path = address_of(scope), _path_in_api(scope)
        if not _is_open(scope["method"], path):
            raise RefusedError(404, NOT_HERE)
        kind = _kind(scope["method"], path)
        async with self._turns[kind].turn(address):
            if kind == "upload":
                await self._upload(address, scope, receive, send)
            elif kind == "call":
                await self._call(address, path or "", scope, receive, send)
            else:
                await self._follow(scope, receive, send)

    async def _follow(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve; a session whose page is open, and whose results are awaited, is known."""
        path = _path_in_api(scope) or ""
        if path.startswith("/heartbeat/"):
            note, session = self._sessions.open, path.removeprefix("/heartbeat/")
        elif path.startswith("/queue/data"):
            note, session = self._pending.stream, _query_value(scope, "session_hash")
        else:
            await self._app(scope, receive, send)
            return
        note(session, 1)
        try:
            await self._app(scope, receive, send)
        finally:
            note(session, -1)

    async def _call(
        self, address: str, path: str, scope: Any, receive: Receive, send: Send
    ) -> None:
        """A call with a JSON body, which may join the queue."""
        headers = Headers(scope=scope)
        if headers.get("content-type", "").startswith("multipart/"):
            raise RefusedError(415, "Only JSON is taken here: upload files first, then name them.")
        joins = path.startswith(JOINS)
        most = MOST_JOIN_BYTES if joins else http_body.MOST_BYTES
        body = await http_body.read_body(receive, headers, most)
        parsed = http_body.parse(body, http_body.hosts_of(headers))
        named = parsed.get("session_hash") if isinstance(parsed, dict) else None
        session = named if isinstance(named, str) else None
        if joins:
            self._pending.check(address, session)
        answer = Answer(send)
        await self._app(scope, again(body, receive), answer.send)
        if joins and answer.status == 200:
            event = answer.json()
            if isinstance(event, dict):
                self._pending.accepted(address, session or str(event.get("event_id")))

    async def _upload(self, address: str, scope: Any, receive: Receive, send: Send) -> None:
        """Files, as long as there is room; what was not received to its end leaves nothing."""
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        n_known = int(length) if length.isdigit() else 0
        await self._uploads.make_room(n_known)
        self._uploads.take(address, n_known)
        arriving = Arriving(self._uploads, address, n_known, receive, headers)
        answer = Answer(send, arriving)
        try:
            await self._app(scope, arriving.receive, answer.send)
        finally:
            paths = answer.json() if answer.status == 200 else None
            uploaded = [path for path in paths or [] if isinstance(path, str)]
            self._uploads.arrived(address, arriving.n_bytes, uploaded)
        if arriving.refusal is not None:
            raise arriving.refusal


def _path_in_api(scope: Any) -> str | None:
    """What follows /gradio_api; nothing for what lies elsewhere."""
    _, prefix, path = scope["path"].partition(API)
    return path if prefix else None


def _is_open(method: str, path: str | None) -> bool:
    """Whether the page or its documented API uses this address."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return path is None or not path.startswith(CLOSED)
    return method == "POST" and path is not None and path.startswith(POSTS)


def _kind(method: str, path: str | None) -> str:
    """In which line a request waits."""
    if method == "POST":
        return "upload" if path in ("/upload", "/upload/") else "call"
    return "stream" if path is not None and path.startswith(STREAMS) else "read"


def _query_value(scope: Any, name: str) -> str:
    """A value of the query, the last one as Gradio reads it."""
    return parse_qs(scope["query_string"].decode("latin-1")).get(name, [""])[-1]


async def _refuse(refusal: RefusedError, scope: Any, receive: Receive, send: Send) -> None:
    """The sentence, as Gradio's page shows it: `detail` of calls, plain text of uploads."""
    sentence = str(refusal)
    if _kind(scope["method"], _path_in_api(scope)) == "upload":
        answer: Response = PlainTextResponse(sentence, refusal.status)
    else:
        answer = JSONResponse({"detail": sentence, "error": sentence}, refusal.status)
    if refusal.status == 429:
        answer.headers["Retry-After"] = "5"
    await answer(scope, receive, send)
