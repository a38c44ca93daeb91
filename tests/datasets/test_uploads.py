"""Sounds that people bring: archives and files, checked, named safely, and deleted in the end."""

import os
import time
import zipfile
from pathlib import Path

import pytest

from audioclf.audio import io
from audioclf.datasets import dataset, uploads
from audioclf.datasets.uploads import Limits
from audioclf.datasets.zip_archive import ArchiveLimits
from tests import sounds
from tests.sentences import refusal

FREE = Limits()


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))


def sound(path: Path, hz: float = 440.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    io.write(path, sounds.sine(hz, 0.5), sounds.RATE_HZ)
    return path


def zipped(tmp_path: Path, n_classes: int = 2, n_clips: int = 2) -> Path:
    path = tmp_path / "my & sounds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(n_classes):
            for j in range(n_clips):
                archive.write(sound(tmp_path / "in" / f"{i}{j}.wav", 100 + i), f"class {i}/{j}.wav")
    return path


def test_an_archive_becomes_a_data_set_under_a_name_that_nobody_guesses(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    first = uploads.from_archive(path, path.stem, FREE)
    second = uploads.from_archive(path, path.stem, FREE)
    assert first != second and len(first) >= 8
    data = dataset.load(uploads.folder_of(first))
    assert data.name == "my & sounds" and data.classes == ("class 0", "class 1")


@pytest.mark.parametrize(
    "limits, words",
    [
        (Limits(max_archive_bytes=100), "larger than 0 MB"),
        (Limits(archive=ArchiveLimits(max_files=3)), "holds 4 files"),
        (Limits(max_clips=3), "4 clips, and 3 may be added"),
        (Limits(max_classes=1), "2 classes, and 1 may be added"),
    ],
)
def test_more_than_the_limits_allow_is_refused_and_leaves_nothing(
    tmp_path: Path, limits: Limits, words: str
) -> None:
    path = zipped(tmp_path)
    assert words in refusal(lambda: uploads.from_archive(path, "x", limits))
    assert not list(uploads.home().glob("*"))


def test_files_come_class_by_class_and_none_is_lost(tmp_path: Path) -> None:
    bell = [sound(tmp_path / "a" / "1.wav"), sound(tmp_path / "b" / "1.wav", 300)]
    collection = uploads.with_files(None, "  Bell   tower ", bell, FREE)
    again = uploads.with_files(
        collection, "Geräusch 🎧", [sound(tmp_path / "c" / "1.wav", 90)], FREE
    )
    assert again == collection
    data = dataset.load(uploads.folder_of(collection))
    assert data.classes == ("Bell tower", "Geräusch 🎧") and len(data.clips) == 3
    assert {clip.path.name for clip in data.clips} == {"1.wav", "1 2.wav"}
    same = uploads.with_files(collection, "bell TOWER", bell[:1], FREE)
    assert len(dataset.load(uploads.folder_of(same)).classes) == 2
    other = uploads.with_files(uploads.from_archive(zipped(tmp_path), "x", FREE), "new", bell, FREE)
    assert other != collection  # beside an archive, files begin anew
    message = refusal(lambda: uploads.with_files(collection, "more", bell, Limits(max_clips=4)))
    assert "At most 4 clips" in message
    text = tmp_path / "notes.txt"
    text.write_text("no sound")
    assert "None of these files" in refusal(
        lambda: uploads.with_files(collection, "x", [text], FREE)
    )


@pytest.mark.parametrize(
    "label",
    ["", "  ", "../up", "a/b", "a\\b", ".hidden", "__x", "x" * 101, "a\0b", "<img src=x>", "C:"],
)
def test_a_class_that_cannot_be_a_folder_is_refused(tmp_path: Path, label: str) -> None:
    paths = [sound(tmp_path / "1.wav")]
    refusal(lambda: uploads.with_files(None, label, paths, FREE))
    assert not list(uploads.home().glob("*"))


@pytest.mark.parametrize("name", ["", "..", "../../etc", "/etc", "a" * 40, "nobodyknows"])
def test_a_name_that_is_a_path_finds_nothing(name: str) -> None:
    assert "add them again" in refusal(lambda: uploads.folder_of(name))


def test_what_is_old_is_deleted(tmp_path: Path) -> None:
    old = uploads.from_archive(zipped(tmp_path), "x", FREE)
    long_ago = time.time() - 100
    os.utime(uploads.home() / old, (long_ago, long_ago))
    new = uploads.from_archive(zipped(tmp_path), "x", FREE)
    uploads.delete_old(60)
    assert [path.name for path in uploads.home().iterdir()] == [new]
