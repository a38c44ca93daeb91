"""What is brought is prepared beside its place: a refusal or a kill leaves nothing behind."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from audioclf.annotation import add_files, project
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets import uploads
from audioclf.datasets.uploads import Limits
from audioclf.datasets.zip_archive import ArchiveLimits
from audioclf.storage import atomic
from tests import hostile
from tests.datasets.test_uploads import sound
from tests.sentences import refusal


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "data"))


@pytest.fixture
def garden(tmp_path: Path) -> AnnotationProject:
    one = project.create("garden")
    add_files.add_files(one, [sound(tmp_path / "a" / "1.wav")], Limits())
    return one


def files(folder: Path) -> list[str]:
    """Everything in there but what a store keeps."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.name.startswith(("labels.sqlite", ".adding")) and path.is_file()
    )


def zipped(path: Path, *sounds: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for one in sounds:
            archive.write(one, f"{one.parent.name}/{one.name}")
    return path


def test_five_archives_of_one_call_are_refused_before_they_fill_the_disk(
    tmp_path: Path, garden: AnnotationProject
) -> None:
    big = tmp_path / "big" / "1.wav"
    big.parent.mkdir()
    big.write_bytes(bytes(3_000_000))
    small = [
        zipped(tmp_path / f"{n}.zip", sound(tmp_path / "x" / f"{n}.wav", 99)) for n in range(5)
    ]
    large = []
    for number in range(5):
        path = tmp_path / f"large {number}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(big, "b/1.wav")
        large.append(path)
    before = files(garden.folder)
    for paths, limits in (
        (large, Limits(archive=ArchiveLimits(max_bytes=10_000_000))),
        (small, Limits(archive=ArchiveLimits(max_files=4))),
    ):
        assert refusal(lambda p=paths, m=limits: add_files.add_files(garden, p, m))
        assert files(garden.folder) == before
        assert [one.name for one in garden.folder.glob(".*")] == [".adding"]


@pytest.mark.parametrize("title", ["wrong content", "overlapping", "parent", "bomb", "con"])
def test_a_refused_archive_takes_the_sounds_beside_it_along(
    tmp_path: Path, garden: AnnotationProject, title: str
) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(hostile.ARCHIVES[title][0]())
    good = sound(tmp_path / "b" / "2.wav", 300)
    limits = Limits(archive=ArchiveLimits(max_bytes=1_000_000))
    assert refusal(lambda: add_files.add_files(garden, [good, bad], limits))
    assert files(garden.folder) == ["sounds/1.wav"] and garden.count_files() == 1
    assert refusal(lambda: uploads.from_archive(bad, "x", limits))
    assert not list(uploads.home().iterdir())


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The second copy does not fit any more."""
    copied: list[object] = []
    copy = shutil.copy

    def fails(source: Path, target: Path) -> object:
        copied.append(target)
        if len(copied) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return copy(source, target)

    monkeypatch.setattr(shutil, "copy", fails)
    yield


def test_a_full_disk_takes_nothing_and_names_the_right_variable(
    tmp_path: Path, garden: AnnotationProject, monkeypatch: pytest.MonkeyPatch, full_disk: None
) -> None:
    new = [sound(tmp_path / "b" / f"{n}.wav", 300 + n) for n in range(3)]
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert "AUDIOCLF_DATA" in refusal(lambda: add_files.add_files(garden, new, Limits()))
    assert files(garden.folder) == ["sounds/1.wav"] and garden.count_files() == 1
    message = refusal(lambda: uploads.with_files(None, "bell", new, Limits()))
    assert "AUDIOCLF_CACHE" in message and not files(uploads.home())
    monkeypatch.setenv("AUDIOCLF_PUBLIC", "1")
    message = refusal(lambda: uploads.with_files(None, "bell", new, Limits()))
    assert "try again later" in message and "AUDIOCLF" not in message and "space, or" not in message


def test_files_that_cannot_all_be_renamed_in_are_taken_back(tmp_path: Path) -> None:
    with atomic.staging(tmp_path / "set") as staged:
        sources = [staged / name for name in ("1", "2")]
        for one in sources:
            one.write_text("new")
        (tmp_path / "set" / "old").mkdir()
        (tmp_path / "set" / "in the way").write_text("stays")
        moves = [(sources[0], tmp_path / "set" / "old" / "1")]
        moves.append((sources[1], tmp_path / "set" / "in the way" / "2"))
        with pytest.raises(OSError):
            atomic.move_in(staged, moves)
    assert files(tmp_path / "set") == ["in the way"]


KILLED = """
import os, sys
from pathlib import Path
from audioclf.annotation import add_files, project
from audioclf.datasets.uploads import Limits
rename, n = os.rename, []
def killed(source, target):
    n.append(target)
    if len(n) == 2:
        os.kill(os.getpid(), 9)
    rename(source, target)
os.rename = killed
add_files.add_files(project.find("garden"), [Path(one) for one in sys.argv[1:]], Limits())
"""


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_for_long(
    tmp_path: Path, garden: AnnotationProject
) -> None:
    new = [sound(tmp_path / "b" / f"{n}.wav", 300 + n) for n in range(3)]
    command = [sys.executable, "-c", KILLED, *map(str, new)]
    assert subprocess.run(command, timeout=120).returncode == -signal.SIGKILL
    (left,) = [one for one in garden.folder.iterdir() if one.name.endswith(".partial")]
    assert "sounds/0.wav" in files(garden.folder)
    project.delete_old(3_600.0)
    assert left.exists(), "it could be another process's that has just begun"
    os.utime(left, (0, 0))
    project.delete_old(3_600.0)
    assert files(garden.folder) == ["sounds/1.wav"] and not left.exists()


def test_what_a_living_process_prepares_is_left_alone(tmp_path: Path) -> None:
    with atomic.staging(tmp_path) as staged:
        os.utime(staged, (0, 0))
        atomic.delete_staged(tmp_path)
        assert staged.is_dir()
    assert not list(tmp_path.iterdir())


def test_files_go_to_a_collection_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    first = [sound(tmp_path / "a" / "1.wav")]
    collection = uploads.with_files(None, "bell", first, Limits())
    new = [sound(tmp_path / "b" / f"{n}.wav", 300 + n) for n in range(3)]
    limits = Limits(archive=ArchiveLimits(max_bytes=2 * new[0].stat().st_size))
    assert "larger than" in refusal(lambda: uploads.with_files(collection, "bell", new, limits))
    assert files(uploads.home() / collection) == ["my sounds/bell/1.wav"]
    assert uploads.with_files(collection, "bell", new, Limits()) == collection
    assert len(files(uploads.home() / collection)) == 4
    assert sorted(path.name for path in uploads.home().iterdir()) == sorted([collection, ".adding"])


@pytest.mark.parametrize("name", ["aux.wav", "a\u202evaw.wav", "a\x1b[2J.wav", "a\nb.wav"])
def test_a_file_with_a_name_that_no_file_may_have_is_refused(
    tmp_path: Path, garden: AnnotationProject, name: str
) -> None:
    bad = Path(shutil.copy(sound(tmp_path / "1.wav"), tmp_path / name))
    for bring in (
        lambda: add_files.add_files(garden, [bad], Limits()),
        lambda: uploads.with_files(None, "bell", [bad], Limits()),
    ):
        message = refusal(bring)
        assert "rename it" in message and message.isprintable()


@pytest.mark.parametrize("label", ["con", "Aux", "lpt1.old", "bell.", "b\u202eell", "鐘" * 90])
def test_a_class_that_no_folder_may_be_called_is_refused(tmp_path: Path, label: str) -> None:
    paths = [sound(tmp_path / "1.wav")]
    message = refusal(lambda: uploads.with_files(None, label, paths, Limits()))
    assert message.isprintable()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text("old")
    with pytest.raises(KeyError), atomic.atomic_file(path) as part:
        part.write_text("half")
        raise KeyError
    assert path.read_text() == "old" and files(tmp_path) == ["values.json"]
    with atomic.atomic_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and files(tmp_path) == ["values.json"]
