"""Archives that people bring, unpacked without trusting a word in them."""

import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audioclf._whole import whole_folder
from audioclf.layouts import SOUNDS

TABLES = frozenset({".csv", ".jsonl", ".txt", ".md", ".json"})
MAX_NAME, MAX_DEPTH = 200, 8  # bytes of a part of a path, and parts
CHUNK = 1 << 20
DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error, lzma.LZMAError)
MB = 1e6


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold at most."""

    max_files: int = 20_000
    max_bytes: int = 4_000_000_000  # unpacked


@dataclass(frozen=True)
class Unpacked:
    """What came out: the folder, how many files, and what was left out because of its kind."""

    folder: Path
    n_files: int
    left_out: tuple[str, ...]


def unpack(path: Path, folder: Path, limits: ArchiveLimits | None = None) -> Unpacked:
    """Sounds and tables of a ZIP into `folder`, which appears when all of them are there.

    Raises ValueError for what is no ZIP, for paths that lead elsewhere, links, passwords, damage,
    and more than the limits allow; then nothing is left.
    """
    limits = limits or ArchiveLimits()
    try:
        with zipfile.ZipFile(path) as archive, whole_folder(folder) as partial:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(members, limits)
            wanted = [member for member in members if _is_wanted(member.filename)]
            if not wanted:
                raise ValueError(
                    "This archive holds no sounds: put a folder of sounds per class in it."
                )
            n_left = limits.max_bytes
            for member in wanted:
                n_left -= _write(archive, member, partial, n_left)
    except DAMAGE as error:
        raise ValueError("This is no ZIP, or a damaged one: make it again.") from error
    except OSError as error:
        raise ValueError(
            f"This archive could not be unpacked here ({error.strerror or error}): free some "
            "space, or name another folder."
        ) from error
    names = {member.filename for member in wanted}
    hidden = (m.filename for m in members if m.filename not in names)
    left_out = tuple(name for name in hidden if not _is_hidden(name))
    return Unpacked(folder, len(wanted), left_out)


def _check(members: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Raise ValueError for any member that could do harm, and for too many."""
    n_files = len(members)
    if n_files > limits.max_files:
        raise ValueError(
            f"This archive holds {n_files:,} files and may hold {limits.max_files:,}: split it."
        )
    if sum(member.file_size for member in members) > limits.max_bytes:
        raise ValueError(_too_large(limits.max_bytes))
    seen: set[str] = set()
    for member in members:
        if member.flag_bits & 1:
            raise ValueError("This archive needs a password: make it again without one.")
        if wrong := _wrong(member):
            raise ValueError(f"“{_shown(member.filename)}” in this archive {wrong}.")
        if member.filename.casefold() in seen:
            raise ValueError(
                f"“{_shown(member.filename)}” is twice in this archive: rename one of them."
            )
        seen.add(member.filename.casefold())


def _wrong(member: zipfile.ZipInfo) -> str | None:
    """What is wrong with where a member would lie, and what to do."""
    name = member.filename
    parts = PurePosixPath(name).parts
    if any(mark in name for mark in "\\:\0") or name.startswith("/") or ".." in parts:
        return "would lie elsewhere than in its folder: make it again without such paths"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link: put the file itself in"
    if len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_NAME for part in parts):
        return "is too long a path: shorten it"
    return None


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, n_left: int) -> int:
    """One file; the bytes that it really has, which are not always those that it claims."""
    target = folder / member.filename
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"“{_shown(member.filename)}” would lie elsewhere: make the archive again."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    n_bytes = 0
    with archive.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            n_bytes += len(chunk)
            if n_bytes > n_left:
                raise ValueError(_too_large(n_left))
            file.write(chunk)
    return n_bytes


def _is_wanted(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SOUNDS | TABLES and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)


def _too_large(max_bytes: int) -> str:
    return f"Unpacked, this archive is larger than {max_bytes / MB:,.0f} MB: split it."


def _shown(name: str) -> str:
    """A name from outside in a sentence: one line, and not endless."""
    plain = "".join(c if c.isprintable() else "?" for c in name)
    return plain if len(plain) <= 80 else f"{plain[:77]}..."
