"""A time limit for what cannot be ended from outside: it is asked between its steps."""

import time
from collections.abc import Callable

Check = Callable[[], None]  # raises ValueError where the time is over


def never() -> None:
    """There is no limit."""


def within(seconds: float | None, what: str) -> Check:
    """From now on so many seconds for `what`, such as “This import”; None is no limit."""
    if seconds is None:
        return never
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise ValueError(over(what, seconds))

    return check


def over(what: str, seconds: float) -> str:
    """The sentence that says so."""
    return f"{what} was ended after {seconds:g} s, the limit here: take fewer sounds or labels."
