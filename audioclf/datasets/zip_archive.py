"""Uploaded ZIP archives, unpacked without trusting a word in them."""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.storage import names, paths
from audioclf.storage.atomic import atomic_folder
from audioclf.storage.names import shown

TABLES = frozenset({".csv", ".jsonl", ".txt", ".md", ".json"})
MAX_DEPTH = 8  # parts of a path
CHUNK = 1 << 20
CHECK_EVERY = 32 << 20  # bytes written between two looks at the room that is left for everybody
DAMAGE = (
    zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error, struct.error,
    OverflowError, UnicodeError,
)  # fmt: skip
# bzip2 and LZMA are left out: zipfile inflates what it has read of them without any bound.
COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
MB = 1e6

# The end record of a ZIP: what it is made of (APPNOTE 4.3.14 to 4.3.16).
END, END_MARK = struct.Struct("<4s4H2LH"), b"PK\5\6"
END64, END64_MARK = struct.Struct("<4sQ2H2L4Q"), b"PK\6\6"
LOCATOR, LOCATOR_MARK = struct.Struct("<4sLQL"), b"PK\6\7"
MAX_COMMENT = 0xFFFF
MIN_ENTRY, USUAL_ENTRY = (
    46,
    2_048,
)  # bytes of an entry of the directory: at least, at most on average
LOCAL_HEADER = 30  # bytes, without the name
BROKEN = "This is no ZIP, or a damaged one: make it again."


@dataclass(frozen=True)
class ArchiveLimits:
    """What the archives of one call may hold at most, all of them together."""

    max_files: int = 20_000
    max_bytes: int = 4_000_000_000  # unpacked


class Budget:
    """What is left for the files of one call: every file and every byte is counted once."""

    def __init__(
        self, limits: ArchiveLimits | None = None, check_quota: Callable[[], None] | None = None
    ) -> None:
        """check_quota: raises ValueError where all uploads fill their share of the disk."""
        self.limits = limits or ArchiveLimits()
        self.check_quota = check_quota
        self.n_files = self.n_bytes = self.n_unchecked = 0

    def add_files(self, n_files: int) -> None:
        """So many files more. Raises ValueError where these are too many."""
        most, n_before = self.limits.max_files, self.n_files
        self.n_files += n_files
        if self.n_files > most and n_before:
            raise ValueError(f"At most {most:,} files may be added at once: add fewer.")
        if self.n_files > most:
            raise ValueError(
                f"This archive holds {n_files:,} files and may hold {most:,}: split it."
            )

    def add_bytes(self, n_bytes: int) -> None:
        """So many bytes more were written. Raises ValueError where these are too many."""
        self.check_bytes(n_bytes)
        self.n_bytes += n_bytes
        self.n_unchecked += n_bytes
        if self.check_quota is not None and self.n_unchecked >= CHECK_EVERY:
            self.n_unchecked = 0
            self.check_quota()

    def check_bytes(self, n_bytes: int) -> None:
        """Raise ValueError where so many more would be too many."""
        if self.n_bytes + n_bytes > self.limits.max_bytes:
            raise ValueError(
                f"Unpacked, this is larger than {self.limits.max_bytes / MB:,.0f} MB: split it."
            )


@dataclass(frozen=True)
class Unpacked:
    """What came out: the folder, how many files, and what was left out because of its kind."""

    folder: Path
    n_files: int
    left_out: tuple[str, ...]


def unpack(path: Path, folder: Path, budget: Budget | None = None) -> Unpacked:
    """Sounds and tables of a ZIP into `folder`, which appears when all of them are there.

    Raises ValueError for what is no ZIP, for paths that lead elsewhere, links, passwords, damage,
    and more than the budget allows; then nothing is left.
    """
    budget = budget or Budget()
    try:
        n_entries = _check_end(path, budget.limits.max_files)
        with _opened(path) as archive, atomic_folder(folder) as partial:
            if len(archive.infolist()) != n_entries:
                raise zipfile.BadZipFile
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(archive.infolist(), members, budget)
            to_unpack = [member for member in members if _is_wanted(member.filename)]
            if not to_unpack:
                raise ValueError(
                    "This archive holds no sounds: put a folder of sounds per class in it."
                )
            for member in to_unpack:
                _write(archive, member, partial, budget)
    except DAMAGE as error:
        raise ValueError(BROKEN) from error
    except OSError as error:
        raise ValueError(
            f"This archive could not be unpacked here ({error.strerror or type(error).__name__}): "
            f"{paths.remedy(folder)}."
        ) from error
    unpacked = {member.filename for member in to_unpack}
    hidden = (m.filename for m in members if m.filename not in unpacked)
    left_out = tuple(name for name in hidden if not _is_hidden(name))
    return Unpacked(folder, len(to_unpack), left_out)


