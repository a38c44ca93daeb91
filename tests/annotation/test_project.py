"""Data sets that people label: made, filled, and exchanged with other tools."""

import csv
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from audioclf.annotation import (
    add_files,
    catalog,
    database,
    event_log,
    exporting,
    importing,
    project,
    to_dataset,
)
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.annotation.exporting import Export
from audioclf.audio import io
from audioclf.cli import main
from audioclf.datasets import dataset, uploads
from audioclf.datasets.formats.registry import FORMATS
from tests import sounds
from tests.sentences import refusal

LABEL, UNSURE = EventKind.LABEL, EventKind.UNSURE


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four sounds in two folders, one broken, and what systems leave behind."""
    root = tmp_path / "field"
    for name in ("a/1.wav", "a/2.wav", "b/1.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        io.write(root / name, sounds.sine(440, 2.0), sounds.RATE_HZ)
    (root / "b" / "broken.wav").write_bytes(b"RIFF")
    (root / "b" / "._1.wav").write_bytes(b"left behind")
    (root / "notes.txt").write_text("no sound")
    return root


@pytest.fixture
def birds(folder: Path) -> project.AnnotationProject:
    new_project = project.create("birds & more", folder)
    assert project.scan_files(new_project) == 4
    with database.connect(new_project.store) as db:
        event_log.add(db, AnnotationEvent("a/1.wav", LABEL, ("wren",)))
        event_log.add(db, AnnotationEvent("a/2.wav", LABEL, ("rain",)))
        event_log.add(db, AnnotationEvent("b/1.wav", UNSURE))
    return new_project


def test_a_set_names_its_sounds_and_what_is_wrong_with_them(
    birds: project.AnnotationProject, folder: Path
) -> None:
    files = {file.relative_path: file for file in birds.files()}
    assert set(files) == {"a/1.wav", "a/2.wav", "b/1.wav", "b/broken.wav"}
    assert files["a/1.wav"].duration_s == pytest.approx(2.0)
    assert files["b/broken.wav"].error and files["a/1.wav"].error is None
    assert project.scan_files(birds) == 0
    io.write(folder / "new.wav", sounds.sine(440, 1.0), sounds.RATE_HZ)
    assert project.scan_files(birds) == 1
    assert project.find("birds & more") == birds
    assert birds.audio_folder() == folder and "wren" not in [p.name for p in folder.rglob("*")]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a\\b", ".x", "x" * 101, "a\0"])
def test_a_name_that_is_a_path_is_refused(name: str) -> None:
    assert "cannot name a data set" in refusal(lambda: project.create(name))
    assert project.find_all() == []


def test_a_set_is_made_once_and_never_guessed(birds: project.AnnotationProject) -> None:
    assert "already" in refusal(lambda: project.create(birds.read_name()))
    assert "name one of birds & more" in refusal(lambda: project.find("other"))
    assert "no folder" in refusal(lambda: project.create("new", Path("/nowhere")))


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_given_away_can_be_taken_back(
    birds: project.AnnotationProject, folder: Path, tmp_path: Path, form: str
) -> None:
    output = exporting.write_labels(birds, Export(form), tmp_path / "out")
    card = (output / "README.md").read_text()
    assert "2 audio files, 2 labels of 2 classes" in card and "| rain | 1 |" in card
    (output / "README.md").unlink()
    if form in ("esc50", "urbansound8k"):  # they name files without their folders
        return
    other = project.create("other", folder)
    project.scan_files(other)
    assert importing.read_labels(other, [output], form, "me") == (2, 0)
    assert importing.read_labels(other, [output], form, "me") == (0, 0)  # not said again
    assert {(one.file, one.name) for one in other.labels()} == {
        ("a/1.wav", "wren"),
        ("a/2.wav", "rain"),
    }
    with database.connect(other.store) as db:
        assert set(catalog.classes(db)) == {"wren", "rain"}


@pytest.mark.parametrize("form", ["audiofolder", "esc50", "urbansound8k"])
def test_with_its_sounds_a_set_can_be_trained_on(
    birds: project.AnnotationProject, folder: Path, tmp_path: Path, form: str
) -> None:
    io.write(folder / "new.wav", sounds.sine(440, 1.0), sounds.RATE_HZ)
    project.scan_files(birds)
    with database.connect(birds.store) as db:
        event_log.add(
            db, AnnotationEvent("b/1.wav", LABEL, ("wren",))
        )  # two files are called 1.wav
        event_log.add(db, AnnotationEvent("new.wav", LABEL, ("rain",)))
    path = exporting.write_labels(birds, Export(form, True), tmp_path / "out.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    data = dataset.load(tmp_path / "unpacked")
    assert data.classes == ("rain", "wren") and len(data.clips) == 4
    assert len({clip.path for clip in data.clips}) == 4
    assert all(io.load(clip.path)[0].size for clip in data.clips)
    message = refusal(lambda: exporting.write_labels(birds, Export(form, True), path))
    assert "is there already" in message


def test_what_cannot_be_taken_says_why_and_changes_nothing(
    birds: project.AnnotationProject, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    for text, words in (
        ("file,label\na/1.wav,wren\nz.wav,wren\n", "“z.wav” is not among the sounds"),
        ("file,label\n1.wav,wren\n", "“1.wav” is not among"),  # two have that name
        ("name\nx\n", "no column “file”"),
    ):
        table.write_text(text)
        before = birds.labels()
        message = refusal(lambda: importing.read_labels(birds, [table], "csv", ""))
        assert words in message and birds.labels() == before
    table.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in refusal(lambda: importing.read_labels(birds, [table], "csv", ""))
    gone = [tmp_path / "gone"]
    assert "no file" in refusal(lambda: importing.read_labels(birds, gone, "csv", ""))
    empty = project.create("empty")
    out = tmp_path / "o"
    message = refusal(lambda: exporting.write_labels(empty, Export("csv"), out))
    assert "Nothing in “empty” is labelled yet" in message


def test_the_command_line_makes_fills_and_gives_away(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("file,label,start_s,end_s\na/1.wav,wren,0.5,1.0\n2.wav,'=rain,,\n")
    assert main.main(["labels", "new", "birds", str(folder)]) == 0
    assert main.main(["labels", "import", "birds", str(table)]) == 0
    assert main.main(["labels", "list", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "birds: 4 sounds\nbirds: 2 new labels\n" in printed
    rows = json.loads(printed.split("labels\n")[-1])
    assert rows == [{"name": "birds", "sounds": 4, "labels": 2}]
    output = str(tmp_path / "raven")
    assert main.main(["labels", "export", "birds", "--format", "raven", "--output", output]) == 0
    text = (tmp_path / "raven" / "selections.txt").read_text()
    assert "0.500000\t1.000000" in text and "=rain" in text
    assert main.main(["labels", "export", "birds", "--format", "esc50"]) == 2
    assert "have the regions of “a/1.wav” become files" in capsys.readouterr().err
    assert main.main(["labels", "new", "birds"]) == 2
    for incomplete in (["labels"], ["labels", "export"], ["labels", "import", "birds"]):
        with pytest.raises(SystemExit) as ended:
            main.main(incomplete)
        assert ended.value.code == 2


@pytest.fixture
def recordings(tmp_path: Path) -> project.AnnotationProject:
    """Six recordings, each with two regions of different classes, and a short labelled sound."""
    root = tmp_path / "recordings"
    root.mkdir()
    new_project = project.create("recordings", root)
    for number in range(6):
        parts = [sounds.sine(440, 2.0), sounds.noise(2.0, seed=number)]
        io.write(root / f"r{number}.wav", np.concatenate(parts), sounds.RATE_HZ)
    io.write(root / "call.wav", sounds.sine(880, 1.0), sounds.RATE_HZ)
    project.scan_files(new_project)
    with database.connect(new_project.store) as db:
        event_log.add(db, AnnotationEvent("call.wav", LABEL, ("tone",)))
        for number in range(6):
            for name, start_s in (("tone", 0.5), ("noise", 2.5)):
                region = f"{number}{name}"
                event = AnnotationEvent(
                    f"r{number}.wav", LABEL, (name,), start_s, start_s + 1.0, region
                )
                event_log.add(db, event)
    return new_project


@pytest.mark.parametrize("clips", ["flac", "wav"])
def test_regions_become_clips_that_can_be_trained_on(
    recordings: project.AnnotationProject, tmp_path: Path, clips: str
) -> None:
    exported = exporting.write_labels(
        recordings, Export("audiofolder", clips=clips), tmp_path / "o"
    )
    data = dataset.load(exported)
    assert len(data.clips) == 13 and data.classes == ("noise", "tone")
    for clip in data.clips:
        samples, rate_hz = io.load(clip.path)
        assert rate_hz == sounds.RATE_HZ and len(samples) == rate_hz
        assert (sounds.peak_hz(samples, rate_hz) in (440, 880)) == (clip.label == "tone")
    by_group = {
        clip.group: {c.fold for c in data.clips if c.group == clip.group} for clip in data.clips
    }
    assert len(by_group) == 7 and all(len(folds) == 1 for folds in by_group.values())
    assert {path.suffix for path in (exported / "clips").iterdir()} == {f".{clips}"}


def test_a_split_never_has_half_a_recording_on_each_side(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    export = Export("audiofolder", clips="wav", is_split=True)
    exported = exporting.write_labels(recordings, export, tmp_path / "out")
    sides = {}
    for side in ("train", "test"):
        rows = list(csv.DictReader((exported / side / "metadata.csv").open()))
        assert rows and all((exported / side / row["file_name"]).is_file() for row in rows)
        sides[side] = {row["group"] for row in rows}
    assert not sides["train"] & sides["test"] and len(sides["train"] | sides["test"]) == 7
    folds = exporting.write_labels(
        recordings, Export("esc50", clips="wav", is_split=True), tmp_path / "esc"
    )
    assert len(dataset.load(folds).folds) > 1


def test_every_export_holds_everything_beside_its_format(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    for form in FORMATS:
        clips = "" if FORMATS[form].holds_segments else "wav"
        export = Export(form, with_sounds=True, clips=clips)
        exported = exporting.write_labels(recordings, export, tmp_path / form)
        rows = list(csv.DictReader((exported / exporting.FULL_CSV).open()))
        assert len(rows) == 13 and {row["label"] for row in rows} == {"tone", "noise"}
        assert any(exported.rglob("*.wav"))
        assert "| tone | 7 |" in (exported / "README.md").read_text()
    message = refusal(lambda: exporting.write_labels(recordings, Export("esc50"), tmp_path / "x"))
    assert "become files" in message and not (tmp_path / "x").exists()


def test_what_is_labelled_goes_to_fine_tune(recordings: project.AnnotationProject) -> None:
    with database.connect(recordings.store) as db:
        event_log.add(
            db, AnnotationEvent("r0.wav", LABEL, ("tone", "noise"), 1.5, 2.5)
        )  # two at once
    collection = to_dataset.from_labels(recordings, uploads.Limits())
    data = dataset.load(uploads.folder_of(collection))
    assert len(data.clips) == 13 and data.name == "recordings"
    few = uploads.Limits(max_clips=5)
    before = sorted(uploads.home().iterdir())
    assert "add fewer" in refusal(lambda: to_dataset.from_labels(recordings, few))
    assert sorted(uploads.home().iterdir()) == before


def test_labels_without_sound_are_left_out_and_ends_lie_on_samples(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,start_s,end_s,label\nr0.wav,1.2345678,2.3456789,call\nr1.wav,3,3,point\n"
        "r1.wav,50,60,behind\nr2.wav,3.5,90,long\n"
    )
    assert importing.read_labels(recordings, [table], "csv", "me") == (2, 2)
    labels = {one.name: one for one in recordings.labels()}
    assert set(labels) == {"tone", "noise", "call", "long"} and labels["long"].end_s == 4.0
    start = (labels["call"].start_s or 0) * sounds.RATE_HZ
    assert start == pytest.approx(round(start), abs=1e-6)
    assert importing.read_labels(recordings, [table], "csv", "me") == (0, 2)  # not said again
    table.write_text('file,label\nr0.wav," "\n')
    assert "1 to 100 characters" in refusal(
        lambda: importing.read_labels(recordings, [table], "csv", "me")
    )


def test_several_classes_go_with_their_own_sounds(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    with database.connect(recordings.store) as db:
        event_log.add(
            db, AnnotationEvent("r1.wav", LABEL, ("noise",), 0.5, 1.5)
        )  # where the region “tone” is
    for is_split in (False, True):
        export = Export("audiofolder", clips="wav", is_split=is_split)
        exported = exporting.write_labels(recordings, export, tmp_path / str(is_split))
        tables = list(exported.rglob("metadata.*"))
        assert {table.name for table in tables} == {"metadata.jsonl"}
        rows = [(t.parent, json.loads(line)) for t in tables for line in t.read_text().splitlines()]
        assert len(rows) == 13
        for folder, row in rows:
            samples, rate_hz = io.load(folder / row["file_name"])
            is_tone = sounds.peak_hz(samples, rate_hz) in (440, 880)
            assert ("tone" in row["label"]) == is_tone
    data = dataset.load(uploads.folder_of(to_dataset.from_labels(recordings, uploads.Limits())))
    assert len(data.clips) == 12  # without the one that is both


def test_what_is_missing_at_the_export_is_a_sentence(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    (recordings.audio_folder() / "r3.wav").unlink()
    for export in (Export("csv", with_sounds=True), Export("audiofolder", clips="flac")):
        message = refusal(lambda e=export: exporting.write_labels(recordings, e, tmp_path / "x"))
        assert "r3.wav" in message and not (tmp_path / "x").exists()


def test_sounds_are_brought_once_and_never_overwritten(tmp_path: Path) -> None:
    new_project, limits = project.create("brought"), uploads.Limits()
    first, other = tmp_path / "1" / "a.wav", tmp_path / "2" / "a.wav"
    for path, tone in ((first, 440), (other, 880)):
        path.parent.mkdir()
        io.write(path, sounds.sine(tone, 1.0), sounds.RATE_HZ)
    assert add_files.add_files(new_project, [first], limits) == 1
    assert add_files.add_files(new_project, [first], limits) == 0
    assert add_files.add_files(new_project, [other], limits) == 1
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(first, "x/b.wav")
        archive.writestr("notes.txt", "no sound")
    assert add_files.add_files(new_project, [tmp_path / "more.zip"], limits) == 1
    assert [file.relative_path for file in new_project.files()] == [
        "a 2.wav",
        "a.wav",
        "more/x/b.wav",
    ]
    (tmp_path / "notes.txt").write_text("no sound")
    assert "is audio" in refusal(
        lambda: add_files.add_files(new_project, [tmp_path / "notes.txt"], limits)
    )
    elsewhere = project.create("elsewhere", tmp_path / "1")
    assert "stays as it is" in refusal(lambda: add_files.add_files(elsewhere, [other], limits))
    few = uploads.Limits(max_clips=3)
    assert "3 may be added" in refusal(
        lambda: add_files.add_files(new_project, [tmp_path / "more.zip"], few)
    )
    assert new_project.count_files() == 3


def test_sets_in_which_nothing_was_said_for_long_are_removed(
    recordings: project.AnnotationProject,
) -> None:
    project.delete_old(60)
    assert project.find_all() == [recordings]
    for path in recordings.folder.iterdir():
        os.utime(path, (0, 0))
    project.delete_old(60)
    assert (
        project.find_all() == []
        and (recordings.folder.parent.parent.parent / "recordings").is_dir()
    )


def test_a_class_is_renamed_and_merged_in_every_label_that_counts(
    recordings: project.AnnotationProject,
) -> None:
    with database.connect(recordings.store) as db:
        for name in ("tone", "noise"):
            catalog.add_class(db, name)
        n_before = len(event_log.history(db))
    assert project.rename_class(recordings, "tone", " beep ", "Ann") == 7
    assert recordings.classes() == ["beep", "noise"]
    names = [one.name for one in recordings.labels()]
    assert names.count("beep") == 7 and "tone" not in names
    assert project.rename_class(recordings, "noise", "beep", "Ann") == 6
    assert recordings.classes() == ["beep"] and len(recordings.labels()) == 13
    with database.connect(recordings.store) as db:
        assert len(event_log.history(db)) == n_before + 15  # what was said before is still told
    for old, new in (("owl", "x"), ("beep", " ")):
        refusal(lambda o=old, n=new: project.rename_class(recordings, o, n, "Ann"))


def test_one_undo_takes_back_a_merge_with_all_its_labels(
    recordings: project.AnnotationProject,
) -> None:
    with database.connect(recordings.store) as db:
        for name in ("tone", "noise", "rare"):
            catalog.add_class(db, name)
        event_log.add(db, AnnotationEvent("r5.wav", LABEL, ("tone", "noise"), annotator="Ann"))
    before, numbers = recordings.labels(), {"tone": 1, "noise": 2, "rare": 3}
    assert project.class_counts(recordings) == {"tone": 8, "noise": 7, "rare": 0}
    assert project.rename_class(recordings, "tone", "noise", "Bob") == 8
    assert project.class_counts(recordings) == {"noise": 14, "rare": 0}
    with database.connect(recordings.store) as db:
        event = event_log.undo(db, "Ann")
        assert event is not None and event.names == ("tone", "noise")
        assert catalog.class_numbers(db) == numbers  # and with them keys and colours
    after = recordings.labels()
    assert sorted(after, key=str) == sorted(before, key=str)  # with who said it, and when
    project.rename_class(recordings, "rare", "seldom", "Bob")  # a class without a label
    with database.connect(recordings.store) as db:
        event_log.undo(db, "Bob")
        assert catalog.class_numbers(db) == numbers
        event_log.undo(db, "Ann")
    assert len(recordings.labels()) == len(before) - 2


def test_labels_given_after_a_rename_outlive_its_undo(
    recordings: project.AnnotationProject,
) -> None:
    with database.connect(recordings.store) as db:
        for name in ("tone", "noise"):
            catalog.add_class(db, name)
    project.rename_class(recordings, "tone", "beep", "Ann")
    with database.connect(recordings.store) as db:
        renamed = event_log.history(db)[-1][0]
        event_log.add(db, AnnotationEvent("r5.wav", LABEL, ("beep",), annotator="Bob"))
        event_log.undo(db, "Ann", renamed.request_id)
        catalog.add_class(db, "noise")
    assert recordings.classes() == ["beep", "noise", "tone"]
    assert project.class_counts(recordings) == {"beep": 1, "noise": 6, "tone": 7}
    project.rename_class(recordings, "tone", "noise", "Ann")
    with database.connect(recordings.store) as db:
        catalog.add_class(db, "tone")  # typed again: a class of its own once more
        assert catalog.class_numbers(db) == {"beep": 1, "noise": 2, "tone": 3}


def test_what_is_no_label_is_taken_away_too(
    birds: project.AnnotationProject, tmp_path: Path
) -> None:
    exported = exporting.write_labels(birds, Export("audacity"), tmp_path / "out")
    rows = list(csv.DictReader((exported / exporting.FULL_CSV).open()))
    assert {(row["file"], row["kind"], row["label"]) for row in rows} == {
        ("a/1.wav", "label", "wren"),
        ("a/2.wav", "label", "rain"),
        ("b/1.wav", "unsure", ""),
    }


def test_a_file_of_audacity_is_found_by_the_sound_s_name(
    recordings: project.AnnotationProject, tmp_path: Path
) -> None:
    (tmp_path / "r5.txt").write_text("0.100000\t0.300000\thum\n")
    paths = [tmp_path / "r5.txt"]
    assert importing.read_labels(recordings, paths, "audacity", "me") == (1, 0)
    assert [one.file for one in recordings.labels() if one.name == "hum"] == ["r5.wav"]


def test_a_class_like_a_formula_is_trained_as_it_was_typed(
    recordings: project.AnnotationProject,
) -> None:
    with database.connect(recordings.store) as db:
        catalog.add_class(db, "noise")
    project.rename_class(recordings, "noise", "=HYPERLINK(1)", "Ann")
    collection = to_dataset.from_labels(recordings, uploads.Limits())
    assert dataset.load(uploads.folder_of(collection)).classes == ("=HYPERLINK(1)", "tone")


@pytest.mark.parametrize("form", ["esc50", "urbansound8k"])
def test_tables_that_have_folds_spread_recordings_over_them(
    recordings: project.AnnotationProject, tmp_path: Path, form: str
) -> None:
    exported = exporting.write_labels(recordings, Export(form, clips="wav"), tmp_path / form)
    (table,) = exported.glob("meta*/*.csv")
    with table.open() as file:
        folds = {row["fold"] for row in csv.DictReader(file)}
    assert len(folds) > 1
