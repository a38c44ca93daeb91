"""The folder of uploads: how much may lie there, of everybody and of one address, and how long.

Gradio's own folder is shared by all its apps on a machine: this app has one of its own in it, and
one beside it for temporary files, so that what is deleted was never anybody else's.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from gradio.blocks import Blocks
from gradio.utils import get_upload_folder

from audioclf.ui.http.visitor import RefusedError

UPLOADS, TEMPORARY = "audioclf-uploads", "audioclf-temporary"
HOUR_S = 3_600.0
YOUNG_S = 600.0  # an upload that may still be on its way into a data set, or arriving
FULL = "This server has no room for the upload now: try again in an hour."
FULL_ADDRESS = (
    "More than {mb:,.0f} MB of uploads from your address would lie here: send less, or wait an "
    "hour, after which they are deleted."
)


@dataclass(frozen=True)
class Quota:
    """Bytes of uploads that may lie here at once."""

    total: int = 4_000_000_000
    of_address: int = 500_000_000


@dataclass(frozen=True)
class _File:
    path: str
    n_bytes: int
    changed_at: float


class Uploads:
    """Who is sending what, and whose files lie in the folder."""

    def __init__(self, app: Blocks, quota: Quota | None = None) -> None:
        self._app, self._quota = app, quota or Quota()
        self._arriving: Counter[str] = Counter()
        self._owned: dict[str, tuple[str, int]] = {}
        self._n_bytes = 0

    async def make_room(self, n_bytes: int) -> None:
        """Look what lies there; what pages made, and then the oldest uploads, go for new ones."""
        files = await to_thread.run_sync(_files, get_upload_folder())
        existing = {file.path for file in files}
        self._owned = {path: one for path, one in self._owned.items() if path in existing}
        self._n_bytes = sum(file.n_bytes for file in files)
        excess = self._n_bytes + self._arriving.total() + n_bytes - self._quota.total
        if excess > 0:
            spared = shown(self._app)
            files = [file for file in files if file.path not in spared]
            self._n_bytes -= await to_thread.run_sync(_free, files, set(self._owned), excess)

    def take(self, address: str, n_bytes: int) -> None:
        """So many more bytes arrive. Raises RefusedError before they are written."""
        owned = sum(n for owner, n in self._owned.values() if owner == address)
        if owned + self._arriving[address] + n_bytes > self._quota.of_address:
            raise RefusedError(413, FULL_ADDRESS.format(mb=self._quota.of_address / 1e6))
        if self._n_bytes + self._arriving.total() + n_bytes > self._quota.total:
            raise RefusedError(507, FULL)
        self._arriving[address] += n_bytes

    def arrived(self, address: str, n_bytes: int, paths: Iterable[str]) -> None:
        """They no longer arrive: those of these paths lie in the folder."""
        self._arriving[address] -= n_bytes
        if self._arriving[address] <= 0:
            del self._arriving[address]
        for path in paths:
            with contextlib.suppress(OSError):
                size = os.path.getsize(path)
                if self._owned.setdefault(path, (address, size)) == (address, size):
                    self._n_bytes += size


def use_own_folders() -> None:
    """Uploads and temporary files get folders of this app's own."""
    folder = Path(get_upload_folder())
    if folder.name != UPLOADS:
        folder = folder / UPLOADS
    temporary = folder.with_name(TEMPORARY)
    for one in (folder, temporary):
        one.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    tempfile.tempdir = str(temporary)


def cleanup(app: Blocks) -> None:
    """Delete what has lain in this app's folders for an hour; what the page itself shows stays."""
    spared = shown(app)
    for path in spared:
        with contextlib.suppress(OSError):
            os.utime(path)  # another process of this app spares it too
    before = time.time() - HOUR_S
    uploads, temporary = Path(get_upload_folder()), Path(tempfile.gettempdir())
    if uploads.name == UPLOADS:
        for file in _files(str(uploads)):
            if file.changed_at < before and file.path not in spared:
                _delete(file.path)
    if temporary.name == TEMPORARY:
        for entry in temporary.iterdir():
            _delete_old(entry, before)
    for paths in app.temp_file_sets:
        paths -= {path for path in list(paths) if not os.path.lexists(path)}


def shown(app: Blocks) -> set[str]:
    """Files that the page itself shows to everybody, as its examples."""
    return {
        str(path)
        for block in list(app.blocks.values())
        for path in getattr(block, "keep_in_cache", ())
    }


def _delete_old(entry: Path, before: float) -> None:
    """Delete a temporary file, or a folder in which nothing has changed since."""
    changed = [file.changed_at for file in _files(str(entry))]
    with contextlib.suppress(OSError):
        if max([*changed, entry.lstat().st_mtime]) < before:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def _files(folder: str) -> list[_File]:
    """Every file under a folder, and links as files."""
    files: list[_File] = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(OSError):
                stat = os.lstat(path)
                files.append(_File(path, stat.st_size, max(stat.st_mtime, stat.st_ctime)))
    return files


def _free(files: list[_File], uploaded: set[str], n_bytes: int) -> int:
    """Delete what was made here, then uploads that are not young, the oldest first; bytes freed."""
    now, freed = time.time(), 0
    for file in sorted(files, key=lambda one: (one.path in uploaded, one.changed_at)):
        is_arriving = Path(file.path).parent == Path(get_upload_folder())
        if (file.path in uploaded or is_arriving) and now - file.changed_at < YOUNG_S:
            continue
        if freed >= n_bytes:
            break
        freed += file.n_bytes if _delete(file.path) else 0
    return freed


def _delete(path: str) -> bool:
    """Delete a file, and its folder once that is empty."""
    try:
        os.unlink(path)
    except OSError:
        return False
    parent = Path(path).parent
    if parent != Path(get_upload_folder()):
        with contextlib.suppress(OSError):
            parent.rmdir()
    return True
