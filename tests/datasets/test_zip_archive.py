"""Archives: what is in them comes out, and what could do harm does not."""

import io
import zipfile
from pathlib import Path

import pytest
import soundfile

from audioclf.datasets import dataset, zip_archive
from audioclf.datasets.zip_archive import ArchiveLimits, Budget
from audioclf.storage.names import BIDI
from tests.hostile import ARCHIVES, of_64, with_comment
from tests.sentences import refusal
from tests.sounds import RATE_HZ, noise


def wav() -> bytes:
    """A real file, a tenth of a second."""
    file = io.BytesIO()
    soundfile.write(file, noise(0.1), RATE_HZ, format="WAV")
    return file.getvalue()


def write(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_sounds_and_tables_come_out_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {
        "birds/wren/1.wav": wav(), "birds/robin/ö 2.wav": wav(), "birds/notes.txt": b"dawn",
        "birds/run.exe": b"MZ", "__MACOSX/birds/._1.wav": b"fork", "birds/.DS_Store": b"x",
        "birds/more.zip": b"PK",
    })  # fmt: skip
    unpacked = zip_archive.unpack(path, tmp_path / "out")
    assert unpacked.n_files == 3
    assert sorted(unpacked.left_out) == ["birds/more.zip", "birds/run.exe"]
    assert dataset.load(unpacked.folder).classes == ("robin", "wren")
    names = {str(p.relative_to(unpacked.folder)) for p in unpacked.folder.rglob("*") if p.is_file()}
    assert names == {"birds/wren/1.wav", "birds/robin/ö 2.wav", "birds/notes.txt"}


def test_nothing_that_means_harm_comes_out_and_nothing_is_left(tmp_path: Path) -> None:
    budget = ArchiveLimits(max_files=50, max_bytes=1_000_000)
    for number, (title, (make, words)) in enumerate(ARCHIVES.items()):
        folder = tmp_path / str(number)
        (folder / "in").mkdir(parents=True)
        path = folder / "in" / "evil.zip"
        path.write_bytes(make())
        message = refusal(lambda p=path: zip_archive.unpack(p, p.parent / "out", Budget(budget)))
        assert words in message, f"{title}: {message}"
        assert not BIDI & set(message) and message.isprintable(), title
        assert [one.name for one in folder.rglob("*")] == ["in", "evil.zip"], title
    assert len(ARCHIVES) >= 25
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(
        str(number) for number in range(len(ARCHIVES))
    )
    assert not Path("/tmp/evil.wav").exists()


def test_a_large_zip64_and_one_with_a_comment_are_read(tmp_path: Path) -> None:
    (tmp_path / "64.zip").write_bytes(of_64()())
    (tmp_path / "comment.zip").write_bytes(with_comment(b"of my garden")())
    for name in ("64", "comment"):
        assert zip_archive.unpack(tmp_path / f"{name}.zip", tmp_path / name).n_files == 1


def test_the_directory_is_not_read_where_the_end_record_claims_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(zip_archive, "_opened", lambda path: opened.append(path.name))
    for name in ("far too many", "end claims very many", "huge name", "ZIP64 claims very many"):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(ARCHIVES[name][0]())
        budget = Budget(ArchiveLimits(max_files=50))
        refusal(lambda p=path, b=budget: zip_archive.unpack(p, tmp_path / "out", b))
    assert opened == []


def test_the_archives_of_one_call_share_a_budget(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {f"a/{n}.wav": b"0" * 1_000 for n in range(4)})
    by_size, by_number = Budget(ArchiveLimits(max_bytes=9_999)), Budget(ArchiveLimits(max_files=9))
    for budget, words in ((by_size, "larger than"), (by_number, "At most 9 files")):
        for name in ("1", "2"):
            zip_archive.unpack(path, tmp_path / words / name, budget)
        assert words in refusal(
            lambda b=budget, w=words: zip_archive.unpack(path, tmp_path / w / "3", b)
        )
        assert sorted(one.name for one in (tmp_path / words).iterdir()) == ["1", "2"]


def test_the_room_for_everybody_is_looked_at_while_an_archive_is_unpacked(tmp_path: Path) -> None:
    """Two at once would each find room before they begin."""
    size = zip_archive.CHECK_EVERY + zip_archive.CHUNK
    path = write(tmp_path / "a.zip", {"a/1.wav": b"0" * size, "a/2.wav": b"0" * size})
    seen: list[int] = []

    def check() -> None:
        written = [one.stat().st_size for one in tmp_path.rglob("*.wav")]
        seen.append(sum(written))
        if sum(written) > size:
            raise ValueError("This page is full just now: try again in a few hours.")

    assert "full just now" in refusal(
        lambda: zip_archive.unpack(path, tmp_path / "out", Budget(check_quota=check))
    )
    assert 0 < seen[0] <= size < seen[-1] < 2 * size
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


def test_too_many_files_and_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", {f"a/{n}.wav": b"0" * 1_000 for n in range(11)})
    few, small = ArchiveLimits(max_files=10), ArchiveLimits(max_bytes=10_000)
    assert "may hold 10" in refusal(lambda: zip_archive.unpack(path, tmp_path / "out", Budget(few)))
    assert "larger than" in refusal(
        lambda: zip_archive.unpack(path, tmp_path / "out", Budget(small))
    )
    assert (
        zip_archive.unpack(path, tmp_path / "out", Budget(ArchiveLimits(11, 11_000))).n_files == 11
    )


def test_what_a_header_claims_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.zip", {"a/1.wav": b"0" * 1_000_000})
    content = path.read_bytes()
    claimed = (1_000_000).to_bytes(4, "little")
    path.write_bytes(content.replace(claimed, (10).to_bytes(4, "little")))
    limits = ArchiveLimits(max_bytes=100_000)
    assert refusal(lambda: zip_archive.unpack(path, tmp_path / "out", Budget(limits)))
    assert [p.name for p in tmp_path.iterdir()] == ["bomb.zip"]


def test_no_zip_a_damaged_one_and_one_without_sounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"not at all")
    assert "no ZIP" in refusal(lambda: zip_archive.unpack(tmp_path / "no.zip", tmp_path / "out"))
    path = write(tmp_path / "cut.zip", {"a/1.wav": bytes(range(256)) * 400})
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(bytes(content))
    assert "damaged" in refusal(lambda: zip_archive.unpack(path, tmp_path / "out"))
    empty = write(tmp_path / "empty.zip", {"a/1.exe": b"MZ"})
    assert "holds no sounds" in refusal(lambda: zip_archive.unpack(empty, tmp_path / "out"))


def test_what_was_there_before_stays_when_an_archive_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path / "good.zip", {"a/1.wav": wav(), "b/1.wav": wav()})
    zip_archive.unpack(good, tmp_path / "out")
    bad = write(tmp_path / "bad.zip", {"a/1.wav": wav(), "b/2.exe": b"", "../x.wav": b""})
    refusal(lambda: zip_archive.unpack(bad, tmp_path / "out"))
    assert len(dataset.load(tmp_path / "out").clips) == 2
