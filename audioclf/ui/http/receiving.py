"""What Gradio receives and answers, counted and read along."""

import asyncio
import contextlib
import json
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException

from audioclf.ui.http.body import PATIENCE_S, Receive
from audioclf.ui.http.headers import Send
from audioclf.ui.http.uploads import Uploads
from audioclf.ui.http.visitor import RefusedError

CUT_OFF = "The upload was cut off before its end: send the file again."
MOST_ANSWER_BYTES = 1_000_000  # that are kept: paths of an upload, the name of an event
DRAINED_S, DRAINED_BYTES = 20.0, 100_000_000  # of a body that is refused
LAST_BYTES = 512  # in which the end of a form stands


class Body:
    """A request's body, of which the rest can be thrown away.

    A browser that is still sending does not read an answer: it tells of a broken connection.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._is_over = receive, False

    async def receive(self) -> Any:
        """Gradio's `receive`."""
        message = await self._receive()
        self._is_over = self._is_over or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Receive what is left, within limits."""
        n_bytes = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_S):
                while not self._is_over and n_bytes < DRAINED_BYTES:
                    n_bytes += len((await self.receive()).get("body", b""))


class Arriving:
    """An upload that is being received.

    Whatever ends it early is told to Gradio's parser as an error of the form: that one alone makes
    it delete what it has written.
    """

    def __init__(
        self, uploads: Uploads, address: str, n_known: int, receive: Receive, headers: Headers
    ) -> None:
        self._uploads, self._address, self._receive = uploads, address, receive
        _, options = parse_options_header(headers.get("content-type", ""))
        self._end = b"--" + options.get(b"boundary", b"") + b"--"
        self.n_bytes = n_known  # taken from what the address may still send
        self.refusal: RefusedError | None = None
        self._n_received, self._tail, self._is_over = 0, b"", False

    async def receive(self) -> Any:
        """Gradio's `receive`."""
        if self._is_over:
            return await self._receive()
        try:
            async with asyncio.timeout(PATIENCE_S):
                message = await self._receive()
        except TimeoutError:
            raise MultiPartException(CUT_OFF) from None
        if message["type"] == "http.disconnect":
            raise MultiPartException(CUT_OFF)
        body = message.get("body", b"")
        self._count(len(body))
        self._tail = (self._tail + body)[-LAST_BYTES:]
        self._is_over = not message.get("more_body", False)
        if self._is_over and self._end not in self._tail:
            raise MultiPartException(CUT_OFF)
        return message

    def _count(self, n_bytes: int) -> None:
        self._n_received += n_bytes
        more = self._n_received - self.n_bytes
        if more > 0:  # nobody said how much would come
            try:
                self._uploads.take(self._address, more)
            except RefusedError as refusal:
                self.refusal = refusal
                raise MultiPartException(str(refusal)) from None
            self.n_bytes += more


class Answer:
    """What Gradio answers, passed on and read along, unless `arriving` was refused."""

    def __init__(self, send: Send, arriving: Arriving | None = None) -> None:
        self._send, self._arriving = send, arriving
        self.status, self._body = 0, bytearray()

    async def send(self, message: Any) -> None:
        """Gradio's `send`."""
        if self._arriving is not None and self._arriving.refusal is not None:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif len(self._body) < MOST_ANSWER_BYTES:
            self._body += message.get("body", b"")
        await self._send(message)

    def json(self) -> Any:
        """The answer; nothing where it is no JSON."""
        try:
            return json.loads(bytes(self._body))
        except ValueError:
            return None


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read before, then what else comes."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Any:
        return messages.pop() if messages else await receive()

    return receiving
