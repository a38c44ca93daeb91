"""The look at a folder before training: every fault is found, told once, and weighed."""

import json
import shutil
from pathlib import Path

import pytest

from audioclf.audio import io
from audioclf.cli import main
from audioclf.datasets import dataset, inspection
from audioclf.datasets.checks import Severity
from audioclf.datasets.inspection import InspectionReport
from tests import sounds


def write(path: Path, samples: io.Samples, rate_hz: int = sounds.RATE_HZ) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    io.write(path, samples, rate_hz)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of ten good clips each."""
    for i in range(10):
        write(tmp_path / "data" / "dog" / f"{i}.wav", sounds.noise(1.0, seed=i))
        write(tmp_path / "data" / "cat" / f"{i}.wav", sounds.noise(2.5, seed=100 + i))
    return tmp_path / "data"


def look(folder: Path, window_s: float = 0.5) -> InspectionReport:
    return inspection.inspect(dataset.load(folder), window_s)


def texts_of(report: InspectionReport, kind: str) -> list[str]:
    return [finding.sentence for finding in report.findings if finding.kind == kind]


def test_a_good_folder_has_nothing_to_warn_of(folder: Path) -> None:
    report = look(folder)
    assert not report.has_errors and texts_of(report, Severity.WARNING) == []
    assert texts_of(report, Severity.INFO) == [
        "5 folds are made, each with its share of every class; no clip is on both sides, but which "
        "clips share a recording is not known."
    ]
    assert report.classes() == [
        {"class": "cat", "clips": 10, "minutes": 0.42, "unreadable": 0},
        {"class": "dog", "clips": 10, "minutes": 0.17, "unreadable": 0},
    ]
    assert (
        dict(report.durations())["up to 1 s"] == 10 and dict(report.durations())["up to 5 s"] == 10
    )
    assert report.to_dict()["sample_rates_hz"] == {"22050": 20}
    assert len(report.usable) == 20


def test_what_cannot_be_read_blocks_with_the_reason(folder: Path) -> None:
    (folder / "dog" / "x.wav").write_bytes(b"RIFF and then nothing")
    (folder / "dog" / "y.wav").write_bytes(b"")
    report = look(folder)
    wrong = texts_of(report, Severity.ERROR)
    assert len(wrong) == 2 and all(words.startswith("Take it out, or") for words in wrong)
    assert texts_of(report, Severity.WARNING) == []
    assert len(report.usable) == 20
    assert report.classes()[1]["unreadable"] == 2
    for number in range(6):
        (folder / "cat" / f"z{number}.wav").write_bytes(bytes([number]))
    rest = texts_of(look(folder), Severity.ERROR)[-1]
    assert rest.startswith("Take out, because they cannot be read: ")
    assert sum(rest.count(f"{name}.wav") for name in ("x", "y", *(f"z{n}" for n in range(6)))) == 3


def test_silent_and_short_clips_are_named(folder: Path) -> None:
    write(folder / "cat" / "quiet.wav", sounds.silence(2))
    report = look(folder, window_s=1.5)
    silent, short = texts_of(report, Severity.WARNING)
    assert silent.startswith("Nothing but silence is in cat/quiet.wav:")
    assert short.startswith("Shorter than the 1.5 s") and "and 5 more" in short
    assert report.findings[1].files[0] == "dog/0.wav" and len(report.findings[1].files) == 10


def test_copies_warn_and_copies_in_several_classes_block(folder: Path) -> None:
    shutil.copy(folder / "dog" / "1.wav", folder / "dog" / "copy.wav")
    report = look(folder)
    assert not report.has_errors
    assert any("Copies of other clips" in words and "dog/copy.wav" in words
               for words in texts_of(report, Severity.WARNING))  # fmt: skip
    shutil.copy(folder / "dog" / "2.wav", folder / "cat" / "copy.wav")
    report = look(folder)
    assert report.has_errors and report.findings[0].kind == Severity.ERROR
    assert report.findings[0].sentence == (
        "The same recording stands under several classes (cat/copy.wav and dog/2.wav): decide "
        "which one is right."
    )


def test_sources_that_are_named_are_on_one_side_each(folder: Path) -> None:
    rows = [f"{name}/{i}.wav,{name},s{name}{i % 5}" for name in ("dog", "cat") for i in range(10)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,label,group", *rows]))
    (text,) = texts_of(look(folder), Severity.INFO)
    assert "what is of one source stays together; no clip and no source is on both sides" in text
    rows = [f"{name}/{i}.wav,{name},s{name}" for name in ("dog", "cat") for i in range(10)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,label,group", *rows]))
    (blocked,) = texts_of(look(folder), Severity.ERROR)
    assert "would be held out, and none left for training" in blocked


def test_fewer_than_two_classes_are_in_the_way(folder: Path) -> None:
    data = dataset.load(folder)
    report = inspection.inspect(data, 2.0)
    cats = {clip.relative_path for clip in data.clips if clip.label == "cat"}
    clips = tuple(one for one in report.clips if one.clip.relative_path not in cats)
    again = inspection.build_report(data.without(cats), clips, 2.0)
    assert again.has_errors and "Fewer than two classes" in " ".join(
        texts_of(again, Severity.ERROR)
    )


def test_copies_and_sources_in_several_folds_are_found(folder: Path) -> None:
    shutil.copy(folder / "dog" / "1.wav", folder / "dog" / "copy.wav")
    table = "file_name,label,fold,group\n"
    table += "".join(f"dog/{i}.wav,dog,{1 + i % 2},g{i}\n" for i in range(10))
    table += "".join(f"cat/{i}.wav,cat,{1 + i % 2},same\n" for i in range(10))
    table += "dog/copy.wav,dog,1,g11\n"
    (folder / "metadata.csv").write_text(table)
    warned = " ".join(texts_of(look(folder), Severity.WARNING))
    assert "no clip and no source" not in " ".join(texts_of(look(folder), Severity.INFO))
    assert "Copies stand in several folds" in warned
    assert "Clips of one source stand in several folds, such as those of “same”" in warned
    assert texts_of(look(folder), Severity.INFO) == ["The 2 folds are those of the data set."]


def test_few_and_uneven_clips_are_weighed(folder: Path) -> None:
    write(folder / "bird" / "1.wav", sounds.noise(1, seed=500))
    report = look(folder)
    assert (
        report.has_errors and "bird has fewer than 2 clips" in texts_of(report, Severity.ERROR)[0]
    )
    write(folder / "bird" / "2.wav", sounds.noise(1, seed=501))
    for i in range(10, 30):
        write(folder / "dog" / f"{i}.wav", sounds.noise(1.0, seed=i))
    report = look(folder)
    assert not report.has_errors
    warned = texts_of(report, Severity.WARNING)
    assert any("bird has fewer than 10 clips" in words for words in warned)
    assert any("many more clips" in words for words in warned)


def test_names_that_cannot_be_shown_block(folder: Path) -> None:
    (folder / "cat").rename(folder / "c\u202eat")
    assert "rename it" in texts_of(look(folder), Severity.ERROR)[0]


def test_the_command_line_shows_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["inspect", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(look(folder, 2.0).to_dict()))
    shutil.copy(folder / "dog" / "2.wav", folder / "cat" / "copy.wav")
    assert main.main(["inspect", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert "warning: " in out and "cat" in out
    assert "cannot be trained on as it is" in err


def test_an_archive_is_looked_at_like_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder.parent, folder.name)
    assert main.main(["inspect", packed, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(look(folder, 2.0).to_dict()))
