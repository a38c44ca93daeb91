"""What a visitor wants by now: work for a sound, a tab or a setting that is gone is not done.

Every kind of work has a count per visitor. An event outside the queue raises it, and work that
began under a lower one ends at its next block.
"""

import functools
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext

MAX_SESSIONS = 2_000  # whose last request is remembered

T = TypeVar("T")


class SupersededError(Exception):
    """The visitor wants something else by now."""


@dataclass
class Requests:
    """The number of requests of each session, of the sessions that were active last."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: OrderedDict[str, int] = field(default_factory=OrderedDict)
    running: Counter[str] = field(default_factory=Counter)  # by session, of `run`

    def of(self, request: gr.Request | None) -> int:
        """The number so far."""
        return self.counts.get(session_of(request), 0)

    def count(self, request: gr.Request | None) -> None:
        """Count one more."""
        session = session_of(request)
        with self.lock:
            self.counts[session] = self.counts.get(session, 0) + 1
            self.counts.move_to_end(session)
            while len(self.counts) > MAX_SESSIONS:
                self.counts.popitem(last=False)

    def while_wanted(self, request: gr.Request | None, items: Iterable[T]) -> Iterator[T]:
        """Items as long as the visitor asks for nothing newer. Raises SupersededError then."""
        version = self.of(request)
        for item in items:
            if self.of(request) > version:
                raise SupersededError
            yield item

    @contextmanager
    def run(self, request: gr.Request | None) -> Iterator[Callable[[object], None]]:
        """Work that `end_running` ends, where it calls what it is given: see `ender`."""
        session = session_of(request)
        with self.lock:
            self.running[session] += 1
        try:
            yield self.ender(request)
        finally:
            with self.lock:
                self.running[session] -= 1
                self.running += Counter()  # without those that are at rest

    def end_running(self, request: gr.Request | None) -> None:
        """What the visitor's work here makes is not looked at any more; at rest, no change."""
        if self.running[session_of(request)]:
            self.count(request)

    def ender(self, request: gr.Request | None) -> Callable[[object], None]:
        """To be called on the way: raises SupersededError once the visitor wants another thing."""
        version = self.of(request)

        def end_if_unwanted(_: object) -> None:
            if self.of(request) > version:
                raise SupersededError

        return end_if_unwanted


def current_request() -> gr.Request | None:
    """The request that the running handler answers; None outside of the page."""
    request = LocalContext.request.get(None)
    return request if isinstance(request, gr.Request) else None


def session_of(request: gr.Request | None) -> str:
    """The visit; empty outside of the page."""
    return str(request.session_hash) if request else ""


def skip_superseded(n_outputs: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A handler whose outputs stay as they are where nobody waits for them any more."""

    def wrap(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def safe(*args: Any, **kwargs: Any) -> Any:
            try:
                return handler(*args, **kwargs)
            except SupersededError:
                return tuple(gr.skip() for _ in range(n_outputs)) if n_outputs > 1 else gr.skip()

        return safe

    return wrap
