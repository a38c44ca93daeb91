"""Folders that appear under their name only when they are whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; it takes the place of `folder` unless something goes wrong."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f".{folder.name}.", suffix=".partial"
    ) as made:
        partial = Path(made, folder.name)
        partial.mkdir()
        yield partial
        if folder.exists():
            os.replace(folder, Path(made, "replaced"))
        os.replace(partial, folder)
