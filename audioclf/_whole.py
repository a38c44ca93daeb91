"""Folders and archives that appear under their name only when they are whole."""

import os
import tempfile
import zipfile
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


def zip_folder(folder: Path, archive: Path) -> None:
    """A ZIP with that one folder in it."""
    part = archive.with_name(f".{archive.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                made.write(file, file.relative_to(folder.parent))
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
