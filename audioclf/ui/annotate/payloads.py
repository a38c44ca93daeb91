"""What goes between the page and whoever labels on it: judged on the way in, plain on the way out.

What is wrong comes back as `error`, a sentence.
"""

import functools
import getpass
import itertools
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from audioclf.annotation.database import StoreError
from audioclf.annotation.event_log import Suggested
from audioclf.annotation.queue import Asked
from audioclf.audio import excerpt
from audioclf.audio.io import Samples
from audioclf.datasets.formats.base import MAX_NAME, class_name
from audioclf.ui.page.lanes import outline, spectrogram_lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import audio_url
from audioclf.ui.plotting import spectrograms

MOST_NAMES, MOST_CLASSES = 20, 100  # of one place; of a set on a public page
MOST_VALUES = 50_000  # in one call
LEAST_INT, MOST_INT = -(2**63), 2**63 - 1  # what SQLite keeps
WORD = re.compile(r"[A-Za-z0-9_-]{8,64}")
N_COLUMNS = 800

Values = dict[str, Any]

MOST_DECODING, MOST_WAITING = 2, 16  # of the functions here that decode; Gradio does not queue them
WAIT_S = 30.0
_decoding, _waiting = threading.Semaphore(MOST_DECODING), threading.Semaphore(MOST_WAITING)


class BusyError(ValueError):
    """Too many sounds are decoded at this moment; to be asked again."""


@contextmanager
def decoding() -> Iterator[None]:
    """While a sound is decoded for somebody: two at a time, and few wait. Raises BusyError."""
    busy = BusyError("Many sounds are being opened just now: try it again in a moment.")
    if not _decoding.acquire(blocking=False):
        if not _waiting.acquire(blocking=False):
            raise busy
        try:
            if not _decoding.acquire(timeout=WAIT_S):
                raise busy
        finally:
            _waiting.release()
    try:
        yield
    finally:
        _decoding.release()


def answering(handler: Callable[[Values], Values]) -> Callable[[Values], Values]:
    """A function that the page calls: a ValueError comes back as `error`."""

    @functools.wraps(handler)
    def safe(asked: Values) -> Values:
        try:
            if not isinstance(asked, dict):
                raise ValueError("The page sent no values: reload it.")
            check_values(asked)
            return handler(asked)
        except (StoreError, BusyError) as error:
            return {"error": str(error), "is_passing": True}
        except UnicodeError:
            return {"error": "The page sent letters that are none: reload it."}
        except ValueError as error:
            return {"error": str(error)}
        except (TypeError, AttributeError, OverflowError, LookupError):
            return {"error": "The page sent something that is no such value: reload it."}
        except Exception:  # what is unforeseen may not keep back the labels that come after it
            logging.exception("%s", handler.__name__)
            return {"error": "Something went wrong here, and the log says what: try it again."}

    return safe


def check_values(asked: Values) -> None:
    """Raise ValueError for text and numbers that no file and no answer can hold."""
    left: list[Any] = [asked]
    for n_values in itertools.count():
        if not left:
            return
        if n_values > MOST_VALUES:
            raise ValueError("The page sent too much at once: reload it.")
        value = left.pop()
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            value.encode()  # not of halves of letters
        elif isinstance(value, int) and not LEAST_INT <= value <= MOST_INT:
            raise ValueError("The page sent a number that is too large: reload it.")


def most_classes() -> int | None:
    """How many classes a set may have; on one's own machine there is no limit."""
    return None if is_local() else MOST_CLASSES


def seen(samples: Samples, rate_hz: int) -> Values:
    """Samples as the page plays and draws them."""
    duration_s = len(samples) / rate_hz
    blocks = excerpt.in_blocks(samples)
    drawn = spectrograms.pictures(blocks, rate_hz, duration_s, spectrograms.View())
    return {
        "audio": audio_url(samples, rate_hz),
        "waveform": outline(excerpt.in_blocks(samples), len(samples), duration_s, N_COLUMNS),
        "spectrogram": spectrogram_lane(drawn),
    }


def shown(one: Asked) -> Values:
    """A candidate with what is suggested, and what was said of it."""
    said = {"kind": one.mark.kind, "names": one.mark.names} if one.mark else None
    suggested = one.suggested._asdict() if one.suggested else None
    return {**place_of(one.candidate), "suggested": suggested, "said": said}


def place_of(one: Any) -> Values:
    """Where a candidate or a mark is."""
    return {"file": one.file, "start_s": one.start_s, "end_s": one.end_s}


def names_of(asked: Values) -> tuple[str, ...]:
    """Classes as a person typed them. Raises ValueError for what can be none."""
    typed = asked.get("names") or []
    if not isinstance(typed, list):
        raise ValueError("The page sent something that is no list of classes: reload it.")
    if len(typed) > MOST_NAMES:
        raise ValueError(f"At most {MOST_NAMES} classes can be named at once: name fewer.")
    names = [class_name(name) for name in typed]
    return tuple(dict.fromkeys(names))


def who(asked: Values) -> str:
    """Who says it: the user of this machine; on a public page what the browser is called."""
    if is_local():
        try:
            return getpass.getuser()
        except (KeyError, OSError, ImportError):
            return "me"
    name = str(asked.get("who") or "")[:40]
    return name if name.isprintable() and name else "visitor"


def number_of(asked: Values, name: str, otherwise: float | None = None) -> float:
    """A finite number. Raises ValueError for anything else."""
    value: Any = asked.get(name, otherwise)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < float("inf"):
        raise ValueError("The page sent something that is no number: reload it.")
    return float(value)


def token_of(asked: Values) -> str:
    """What the page calls a mark, so that it is kept once. Raises ValueError."""
    return word(asked.get("token"))


def word(value: Any) -> str:
    """A name that the page made up. Raises ValueError."""
    found = str(value or "")
    if not WORD.fullmatch(found):
        raise ValueError("The page sent a label without its number: reload it.")
    return found


def suggested_of(asked: Any) -> Suggested | None:
    """What stood beside a sound when its label was given."""
    if not isinstance(asked, dict):
        return None
    return Suggested(
        str(asked.get("name"))[:MAX_NAME], number_of(asked, "probability", 0.0),
        str(asked.get("by"))[:100], bool(asked.get("by_chance")),
    )  # fmt: skip
