"""Label on a public page: whatever is sent, a sentence comes back, and limits hold every way in."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App

from audioclf.annotation import catalog, database, event_log, exporting, importing, project
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.annotation.exporting import Export
from audioclf.annotation.importing import ImportLimits
from audioclf.audio import io
from audioclf.datasets import uploads
from audioclf.datasets.formats.base import MAX_NAME, class_name
from audioclf.storage import deadline
from audioclf.ui.annotate import components, queue_api, regions_api, transfer
from audioclf.ui.annotate.payloads import MAX_CLASSES, MAX_NAMES
from audioclf.ui.plotting import figures
from tests import sounds
from tests.conftest import ROOT
from tests.sentences import refusal

LABEL = EventKind.LABEL

MINE: dict[str, Any] = {"sets": ["noises"]}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)


@pytest.fixture
def noises(tmp_path: Path) -> project.AnnotationProject:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        io.write(folder / f"{i}.wav", 0.1 * sounds.noise(1.0, seed=i), sounds.RATE_HZ)
    new_project = project.create("noises", folder)
    project.scan_files(new_project)
    return new_project


def asking(one: project.AnnotationProject, **more: Any) -> dict[str, Any]:
    return {"set": one.id, "kind": "none", "network": "", "order": "filed", "n": 1, **more}


def marking(one: project.AnnotationProject, names: Any, number: int = 0) -> dict[str, Any]:
    target = {"file": "0.wav", "start_s": None, "end_s": None}
    return asking(one, token=f"token-{number:06}", mark="label", names=names, **target)


def region(one: project.AnnotationProject, names: Any, number: int = 0) -> dict[str, Any]:
    target = {"file": "0.wav", "region": f"region-{number}", "start_s": 0.1, "end_s": 0.5}
    return asking(one, token=f"token-{number:06}", names=names, **target)


# What a stranger may post


@pytest.fixture(scope="module")
def client() -> Iterator[tuple[TestClient, int]]:
    """The desk as Gradio serves it, and its number."""
    with gr.Blocks() as app:
        desk = components.queue_view()
    with TestClient(App.create_app(app), raise_server_exceptions=False) as opened:
        yield opened, desk._id


@pytest.mark.parametrize("name", [one.__name__ for one in components.SERVER])
def test_half_letters_and_huge_numbers_are_answered_with_a_sentence(
    client: tuple[TestClient, int], noises: project.AnnotationProject, name: str
) -> None:
    usual = {**marking(noises, ["a"]), "start_s": 0.0, "end_s": 0.5, "region": "region-1"}
    half, deep = "\ud800", []
    for _ in range(500):
        deep = [deep]
    hostile: list[Any] = [None, [], [usual, usual], "x", 3, {}, {**usual, half: 1}, {"set": half}]
    hostile += [{**usual, key: half} for key in usual]
    hostile += [{**usual, key: 2**64} for key in usual]
    hostile += [{**usual, key: -(10**400)} for key in ("start_s", "n", "first", "held")]
    hostile += [{**usual, "held": [{"file": half}]}, {**usual, "cutting": {"window_s": 2**70}}]
    hostile += [{**usual, "names": [deep, half]}, {**usual, "suggested": {"name": half}}]
    for data in hostile:
        response = post(client, name, data)
        assert response.status_code == 200, (data, response.text)
        if data != {} and name != "read_editor":
            assert ": " in response.json()["error"], data
    assert noises.labels() == []


def post(client: tuple[TestClient, int], name: str, data: Any) -> Any:
    body = {"session_hash": "s", "component_id": client[1], "fn_name": name, "data": data}
    headers = {"content-type": "application/json"}
    return client[0].post("/gradio_api/component_server", content=json.dumps(body), headers=headers)


def test_what_is_typed_elsewhere_may_hold_half_letters_too(
    noises: project.AnnotationProject,
) -> None:
    for message in (
        transfer.rename_class("noises", "\ud800", "\ud800", 0, MINE)[1],
        transfer.push_set("noises", "csv", "\ud800", "\ud800", False, MINE),
        transfer.export_set("noises", MINE, "\ud800", True, "", False, "")[1],
        transfer.delete_set("noises", "\ud800", MINE)[2],
    ):
        assert message.encode() and message[-1] == "."


# Classes


def test_every_way_to_add_a_class_keeps_the_limit(
    noises: project.AnnotationProject, tmp_path: Path
) -> None:
    names = [f"class {i:03}" for i in range(MAX_CLASSES)]
    for first in range(0, MAX_CLASSES, MAX_NAMES):
        added = queue_api.add_classes(asking(noises, names=names[first : first + MAX_NAMES]))
        assert "error" not in added
    table = tmp_path / "more.csv"
    table.write_text("file,label\n0.wav,one more\n")
    for message in (
        queue_api.add_classes(asking(noises, names=["one more"]))["error"],
        queue_api.submit_annotation(marking(noises, ["one more"]))["error"],
        regions_api.save_region(region(noises, ["one more"]))["error"],
        transfer.import_labels("noises", [str(table)], "csv", 0, MINE)[1],
    ):
        assert f"At most {MAX_CLASSES} classes may be made here" in message
    assert noises.classes() == names and noises.labels() == []
    assert "error" not in queue_api.submit_annotation(marking(noises, names[:1]))
    assert "renamed" in transfer.rename_class("noises", names[0], "another", 0, MINE)[1]
    assert len(noises.classes()) == MAX_CLASSES
    importing.read_labels(noises, [table], "csv", "me")  # on the command line
    assert len(noises.classes()) == MAX_CLASSES + 1


def test_twenty_thousand_classes_are_taken_in_linear_time(
    noises: project.AnnotationProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"class {i}" for i in range(20_000)]
    table = tmp_path / "many.csv"
    table.write_text("file,label\n" + "".join(f"0.wav,{name}\n" for name in names))
    message = transfer.import_labels("noises", [str(table)], "csv", 0, MINE)[1]
    assert f"At most {MAX_NAMES} classes can be named of one clip" in message
    assert noises.classes() == [] and noises.labels() == []
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")  # one's own machine has no limit
    assert "1 new label" in transfer.import_labels("noises", [str(table)], "csv", 0, MINE)[1]
    assert len(noises.classes()) == 20_000 == len(noises.labels())
    assert len(figures.class_colours(noises.classes())) == 20_000


def test_one_limit_of_names_holds_everywhere_and_longer_ones_are_still_read(
    noises: project.AnnotationProject,
) -> None:
    longest, too_long = "x" * MAX_NAME, "x" * (MAX_NAME + 1)
    rule = f"A class has a name of 1 to {MAX_NAME} characters in one line: choose another."
    assert class_name(longest) == longest == uploads.check_label(longest)
    for message in (
        refusal(lambda: class_name(too_long)),
        refusal(lambda: uploads.check_label(too_long)),
        queue_api.add_classes(asking(noises, names=[too_long]))["error"],
        regions_api.save_region(region(noises, [too_long]))["error"],
    ):
        assert message == rule
    old = "y" * 300
    with database.connect(noises.store) as db:
        catalog.add_class(db, old)
        event_log.add(db, AnnotationEvent("0.wav", LABEL, (old,)))
    opened = queue_api.open_queue(asking(noises))
    assert opened["classes"][0]["name"] == old and opened["max_name"] == MAX_NAME
    assert noises.labels()[0].name == old
    assert "1 label renamed" in transfer.rename_class("noises", old, "short", 0, MINE)[1]


@pytest.mark.parametrize("names", ["abc", {"a": 1}, 3, True])
def test_what_is_no_list_of_classes_is_refused(
    noises: project.AnnotationProject, names: Any
) -> None:
    assert "no list of classes" in queue_api.add_classes(asking(noises, names=names))["error"]
    assert noises.classes() == []


# Imports, exports, pushes


def test_an_import_has_its_size(noises: project.AnnotationProject, tmp_path: Path) -> None:
    table = tmp_path / "large.csv"
    table.write_bytes(b"file,label\n" + b"0.wav,a\n" * 625_001)
    message = transfer.import_labels("noises", [str(table)], "csv", 0, MINE)[1]
    assert "larger than 5 MB together" in message and noises.labels() == []


def test_when_the_time_is_over_nothing_is_half_written(
    noises: project.AnnotationProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "labels.csv"
    rows = "".join(f"{i % 3}.wav,a,{i / 2000},{i / 2000 + 0.01}\n" for i in range(1_000))
    table.write_text("file,label,start_s,end_s\n" + rows)
    n_left = [8]

    def soon() -> None:  # over in the middle of what is written
        n_left[0] -= 1
        if n_left[0] < 0:
            raise ValueError(deadline.over("This import", 30.0))

    limits = ImportLimits(check=soon)
    message = refusal(lambda: importing.read_labels(noises, [table], "csv", "me", limits))
    assert (
        message == "This import was ended after 30 s, the limit here: take fewer sounds or labels."
    )
    assert noises.labels() == [] and noises.classes() == []
    importing.read_labels(noises, [table], "csv", "me")
    n_left[0] = 2
    output = tmp_path / "out"
    refusal(lambda: exporting.write_labels(noises, Export("csv", True), output, soon))
    assert not output.exists()
    for name in ("IMPORT_S", "EXPORT_S"):
        monkeypatch.setattr(transfer, name, -1.0)
    assert (
        "This import was ended" in transfer.import_labels("noises", [str(table)], "csv", 0, MINE)[1]
    )
    assert (
        "This export was ended"
        in transfer.export_set("noises", MINE, "csv", True, "", False, "")[1]
    )
    assert "This export was ended" in transfer.fine_tune_on_project("noises", MINE)[2]


def test_a_push_that_takes_too_long_is_ended(
    noises: project.AnnotationProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_api.submit_annotation(marking(noises, ["a"]))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    message = transfer.push_set("noises", "csv", "me/mine", "hf_secret", False, MINE)
    assert "try" in message and message.endswith(".")  # whatever the Hub's library says
    monkeypatch.setattr(transfer, "PUSH_S", 0.05)
    message = transfer.push_set("noises", "csv", "me/mine", "hf_secret", False, MINE)
    assert message.startswith("This upload was ended after 0.05 s")


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-8-sig", "utf-8"])
def test_praat_s_grids_are_read_however_they_are_written(
    noises: project.AnnotationProject, tmp_path: Path, encoding: str
) -> None:
    with database.connect(noises.store) as db:
        event_log.add(db, AnnotationEvent("0.wav", LABEL, ("Zaunkönig 🐦",), 0.25, 0.5))
    exported = exporting.write_labels(noises, Export("textgrid"), tmp_path / "out")
    text = (exported / "0.TextGrid").read_text(encoding="utf-8")
    other = project.create("other", noises.audio_folder())
    project.scan_files(other)
    grid = tmp_path / "0.TextGrid"
    grid.write_bytes((("\ufeff" if "16" in encoding else "") + text).encode(encoding))
    assert importing.read_labels(other, [grid], "textgrid", "me") == (1, 0)
    assert [one.name for one in other.labels()] == ["Zaunkönig 🐦"]


# Nothing that was acknowledged is lost

N_TOLD = 60
LABELLER = """
import sys
from audioclf.ui.annotate import queue_api
number = 0
while True:
    asked = {"set": sys.argv[1], "kind": "none", "order": "filed", "token": f"token-{number:06}",
             "mark": "label", "names": [f"class {number % 5}"], "n": 1,
             "file": f"{number % 3}.wav", "start_s": None, "end_s": None}
    assert "error" not in queue_api.submit_annotation(asked)
    print(number, flush=True)
    number += 1
"""


def test_labels_that_the_page_acknowledged_are_there_after_a_kill(
    noises: project.AnnotationProject,
) -> None:
    command = [sys.executable, "-c", LABELLER, noises.id]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(N_TOLD)]
    time.sleep(0.003)
    os.kill(child.pid, signal.SIGKILL)
    acknowledged += child.stdout.readlines()
    child.wait()
    n_told = sum(line.endswith("\n") for line in acknowledged)
    assert n_told >= N_TOLD
    with database.connect(noises.store) as db:
        tokens = [event.request_id for event, _ in event_log.history(db)]
    assert tokens[:n_told] == [f"token-{number:06}" for number in range(n_told)]
    assert len(tokens) <= n_told + 1
