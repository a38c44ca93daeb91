"""Archives: what is in them comes out, and what could do harm does not."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
import soundfile

from audioclf import archive, dataset
from audioclf.archive import ArchiveLimits
from tests.sentences import refusal
from tests.sounds import RATE_HZ, noise


def wav() -> bytes:
    """A real file, a tenth of a second."""
    file = io.BytesIO()
    soundfile.write(file, noise(0.1), RATE_HZ, format="WAV")
    return file.getvalue()


def write(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_sounds_and_tables_come_out_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {
        "birds/wren/1.wav": wav(), "birds/robin/ö 2.wav": wav(), "birds/notes.txt": b"dawn",
        "birds/run.exe": b"MZ", "__MACOSX/birds/._1.wav": b"fork", "birds/.DS_Store": b"x",
        "birds/more.zip": b"PK",
    })  # fmt: skip
    found = archive.unpack(path, tmp_path / "out")
    assert found.n_files == 3
    assert sorted(found.left_out) == ["birds/more.zip", "birds/run.exe"]
    assert dataset.load(found.folder).classes == ("robin", "wren")
    names = {str(p.relative_to(found.folder)) for p in found.folder.rglob("*") if p.is_file()}
    assert names == {"birds/wren/1.wav", "birds/robin/ö 2.wav", "birds/notes.txt"}


ATTACKS = {
    "parent": ("../evil.wav", "elsewhere"),
    "parent inside": ("a/../../evil.wav", "elsewhere"),
    "absolute": ("/tmp/evil.wav", "elsewhere"),
    "drive": ("C:/evil.wav", "elsewhere"),
    "backslash": ("..\\evil.wav", "elsewhere"),
    "too deep": ("/".join("abcdefghi") + "/x.wav", "too long a path"),
    "too long": ("ä" * 150 + ".wav", "too long a path"),
}


@pytest.mark.parametrize(("name", "words"), ATTACKS.values(), ids=ATTACKS)
def test_a_path_that_leads_elsewhere_is_refused_and_nothing_is_left(
    tmp_path: Path, name: str, words: str
) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("good/1.wav", wav())
        member = zipfile.ZipInfo("x")
        member.filename = name
        made.writestr(member, b"evil")
    assert words in refusal(lambda: archive.unpack(path, tmp_path / "out"))
    assert [p.name for p in tmp_path.rglob("*")] == ["evil.zip"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as made:
        member = zipfile.ZipInfo("a/link.wav")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(member, "/etc/passwd")
    assert "is a link" in refusal(lambda: archive.unpack(path, tmp_path / "out"))


def test_too_many_files_and_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {f"a/{n}.wav": b"0" * 1_000 for n in range(11)})
    few, small = ArchiveLimits(max_files=10), ArchiveLimits(max_bytes=10_000)
    assert "may hold 10" in refusal(lambda: archive.unpack(path, tmp_path / "out", few))
    assert "larger than" in refusal(lambda: archive.unpack(path, tmp_path / "out", small))
    assert archive.unpack(path, tmp_path / "out", ArchiveLimits(11, 11_000)).n_files == 11


def test_what_a_header_claims_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.zip", {"a/1.wav": b"0" * 1_000_000})
    content = path.read_bytes()
    claimed = (1_000_000).to_bytes(4, "little")
    path.write_bytes(content.replace(claimed, (10).to_bytes(4, "little")))
    limits = ArchiveLimits(max_bytes=100_000)
    assert refusal(lambda: archive.unpack(path, tmp_path / "out", limits))
    assert [p.name for p in tmp_path.iterdir()] == ["bomb.zip"]


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {"a/x.wav": b"1", "A/X.wav": b"2"})
    assert "is twice" in refusal(lambda: archive.unpack(path, tmp_path / "out"))


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {"a.wav": b"1", "a.wav/b.wav": b"2"})
    assert "could not be unpacked" in refusal(lambda: archive.unpack(path, tmp_path / "out"))


def test_no_zip_a_damaged_one_and_one_without_sounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"not at all")
    assert "no ZIP" in refusal(lambda: archive.unpack(tmp_path / "no.zip", tmp_path / "out"))
    path = write(tmp_path / "cut.zip", {"a/1.wav": bytes(range(256)) * 400})
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(bytes(content))
    assert "damaged" in refusal(lambda: archive.unpack(path, tmp_path / "out"))
    empty = write(tmp_path / "empty.zip", {"a/1.exe": b"MZ"})
    assert "holds no sounds" in refusal(lambda: archive.unpack(empty, tmp_path / "out"))


def test_what_was_there_before_stays_when_an_archive_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path / "good.zip", {"a/1.wav": wav(), "b/1.wav": wav()})
    archive.unpack(good, tmp_path / "out")
    bad = write(tmp_path / "bad.zip", {"a/1.wav": wav(), "b/2.exe": b"", "../x.wav": b""})
    refusal(lambda: archive.unpack(bad, tmp_path / "out"))
    assert len(dataset.load(tmp_path / "out").clips) == 2
