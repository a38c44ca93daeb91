"""The handlers of the tab Label: sets are made, chosen, deleted, exported and trained on."""

import os
from pathlib import Path
from typing import Any

import pytest

from audioclf.annotation import catalog, database, event_log, project
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.audio import io
from audioclf.datasets import uploads
from audioclf.ui.annotate import projects, queue_api, transfer
from audioclf.ui.page import session as sessions
from tests import sounds

LABEL = EventKind.LABEL

CUTTING = ("windows", 5.0, 30.0, 40.0, 0.1, 0.1)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "in" / f"{i}.wav" for i in range(4)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        io.write(path, sounds.sine(300 + 100 * number, 1.0), sounds.RATE_HZ)
    return [str(path) for path in paths]


def create_set(
    name: str, files: list[str] | None, folder: str = "", visitor: Any = None
) -> tuple[Any, ...]:
    return projects.make_set(name, folder, files, visitor or {}, 0)


def test_a_set_is_made_of_uploads_filled_further_and_deleted(files: list[str]) -> None:
    visitor, dropdown, message, n_made = create_set("my birds", files[:2])
    assert dropdown["value"] == "my birds" == visitor["project"] and n_made == 1
    assert message == "“my birds” has 2 files, 0.0 minutes."
    assert "has 4 files" in create_set("my birds", files, visitor=visitor)[2]
    assert projects.configure_queue(0, "my birds", "none", None)["n_files"] == 4
    assert "Type “my birds”" in transfer.delete_set("my birds", "my", visitor)[2]
    visitor_after, _, words = transfer.delete_set("my birds", " my  birds ", visitor)
    assert words == "Deleted." and visitor_after["projects"] == [] and project.find_all() == []
    assert projects.configure_queue(0, "my birds", "none", None) is None


def test_what_cannot_be_a_set_is_a_sentence_and_leaves_nothing(
    files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        (("x", None), "Add audio first"),
        (("<b>a/b</b>", files), "cannot name a data set"),
        (("x", None, "/nowhere at all"), "no such folder"),
        (("x", None, str(tmp_path / "empty")), "no audio files in that folder"),
        (("x", files, str(tmp_path / "in")), "not both at once"),
        (("x", [str(tmp_path / "notes.txt")]), "is audio"),
    ):
        message = create_set(*arguments)[2]
        assert words in message and "<" not in message.replace("\\<", "")
        assert project.find_all() == []


def test_on_a_public_page_folders_are_not_named_and_ids_not_guessed(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL")
    assert "local page only" in create_set("x", None, str(tmp_path / "in"))[2]
    visitor, *_ = create_set("birds", files)
    (one,) = project.find_all()
    assert one.read_name() == "birds" and one.id != "birds" and len(one.id) >= 8
    stranger: dict[str, Any] = {}
    assert (
        "Choose a data set" in transfer.export_set(one.id, stranger, "csv", True, "", False, "")[1]
    )
    assert "Choose a data set" in transfer.delete_set(one.id, "birds", stranger)[2]
    assert projects.list_sets(stranger)["choices"] == []
    assert projects.list_sets(visitor)["choices"] == [("birds", one.id)]
    assert "Choose a data set" in transfer.fine_tune_on_project(one.id, stranger)[2]


def test_what_visitors_left_behind_goes_after_a_day(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL")
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))
    create_set("birds", files)
    cached = [tmp_path / "cache" / name for name in ("decoded/a.wav", "embeddings/x/a.npz")]
    for path in cached:
        path.parent.mkdir(parents=True)
        path.touch()
    sessions.cleanup()
    assert all(path.is_file() for path in cached) and len(project.find_all()) == 1
    for path in (*cached, *project.find_all()[0].folder.iterdir()):
        os.utime(path, (0, 0))
    sessions.cleanup()
    assert not any(path.exists() for path in cached) and project.find_all() == []


def test_cutting_is_previewed(tmp_path: Path, files: list[str]) -> None:
    io.write(tmp_path / "in" / "long.wav", sounds.sine(440, 40.0), sounds.RATE_HZ)
    create_set("x", None, str(tmp_path / "in"))
    lane, words = projects.preview_segmentation("x", *CUTTING)
    assert len(lane["stretches"]) == 8 and words.startswith("long.wav: 8 clips in 40 s")
    assert "is one clip" in projects.preview_segmentation("x", "whole", *CUTTING[1:])[1]
    _, message = projects.preview_segmentation("x", "windows", 5.0, 99.0, 40, 0, 0)
    assert "No recording is longer" in message
    for wrong in (("magic", *CUTTING[1:]), ("windows", -1, *CUTTING[2:])):
        lane, message = projects.preview_segmentation("x", *wrong)
        assert lane is None and ("no segmentation" in message or "Windows last" in message)
    assert "not here any more" in projects.preview_segmentation(None, *CUTTING)[1]


def test_labels_are_exported_trained_on_and_imported(files: list[str], tmp_path: Path) -> None:
    visitor, *_ = create_set("x", files)
    assert "labelled yet" in transfer.export_set("x", visitor, "csv", True, "", False, "")[1]
    assert "labelled yet" in transfer.fine_tune_on_project("x", visitor)[2]
    with database.connect(project.find("x").store) as db:
        for number, name in enumerate(("a", "b", "a", "b")):
            catalog.add_class(db, name)
            event_log.add(db, AnnotationEvent(f"{number}.wav", LABEL, (name,)))
    button, message = transfer.export_set("x", visitor, "esc50", True, "", True, "")
    assert message == "4 labels, as ESC-50." and Path(button["value"]).is_file()
    visitor_after, _, words = transfer.fine_tune_on_project("x", visitor)
    assert words == "" and uploads.folder_of(visitor_after["dataset"]).name == "x"
    (tmp_path / "0.txt").write_text("0.1\t0.2\tnew\n0.3\t0.3\tpoint\n")
    n, message = transfer.import_labels("x", [str(tmp_path / "0.txt")], "audacity", 0, visitor)
    assert n == 1 and message.startswith("1 new label. 1 lie outside of their file")
    assert transfer.list_classes("x", visitor)["choices"] == ["a", "b", "new"]
    _, question, name, merge = transfer.rename_class("x", "new", "b", 1, visitor)
    assert merge["visible"] and "“b” is a class already, with 2 labels" in question
    assert "1 label of “new”" in question and "value" not in name
    assert transfer.list_classes("x", visitor)["choices"] == ["a", "b", "new"]  # not yet
    revision, message, name, merge = transfer.merge_classes("x", "new", "b", 1, visitor)
    assert (revision, message, name) == (2, "1 label merged. U takes all of it back.", "")
    assert not merge["visible"] and transfer.list_classes("x", visitor)["value"] is None
    assert "Choose the class" in transfer.merge_classes("x", None, "b", 2, visitor)[1]
    settings = projects.configure_queue(2, "x", "none", None)
    undone = queue_api.undo_annotation({**settings, "annotator": "z", "undo_id": "u" * 8})["undone"]
    assert undone["is_renamed_class"] and undone["names"] == ["new", "b"]
    assert transfer.list_classes("x", visitor)["choices"] == ["a", "b", "new"]
    assert project.class_counts(project.find("x")) == {"a": 2, "b": 2, "new": 1}
    assert "is no repository" in transfer.push_set("x", "csv", "nonsense", "t", False, visitor)
