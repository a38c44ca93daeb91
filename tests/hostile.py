"""Archives that mean harm, each made byte by byte where `zipfile` would not write it."""

import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO

Make = Callable[[], bytes]
END = struct.Struct("<4s4H2LH")
END64, LOCATOR = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
FULL = 0xFFFF


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these, in which every name stands as it is given."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as zip_file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name that is there already
        zip_file.writestr("good/1.wav", b"RIFF")
        for name, content in members:
            member = zipfile.ZipInfo("x")
            member.filename, member.compress_type = name, compression
            zip_file.writestr(member, content)
    return file.getvalue()


def named(name: str) -> Make:
    return lambda: zipped((name, b"evil"))


def of_mode(mode: int) -> Make:
    def make() -> bytes:
        file = BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            member = zipfile.ZipInfo("a/1.wav")
            member.create_system, member.external_attr = 3, (mode | 0o777) << 16
            archive.writestr(member, "/etc/passwd")
        return file.getvalue()

    return make


def changed(change: Callable[[list[int]], None]) -> Make:
    """The end record says something else: disk, first, here, entries, size, offset, comment."""

    def make() -> bytes:
        content = zipped()
        mark, *values = END.unpack(content[-END.size :])
        change(values)
        return content[: -END.size] + END.pack(mark, *values)

    return make


def at(position: int, value: int) -> Callable[[list[int]], None]:
    return lambda values: values.__setitem__(position, value)


def of_64(*lies: int, at: int = 0) -> Make:
    """A ZIP64 end record: entries here, entries, size, offset; `at`: how far the locator is off."""

    def make() -> bytes:
        content = zipped()
        body, (mark, *values) = content[: -END.size], END.unpack(content[-END.size :])
        record = END64.pack(b"PK\6\6", 44, 45, 45, 0, 0, *(lies or values[2:6]))
        locator = LOCATOR.pack(b"PK\6\7", 0, len(body) + at, 1)
        return body + record + locator + END.pack(mark, 0, 0, FULL, FULL, 2**32 - 1, 2**32 - 1, 0)

    return make


def patched(before: bytes, after: bytes, content: bytes = b"x" * 100_000) -> Make:
    return lambda: zipped(("a/1.wav", content)).replace(before, after)


def encrypted() -> bytes:
    """The bit that says so, in both headers of the second member."""
    archive = bytearray(zipped(("a/1.wav", b"x")))
    archive[archive.rfind(b"PK\3\4") + 6] |= 1
    archive[archive.rfind(b"PK\1\2") + 8] |= 1
    return bytes(archive)


def overlapping() -> bytes:
    """Two names for one stream of bytes (Fifield, 2019, "A better zip bomb")."""
    archive = bytearray(zipped(("good/2.wav", b"RIFF")))
    last = archive.rfind(b"PK\1\2")
    archive[last + 42 : last + 46] = bytes(4)
    return bytes(archive)


def with_comment(comment: bytes) -> Make:
    def make() -> bytes:
        content = zipped()
        return content[:-2] + struct.pack("<H", len(comment)) + comment

    return make


def fake_end() -> bytes:
    """A second end record in the comment of the first, which claims a million entries."""
    return END.pack(b"PK\5\6", 0, 0, 60_000, 60_000, 2**31, 0, 0)


def nested() -> bytes:
    return zipped(("a/1.zip", zipped())).replace(b"good/1.wav", b"good/1.zip")


def wrong_content() -> bytes:
    return zipped(("a/1.wav", b"some sound"), compression=zipfile.ZIP_STORED).replace(
        b"some", b"same"
    )


def no_utf8() -> bytes:
    return zipped(("a/é.wav", b"x")).replace("a/é.wav".encode(), b"a/\xff\xff.wav")


