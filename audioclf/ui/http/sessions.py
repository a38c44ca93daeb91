"""What Gradio keeps of every visitor, and of how many.

Gradio keeps the configuration and the values of every component for every session, for links into
a page's state that this page does not offer: half a megabyte each. Here a session keeps its own
state alone. Sessions whose page is open are kept; of the others, those that were used last.
"""

from collections import Counter
from copy import copy
from datetime import datetime
from typing import Any

from gradio.blocks import Blocks
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder

MOST_IDLE = 200  # sessions without an open page: calls of programs, and pages that were closed
MOST = 4_000
CLOSED_S = 3_600  # the state of a closed page; its browser may come back


class Session(SessionState):
    """A session without a copy of the page's configuration."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = CLOSED_S

    def __setitem__(self, key: int, value: Any) -> None:
        """A state's value, or a component as an event has changed it."""
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nobody reads it."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nobody reads it."""


class Sessions(StateHolder):
    """The sessions; those with an open page are never the first to go."""

    def __init__(self) -> None:
        super().__init__()
        self._open: Counter[str] = Counter()

    def open(self, session: str, change: int) -> None:
        """A page of this session was opened (1) or left (-1)."""
        self._open[session] += change
        if self._open[session] <= 0:
            del self._open[session]
        self.update(session)

    def __getitem__(self, session_id: str) -> SessionState:
        """The session of that name, made where there is none."""
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        session = self.session_data[session_id]
        self.update(session_id)
        self.time_last_used[session_id] = datetime.now()
        return session

    def update(self, session_id: str) -> None:
        """One was used just now; the idle ones that were used longest ago go."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            n_before = len(self.session_data)
            n_idle = n_before - sum(name in self.session_data for name in self._open)
            idle = (name for name in self.session_data if name not in self._open)
            leaving = [name for name, _ in zip(idle, range(n_idle - MOST_IDLE), strict=False)]
            if n_before - len(leaving) > MOST:
                leaving.append(next(iter(self.session_data)))
            for name in leaving:
                self.session_data.pop(name, None)
                self.time_last_used.pop(name, None)
