"""Labels count however a data set is segmented, and its segmentation is stored with it."""

import json
from pathlib import Path

import numpy as np
import pytest

from audioclf.annotation import database, event_log, importing, project, tasks
from audioclf.annotation.event_log import AnnotationEvent, EventKind, Suggestion
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.queue import LabelQueue, accuracy
from audioclf.annotation.tasks import AnnotationTask, Segmentation, SegmentationKind
from audioclf.audio import io
from audioclf.audio.silence import Split
from audioclf.ui.annotate import projects, queue_api
from audioclf.ui.page import session as sessions
from tests import sounds

LABEL = EventKind.LABEL
AT_SILENCES = Segmentation(SegmentationKind.SILENCES, split=Split(40.0, 0.2, 0.5))
N_CALLS = 6


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")


@pytest.fixture
def field(tmp_path: Path) -> AnnotationProject:
    """A recording of 42 s: a call of 2 s after every 5 s of silence."""
    call = np.concatenate([sounds.silence(5.0), sounds.sine(880, 2.0)])
    (tmp_path / "in").mkdir()
    io.write(tmp_path / "in" / "rec.wav", np.tile(call, N_CALLS), sounds.RATE_HZ)
    new_project = project.create("field", tmp_path / "in")
    project.scan_files(new_project)
    return new_project


def label(
    labelled: AnnotationProject, start_s: float | None, end_s: float | None, name: str = "call"
) -> None:
    with database.connect(labelled.store) as db:
        event_log.add(db, AnnotationEvent("rec.wav", LABEL, (name,), start_s, end_s))


def labelled_calls(labelled: AnnotationProject) -> None:
    list(tasks.detect_silences(labelled, AT_SILENCES))
    for task in tasks.build_tasks(labelled, AT_SILENCES):
        label(labelled, task.start_s, task.end_s)


def test_a_changed_segmentation_is_stored_keeps_all_labels_and_says_so(
    field: AnnotationProject,
) -> None:
    tasks.store_segmentation(field, AT_SILENCES)
    labelled_calls(field)
    before = field.labels()
    windows = ("windows", 7.0, 30.0, 40.0, 0.1, 0.1)
    revision, sentence = projects.change_segmentation("field", 4, {}, *windows)
    assert revision == 5
    assert sentence == (
        "Stored with the data set. 6 labels kept: with them 6 of 6 clips count as labelled now."
    )
    assert field.labels() == before
    assert projects.show_segmentation("field", {}) == [*windows, ""]  # what a reload shows
    settings = projects.configure_queue(0, "field", "none", None)
    status = queue_api.open_queue({**settings, "annotator": "Ann"})
    assert (status["n_labelled"], status["n_total"]) == (N_CALLS, N_CALLS) and status["next"] == []


def test_a_data_set_without_a_stored_segmentation_opens_as_it_was_labelled(
    field: AnnotationProject,
) -> None:
    assert tasks.load_segmentation(field) == Segmentation()
    labelled_calls(field)
    assert tasks.load_segmentation(field) == AT_SILENCES
    assert len(LabelQueue(field, tasks.load_segmentation(field)).events()) == N_CALLS


def test_labels_answer_the_clips_that_they_overlap_by_half(field: AnnotationProject) -> None:
    queue = LabelQueue(field, Segmentation(window_s=7.0))
    label(field, 5.0, 7.0)  # inside of the first window
    label(field, 13.8, 14.8, "late")  # the most of it lies in the third
    label(field, 21.0, 30.0, "long")  # a window, and less than half of the next one
    events = queue.events()
    assert {n: event.names for n, event in events.items()} == {
        0: ("call",), 2: ("late",), 3: ("long",),
    }  # fmt: skip
    label(field, 21.0, 28.0, "own")
    assert queue.events()[3].names == ("own",)
    label(field, 2.0, 4.0, "other")
    assert set(queue.events()[0].names) == {"call", "other"}
    label(field, None, None, "all")
    assert len(queue.events()) == len(queue.tasks)


def test_imported_regions_count_and_say_nothing_of_suggestions(
    field: AnnotationProject, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,label,start_s,end_s\nrec.wav,call,5.5,6.5\nrec.wav,call,12,14\n")
    assert importing.read_labels(field, [table], "csv", "Ann").n_new == 2
    with database.connect(field.store) as db:
        suggestion = Suggestion("dog", 0.9, "model")
        event_log.add(
            db, AnnotationEvent("rec.wav", LABEL, ("call",), 19.0, 21.0, suggested=suggestion)
        )
    queue = LabelQueue(field, Segmentation(window_s=7.0))
    assert set(queue.events()) == {0, 1, 2}
    assert accuracy(list(queue.events().values())).n_labels == 0
    assert queue.next_items("filed", 1)[0].task == AnnotationTask("rec.wav", 21.0, 28.0)


def test_a_stranger_changes_no_segmentation(
    field: AnnotationProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL")
    _, sentence = projects.change_segmentation("field", 0, {}, "whole", 5.0, 30.0, 40.0, 0.1, 0.1)
    assert "Choose a data set" in sentence and tasks.load_segmentation(field) == Segmentation()
    assert sessions.sets_of({}) == []


def test_detections_of_birdnet_are_suggestions_and_no_labels(
    field: AnnotationProject, tmp_path: Path
) -> None:
    table = tmp_path / "rec.BirdNET.results.csv"
    table.write_text(
        "Start (s),End (s),Scientific name,Common name,Confidence\n"
        "6,7,x,Wren,0.6\n5,7,y,Robin,0.8\n20,21,x,Wren,0.5\n90,93,x,Wren,0.9\n"
    )
    result = importing.read_labels(field, [table], "birdnet", "me")
    assert result == (3, 1) and field.labels() == []
    assert importing.read_labels(field, [table], "birdnet", "me").n_new == 0
    queue = LabelQueue(field, Segmentation(window_s=7.0))
    assert queue.events() == {} and queue.classes() == ["Wren", "Robin"]
    (first,) = queue.next_items("filed", 1)
    assert first.suggestion == Suggestion("Robin", 0.8, "BirdNET-Analyzer")
    assert queue.item(1, {}).suggestion is None
    project.rename_class(field, "Robin", "Rotkehlchen", "me")
    queue.retry()
    renamed = queue.suggestion(0)
    assert renamed is not None and renamed.name == "Rotkehlchen"
    with database.connect(field.store) as db:
        event_log.undo(db, "me")
        assert event_log.undo(db, "me") is None  # nobody said what was detected


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/1/1a2b3c4d-my_rec_1.wav", "/data/local-files/?d=deep/my%20rec%20%281%29.wav",
        "https://example.org/x/my%20rec%20(1).wav", "C:\\field\\my rec (1).wav",
    ],
)  # fmt: skip
def test_addresses_of_label_studio_find_their_file(tmp_path: Path, address: str) -> None:
    (tmp_path / "deep").mkdir()
    io.write(tmp_path / "deep" / "my rec (1).wav", sounds.sine(440, 2.0), sounds.RATE_HZ)
    labelled = project.create("upload", tmp_path / "deep")
    project.scan_files(labelled)
    value = {"start": 0.5, "end": 1.0, "labels": ["call"]}
    task = {
        "data": {"audio": address},
        "annotations": [{"result": [{"type": "labels", "value": value}]}],
    }
    (tmp_path / "export.json").write_text(json.dumps([task]))
    result = importing.read_labels(labelled, [tmp_path / "export.json"], "label_studio", "me")
    assert result.n_new == 1 and labelled.labels()[0].file == "my rec (1).wav"
