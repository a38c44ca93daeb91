"""JSON files, and errors of the disk as sentences."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audioclf.storage import paths
from audioclf.storage.atomic import atomic_file


def read_json(path: Path) -> dict[str, Any]:
    """A file's values; none where it is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """A JSON file, which appears when all of it is written."""
    with atomic_file(path) as part:
        part.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


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
