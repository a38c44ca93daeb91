"""The JSON objects between the page and its annotation endpoints: checked on the way in.

An error comes back as `error`, a sentence.
"""

import functools
import itertools
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from audioclf.annotation.database import StoreError
from audioclf.annotation.event_log import LOCAL_ANNOTATOR, Suggestion
from audioclf.audio import excerpt
from audioclf.audio.io import Samples
from audioclf.datasets.formats.base import MAX_NAME, class_name
from audioclf.storage import format as stored_format
from audioclf.ui.page.lanes import outline, spectrogram_lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import audio_url
from audioclf.ui.plotting import spectrograms

MAX_NAMES, MAX_CLASSES = 20, 100  # of one place; of a set on a public page
MAX_VALUES = 50_000  # in one call
MIN_INT, MAX_INT = -(2**63), 2**63 - 1  # what SQLite keeps
WORD = re.compile(r"[A-Za-z0-9_-]{8,64}")
N_COLUMNS = 800

Payload = dict[str, Any]

FORMAT_1 = {
    "set": "project", "cutting": "segmentation", "kind": "suggestions", "network": "model",
    "who": "annotator", "token": "request_id", "own": "undo_id", "mark": "kind",
    "suggested": "suggestion",
}  # fmt: skip
SUGGESTION_1 = {"by": "source", "by_chance": "is_random"}

MAX_DECODING, MAX_WAITING = 2, 16  # of the functions here that decode; Gradio does not queue them
WAIT_S = 30.0
_decoding, _waiting = threading.Semaphore(MAX_DECODING), threading.Semaphore(MAX_WAITING)


class BusyError(ValueError):
    """Too many files are being decoded at this moment; the page asks again."""


@contextmanager
def decoding() -> Iterator[None]:
    """Hold one of two slots for decoding; few may wait for one. Raises BusyError."""
    busy = BusyError("Many files are being opened just now: try it again in a moment.")
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


def endpoint(handler: Callable[[Payload], Payload]) -> Callable[[Payload], Payload]:
    """Decorate a function that the page calls: a ValueError comes back as `error`."""

    @functools.wraps(handler)
    def safe(payload: Payload) -> Payload:
        try:
            if not isinstance(payload, dict):
                raise ValueError("The page sent no values: reload it.")
            check_values(payload)
            return handler(in_current_format(payload))
        except (StoreError, BusyError) as error:
            return {"error": str(error), "is_passing": True}
        except UnicodeError:
            return {"error": "The page sent letters that are none: reload it."}
        except ValueError as error:
            return {"error": str(error)}
        except (TypeError, AttributeError, OverflowError, LookupError):
            return {"error": "The page sent something that is no such value: reload it."}
        except Exception:  # an unforeseen error must not keep back the labels that come after it
            logging.exception("%s", handler.__name__)
            return {"error": "Something went wrong here, and the log says what: try it again."}

    return safe


def check_values(payload: Payload) -> None:
    """Raise ValueError for text and numbers that no file and no JSON can hold."""
    left: list[Any] = [payload]
    for n_values in itertools.count():
        if not left:
            return
        if n_values > MAX_VALUES:
            raise ValueError("The page sent too much at once: reload it.")
        value = left.pop()
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            value.encode()  # not of halves of letters
        elif isinstance(value, int) and not MIN_INT <= value <= MAX_INT:
            raise ValueError("The page sent a number that is too large: reload it.")


def in_current_format(payload: Payload) -> Payload:
    """What a page sent, in format 2; one that was opened before an update sends format 1.

    Raises ValueError for a later format.
    """
    try:
        number = stored_format.check(payload)
    except stored_format.NewerFormatError as error:
        raise ValueError(f"What the page sent {error}: reload it.") from error
    if number == stored_format.FORMAT:
        return payload
    converted = {FORMAT_1.get(name, name): value for name, value in payload.items()}
    if isinstance(suggestion := converted.get("suggestion"), dict):
        converted["suggestion"] = stored_format.rename(suggestion, SUGGESTION_1)
    return {**converted, "format": stored_format.FORMAT}


def max_classes() -> int | None:
    """How many classes a project may have; no limit on a local page."""
    return None if is_local() else MAX_CLASSES


def render_audio(samples: Samples, rate_hz: int) -> Payload:
    """Samples as the page plays and draws them: a WAV, its waveform and spectrogram."""
    duration_s = len(samples) / rate_hz
    blocks = excerpt.in_blocks(samples)
    drawn = spectrograms.pictures(blocks, rate_hz, duration_s, spectrograms.View())
    return {
        "audio": audio_url(samples, rate_hz),
        "waveform": outline(excerpt.in_blocks(samples), len(samples), duration_s, N_COLUMNS),
        "spectrogram": spectrogram_lane(drawn),
    }


def parse_names(payload: Payload) -> tuple[str, ...]:
    """The class names that were typed. Raises ValueError for invalid ones."""
    typed = payload.get("names") or []
    if not isinstance(typed, list):
        raise ValueError("The page sent something that is no list of classes: reload it.")
    if len(typed) > MAX_NAMES:
        raise ValueError(f"At most {MAX_NAMES} classes can be named at once: name fewer.")
    names = [class_name(name) for name in typed]
    return tuple(dict.fromkeys(names))


def annotator(payload: Payload) -> str:
    """The annotator: on one's own machine nobody else; on a public page the browser's name."""
    if is_local():
        return LOCAL_ANNOTATOR
    name = str(payload.get("annotator") or "")[:40]
    return name if name.isprintable() and name else "visitor"


def parse_number(payload: Payload, name: str, default: float | None = None) -> float:
    """A finite number. Raises ValueError for anything else."""
    value: Any = payload.get(name, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < float("inf"):
        raise ValueError("The page sent something that is no number: reload it.")
    return float(value)


def parse_request_id(payload: Payload) -> str:
    """The id of a request, so that it is stored once. Raises ValueError."""
    return parse_word(payload.get("request_id"))


def parse_word(value: Any) -> str:
    """An id that the page made up. Raises ValueError."""
    word = str(value or "")
    if not WORD.fullmatch(word):
        raise ValueError("The page sent a label without its number: reload it.")
    return word


def parse_suggestion(payload: Any) -> Suggestion | None:
    """The suggestion that was shown when the annotation was made."""
    if not isinstance(payload, dict):
        return None
    is_known = payload.get("probability") is not None
    return Suggestion(
        str(payload.get("name"))[:MAX_NAME],
        parse_number(payload, "probability") if is_known else None,
        str(payload.get("source"))[:100],
        bool(payload.get("is_random")),
    )
