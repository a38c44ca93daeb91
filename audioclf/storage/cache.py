"""What is computed from files, kept on disk by their content; emptied by age and by size.

An entry is a file in a folder per kind of `paths.cache_dir`, such as `features`. It appears when it
is whole, and its time of change is that of its last use. Any process may remove entries at any
time: whoever has one open reads it to its end, and who comes later makes it again. What was used
in the last minutes is never removed, so that a path that was just handed out can be opened.
"""

import contextlib
import fcntl
import hashlib
import os
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from audioclf.storage import paths
from audioclf.storage.atomic import atomic_file

T = TypeVar("T")
FEATURES, EMBEDDINGS, DECODED = KINDS = ("features", "embeddings", "decoded")
MAX_MB, MAX_DAYS = "AUDIOCLF_CACHE_MB", "AUDIOCLF_CACHE_DAYS"
DEFAULT_MB, DEFAULT_DAYS, DAY_S = 10_000.0, 30.0, 86_400.0
IN_USE_S = 600.0  # since its last use
SHARE = 0.05  # of the allowed size: after so much is written, room is made
LOCK = ".evicting"
UNUSABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile)
_written = {"bytes": float("inf")}  # by this process since room was made: at first it is made once
_counting = threading.Lock()


def content_key(path: Path) -> str:
    """A key of a file's content, 32 hex digits; “none” where there is no such file."""
    if not path.is_file():
        return "none"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def text_key(text: str) -> str:
    """A key of a text, 32 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def entry(kind: str, *names: str) -> Path:
    """The path of an entry of that kind, one of KINDS, whether it exists or not."""
    return paths.cache_dir().joinpath(kind, *names)


def load_or_make(
    path: Path, load: Callable[[Path], T], make: Callable[[], T], save: Callable[[Path, T], None]
) -> T:
    """The entry's value; made and saved where it is missing or cannot be loaded.

    `load` reads all that it needs before it returns. `save` writes to the path that it is given.
    Raises what `make` and `save` raise.
    """
    if is_there(path):
        with contextlib.suppress(*UNUSABLE):  # removed since, or damaged
            return load(path)
    value = make()
    write(path, lambda part: save(part, value))
    return value


def is_there(path: Path) -> bool:
    """Whether the entry exists; from now on it counts as just used."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def write(path: Path, save: Callable[[Path], None]) -> None:
    """Save an entry, which appears when it is whole; now and then make room for more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part:
        save(part)
        n_bytes = part.stat().st_size
    with _counting:
        _written["bytes"] += n_bytes
        is_due = _written["bytes"] >= SHARE * max_bytes()
        if is_due:
            _written["bytes"] = 0.0
    if is_due:
        evict()


def max_bytes() -> float:
    """How large all entries together may be, in bytes."""
    return 1e6 * _number(MAX_MB, DEFAULT_MB)


def evict(max_age_s: float | None = None) -> None:
    """Remove entries not used for `max_age_s`, or AUDIOCLF_CACHE_DAYS, and the oldest of too many.

    Where another process is at it, or the cache cannot be written, nothing is done.
    """
    folder = paths.cache_dir()
    with contextlib.suppress(OSError), (folder / LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        days_s = DAY_S * _number(MAX_DAYS, DEFAULT_DAYS)
        _evict(folder, days_s if max_age_s is None else min(max_age_s, days_s))


def _evict(folder: Path, max_age_s: float) -> None:
    entries = []
    for path in (path for kind in KINDS for path in (folder / kind).rglob("*")):
        with contextlib.suppress(OSError):  # another process was quicker
            stat = path.stat()
            is_half = path.name.startswith(".") and time.time() - stat.st_mtime < DAY_S
            if path.is_file() and not is_half:
                entries.append((stat.st_mtime, stat.st_size, path))
    now, n_bytes, most = time.time(), 0, max_bytes()
    for used_at, size, path in sorted(entries, key=lambda one: one[0], reverse=True):
        age_s = now - used_at
        n_bytes += size
        if age_s > max_age_s or (n_bytes > most and age_s > IN_USE_S):
            n_bytes -= size
            with contextlib.suppress(OSError):
                path.unlink()


def _number(variable: str, default: float) -> float:
    """A number above 0 from the environment; the default where it is none."""
    try:
        value = float(os.environ.get(variable, ""))
    except ValueError:
        return default
    return value if 0 < value < float("inf") else default
