"""Gradio's queue, shared fairly: what one visitor may have pending, and whose turn it is.

Pending is what waits, what runs and what is done but was not fetched: results wait in memory.
"""

import time
from collections import Counter
from dataclasses import dataclass

from gradio.queueing import Event, Queue

from audioclf.ui.http.visitor import RefusedError, address_of

MOST_OF_SESSION = 24  # one page asks for a dozen things at once when a sound comes
MOST_OF_ADDRESS = 160  # a class room behind one address: thirty pages that each ask for five
UNFETCHED_S = 600.0  # results that nobody came for are dropped
FULL_SESSION = "Too much of this page is still being worked on: wait for it, then try again."
FULL_ADDRESS = (
    "Too much from your address is still being worked on: wait until some is done, then try again."
)


@dataclass
class _Session:
    address: str
    asked_at: float


class Pending:
    """Who has what pending in a queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._sessions: dict[str, _Session] = {}
        self._streams: Counter[str] = Counter()

    def check(self, address: str, session: str | None) -> None:
        """Whether one more fits. Raises RefusedError."""
        self._forget()
        if session is not None and self._n_of(session) >= MOST_OF_SESSION:
            raise RefusedError(429, FULL_SESSION)
        of_address = [name for name, one in self._sessions.items() if one.address == address]
        if sum(self._n_of(name) for name in of_address) >= MOST_OF_ADDRESS:
            raise RefusedError(429, FULL_ADDRESS)

    def accepted(self, address: str, session: str) -> None:
        """Something of this session was queued: it is the next of its address, not of everybody."""
        self._sessions[session] = _Session(address, time.monotonic())
        self._share()

    def stream(self, session: str, change: int) -> None:
        """A stream of results was opened (1) or closed (-1)."""
        self._streams[session] += change
        if self._streams[session] <= 0:
            del self._streams[session]

    def _n_of(self, session: str) -> int:
        events = self._queue.pending_event_ids_session.get(session, set())
        if session in self._queue.pending_messages_per_session:
            return len(events)
        return sum(event in self._queue.event_ids_to_events for event in events)

    def _forget(self) -> None:
        """Drop what Gradio keeps of sessions that have nothing pending, or never fetched it."""
        live = {event.session_hash for event in self._queue.event_ids_to_events.values()}
        before = time.monotonic() - UNFETCHED_S
        for name, one in list(self._sessions.items()):
            if name in live or name in self._streams:
                continue
            if not self._n_of(name) or one.asked_at < before:
                self._queue.pending_event_ids_session.pop(name, None)
                self._queue.pending_messages_per_session.pop(name, None)
                del self._sessions[name]

    def _share(self) -> None:
        """The first of every address before anybody's second, in the order in which they came."""
        running = Counter(
            (event.concurrency_id, address_of(event.request.scope))
            for job in self._queue.active_jobs
            for event in job or []
        )
        for line in self._queue.event_queue_per_concurrency_id.values():
            ahead = Counter(
                {
                    address: n
                    for (lane, address), n in running.items()
                    if lane == line.concurrency_id
                }
            )
            line.queue[:] = _fair(line.queue, ahead)


def _fair(events: list[Event], ahead: Counter[str]) -> list[Event]:
    """The events by how many of their address are `ahead` of them, else as they are."""
    ranked = []
    for event in events:
        address = address_of(event.request.scope)
        ranked.append((ahead[address], event))
        ahead[address] += 1
    return [event for _, event in sorted(ranked, key=lambda pair: pair[0])]
