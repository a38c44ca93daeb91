"""Who asks, and how much one address may ask at once: a turn each, so that nobody starves others.

Requests over the limit wait for their turn; only what would wait in too long a line is refused.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers

from audioclf.ui.page.mode import visitor_address

BUSY = "Too much is under way from your address: wait until some of it is done, then try again."


class RefusedError(Exception):
    """A request that is not served: a status, and a sentence that says what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def address_of(scope: Any) -> str:
    """The visitor's address; on a Space the one that its proxy appended, elsewhere the peer's."""
    client = scope.get("client")
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    return visitor_address(str(client[0]) if client else "", forwarded)


@dataclass
class _Line:
    n_running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """At most `n_running` requests of one address at once, and `n_waiting` behind them."""

    def __init__(self, n_running: int, n_waiting: int) -> None:
        self._n_running, self._n_waiting = n_running, n_waiting
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and give it on afterwards. Raises RefusedError."""
        line = self._lines.setdefault(address, _Line())
        if line.n_running < self._n_running:
            line.n_running += 1
        elif len(line.waiting) >= self._n_waiting:
            raise RefusedError(429, BUSY)
        else:
            await self._wait(address, line)
        try:
            yield
        finally:
            self._leave(address, line)

    async def _wait(self, address: str, line: _Line) -> None:
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket in line.waiting:
                line.waiting.remove(ticket)
            elif not ticket.cancelled():  # it was its turn already
                self._leave(address, line)
            raise

    def _leave(self, address: str, line: _Line) -> None:
        while line.waiting:
            ticket = line.waiting.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        line.n_running -= 1
        if not line.n_running:
            self._lines.pop(address, None)
