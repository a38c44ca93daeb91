"""Plain values as files: read as far as they are there, written in one go."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from audioclf.storage import paths


def read_json(path: Path) -> dict[str, Any]:
    """A file's values; none where it is missing or being written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Plain values as a file, in one go."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def delete_old(folder: Path, pattern: str, seconds: float) -> None:
    """Remove files of a cache that were made longer ago."""
    for path in folder.glob(pattern):
        with suppress(OSError):  # another process was quicker
            if time.time() - path.stat().st_mtime > seconds:
                path.unlink()


@contextmanager
def oserror_as_valueerror(folder: Path) -> Iterator[None]:
    """An OSError as a ValueError with a sentence."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"Nothing can be written to “{folder.parent.name}” "
            f"({error.strerror or type(error).__name__}): {paths.remedy(folder)}."
        ) from error