BOMB = b"\0" * 5_000_000
ARCHIVES: dict[str, tuple[Make, str]] = {
    "parent": (named("../evil.wav"), "elsewhere"),
    "parent inside": (named("a/../../evil.wav"), "elsewhere"),
    "absolute": (named("/tmp/evil.wav"), "elsewhere"),
    "drive": (named("C:/evil.wav"), "elsewhere"),
    "stream of another file": (named("a.wav:evil"), "elsewhere"),
    "backslash": (named("..\\evil.wav"), "elsewhere"),
    "network path": (named("\\\\host\\evil.wav"), "elsewhere"),
    "cut by a zero byte": (patched(b"a/1.wav", b"a/1\0wav"), "elsewhere"),
    "too deep": (named("/".join("abcdefghi") + "/x.wav"), "too long a path"),
    "too long": (named("ä" * 150 + ".wav"), "too long a path"),
    "huge name": (named("a/" + "n" * 60_000 + ".wav"), "damaged"),
    "newline": (named("a/b\nc.wav"), "control character"),
    "ANSI": (named("a/\x1b[2Jc.wav"), "control character"),
    "C1 control": (named("a/\x9bc.wav"), "control character"),
    "line separator": (named("a/b\u2028c.wav"), "control character"),
    "RTL override": (named("a/\u202evaw.exe.wav"), "direction of text"),
    "RTL isolate in a folder": (named("a\u2067/1.wav"), "direction of text"),
    "con": (named("a/con"), "device of Windows"),
    "AUX.wav": (named("a/AUX.wav"), "device of Windows"),
    "nul as a folder": (named("nul/1.wav"), "device of Windows"),
    "com1 with endings": (named("a/com1.tar.wav"), "device of Windows"),
    "trailing dot": (named("a./1.wav"), "ends with a dot"),
    "trailing space": (named("a /1.wav"), "ends with a dot"),
    "link": (of_mode(stat.S_IFLNK), "is a link"),
    "character device": (of_mode(stat.S_IFCHR), "device"),
    "pipe": (of_mode(stat.S_IFIFO), "device"),
    "bomb": (lambda: zipped(("a/1.wav", BOMB)), "larger than"),
    "bomb that claims to be small": (
        patched(struct.pack("<L", len(BOMB)), b"\x0a\0\0\0", BOMB),
        "damaged",
    ),
    "bzip2 bomb": (
        lambda: zipped(("a/1.wav", BOMB[:900_000]), compression=zipfile.ZIP_BZIP2),
        "unusual way",
    ),
    "bzip2": (lambda: zipped(("a/1.wav", b"x"), compression=zipfile.ZIP_BZIP2), "unusual way"),
    "LZMA": (lambda: zipped(("a/1.wav", b"x"), compression=zipfile.ZIP_LZMA), "unusual way"),
    "too many": (lambda: zipped(*((f"a/{n}.wav", b"") for n in range(60))), "61 files"),
    "far too many": (lambda: zipped(*((f"a/{n}.wav", b"") for n in range(200))), "201 entries"),
    "nested": (nested, "holds no sounds"),
    "overlapping": (overlapping, "damaged"),
    "twice": (lambda: zipped(("good/1.wav", b"x")), "is twice"),
    "differs in case": (lambda: zipped(("GOOD/1.WAV", b"x")), "is twice"),
    "differs in Unicode": (lambda: zipped(("a/é.wav", b"x"), ("a/e\u0301.wav", b"y")), "is twice"),
    "same by another path": (lambda: zipped(("good/./1.wav", b"x")), "is twice"),
    "file that is a folder": (lambda: zipped(("good/1.wav/2.wav", b"x")), "could not be unpacked"),
    "encrypted": (encrypted, "password"),
    "wrong content": (wrong_content, "damaged"),
    "truncated": (lambda: zipped()[:-30], "damaged"),
    "no end": (lambda: zipped()[: -END.size], "damaged"),
    "half an end": (lambda: zipped()[:-4], "damaged"),
    "empty": (lambda: b"", "damaged"),
    "end alone": (lambda: END.pack(b"PK\5\6", 0, 0, 0, 0, 0, 0, 0), "no sounds"),
    "end claims more": (changed(at(3, 9)), "damaged"),
    "end claims very many": (changed(lambda v: v.__setitem__(slice(2, 4), [FULL] * 2)), "65,535"),
    "end claims none": (changed(lambda v: v.__setitem__(slice(2, 4), [0, 0])), "damaged"),
    "end claims another size": (changed(at(4, 2**32 - 1)), "damaged"),
    "end claims another place": (changed(at(5, 2**31)), "damaged"),
    "end on another disk": (changed(at(0, 3)), "damaged"),
    "ZIP64 claims very many": (of_64(2**40, 2**40, 46 * 2**40, 0), "damaged"),
    "ZIP64 claims no size": (of_64(1, 1, 0, 0), "damaged"),
    "ZIP64 lies elsewhere": (of_64(at=7), "damaged"),
    "comment that is cut": (lambda: with_comment(b"a" * 50)()[:-9], "damaged"),
    "comment with an end record": (with_comment(fake_end()), "damaged"),
    "name that is no UTF-8": (no_utf8, "damaged"),
}