class _End(NamedTuple):
    """What the end record says of the directory, and where it stands itself, in bytes."""

    disk: int
    first_disk: int
    n_here: int
    n_entries: int
    size: int
    offset: int
    at: int


def _check_end(path: Path, max_files: int) -> int:
    """How many entries a ZIP claims to have, read before its directory is.

    Raises ValueError for more than can be meant, BadZipFile for what does not fit together.
    """
    end = _read_end(path)
    if (end.disk, end.first_disk, end.n_here) != (0, 0, end.n_entries):
        raise zipfile.BadZipFile
    if end.offset + end.size != end.at:
        raise zipfile.BadZipFile
    if end.n_entries > 2 * max_files:  # folders have entries too
        raise ValueError(
            f"This archive holds {end.n_entries:,} entries and may hold {max_files:,} files: split "
            "it."
        )
    if not end.n_entries * MIN_ENTRY <= end.size <= end.n_entries * USUAL_ENTRY:
        raise zipfile.BadZipFile
    return end.n_entries


def _read_end(path: Path) -> _End:
    """The end record, the one that `zipfile` reads too; it is the last thing in the file."""
    with path.open("rb") as file:
        n_bytes = file.seek(0, 2)
        file.seek(max(0, n_bytes - END.size - MAX_COMMENT))
        tail = file.read()
        start = tail.rfind(END_MARK)
        if start < 0 or start + END.size > len(tail):
            raise zipfile.BadZipFile
        _, *values, n_comment = END.unpack_from(tail, start)
        at = n_bytes - len(tail) + start
        if at + END.size + n_comment != n_bytes:
            raise zipfile.BadZipFile
        if at >= LOCATOR.size + END64.size:
            file.seek(at - LOCATOR.size - END64.size)
            mark, *values64 = END64.unpack(file.read(END64.size))
            locator = LOCATOR.unpack(file.read(LOCATOR.size))
            if locator[0] == LOCATOR_MARK:
                at -= LOCATOR.size + END64.size
                values = values64[3:]
                if mark != END64_MARK or locator[1:] not in ((0, at, 1), (0, at, 0)):
                    raise zipfile.BadZipFile
    return _End._make([*values, at])


def _opened(path: Path) -> zipfile.ZipFile:
    """The archive with its directory read. Raises BadZipFile for whatever is wrong with that."""
    try:
        return zipfile.ZipFile(path)
    except ValueError as error:  # a place in the file below 0
        raise zipfile.BadZipFile from error


def _check(entries: list[zipfile.ZipInfo], members: list[zipfile.ZipInfo], budget: Budget) -> None:
    """Raise ValueError for any entry that could do harm, and for too many."""
    budget.add_files(len(members))
    budget.check_bytes(sum(member.file_size for member in members))
    seen: set[str] = set()
    for entry in entries:
        if entry.flag_bits & 1:
            raise ValueError("This archive needs a password: make it again without one.")
        if wrong := _wrong(entry):
            raise ValueError(f"“{shown(entry.orig_filename)}” in this archive {wrong}.")
        parts = PurePosixPath(entry.filename).parts
        lies = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        if lies in seen:
            raise ValueError(
                f"“{shown(entry.filename)}” is twice in this archive: rename one of them."
            )
        seen.add(lies)
    ordered = sorted(members, key=lambda member: member.header_offset)
    for earlier, later in pairwise(ordered):
        if earlier.header_offset + LOCAL_HEADER + earlier.compress_size > later.header_offset:
            raise zipfile.BadZipFile  # they overlap: one stream of bytes would come out many times


def _wrong(entry: zipfile.ZipInfo) -> str | None:
    """What is wrong with an entry and where it would lie, and what to do."""
    name, parts = entry.orig_filename, PurePosixPath(entry.filename).parts
    if any(mark in name for mark in "\\:\0") or name.startswith("/") or ".." in parts:
        return "would lie elsewhere than in its folder: make it again without such paths"
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a link: put the file itself in"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no file but a device: leave it out"
    if len(parts) > MAX_DEPTH:
        return "is too long a path: shorten it"
    if entry.compress_type not in COMPRESSIONS:
        return "is compressed in an unusual way: make the archive again with the usual one, Deflate"
    return next(filter(None, map(names.fault, parts)), None)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, budget: Budget) -> None:
    """One file; counted are the bytes that it really has, not those that it claims."""
    target = folder / member.filename
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"“{shown(member.filename)}” would lie elsewhere: make the archive again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            budget.add_bytes(len(chunk))
            file.write(chunk)


def _is_wanted(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES | TABLES and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)
