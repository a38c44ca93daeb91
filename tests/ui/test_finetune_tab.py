"""Teach without a browser: its handlers as functions, on made sounds and real jobs."""

import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.helpers import special_args

from audioclf.audio import io
from audioclf.datasets.uploads import Limits
from audioclf.jobs import job, queue, records
from audioclf.jobs.records import JobState, Request, State, TrainingMode
from audioclf.models import checkpoint
from audioclf.training import worker
from audioclf.ui.classify import models as classify_models
from audioclf.ui.finetune import data, progress, results, selection, settings, time_estimate
from audioclf.ui.page import limits, mode, model_lists, session
from audioclf.ui.page import state as shared
from audioclf.ui.page.limits import HOSTED, PageLimits
from tests import sounds
from tests.sentences import refusal

START = "separable_cnn-mel"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AUDIOCLF_JOBS", str(tmp_path / "jobs"))
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)
    yield
    for one in queue.find_all():
        queue.cancel(one)


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One's own machine, with a network in a folder of its own."""
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    home = tmp_path / "networks"
    shutil.copytree(checkpoint.find(START).folder, home / START)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(home))
    return home


def faulty(folder: Path) -> Path:
    """A data set with every fault that a report names."""
    rng = np.random.default_rng(0)

    def write(target: str, samples: Any, rate_hz: int = 16_000) -> None:
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        io.write(path, np.asarray(samples, np.float32), rate_hz)

    for i in range(12):
        write(f"noise/{i}.wav", 0.1 * rng.normal(size=48_000))
    write("tone/0.wav", sounds.sine(300, 3.0), sounds.RATE_HZ)
    write("tone/1.wav", sounds.sine(400, 3.0), sounds.RATE_HZ)
    write("tone/short.wav", sounds.sine(400, 0.1), sounds.RATE_HZ)
    write("tone/silent.wav", np.zeros(48_000))
    write("lonely/0.wav", sounds.clicks(3.0), sounds.RATE_HZ)
    (folder / "noise" / "broken.wav").write_bytes(b"RIFF and nothing else")
    (folder / "noise" / "empty.wav").write_bytes(b"")
    shutil.copy(folder / "noise" / "1.wav", folder / "noise" / "again.wav")
    shutil.copy(folder / "noise" / "2.wav", folder / "tone" / "torn.wav")
    return folder


def last(updates: Any) -> Any:
    return list(updates)[-1]


def is_kept(value: Any) -> bool:
    """Whether the browser keeps what it remembers."""
    return value == gr.skip()


def test_the_report_names_every_fault_and_what_is_in_the_way(local: Path, tmp_path: Path) -> None:
    folder = faulty(tmp_path / "faulty")
    session_state, message = data.use_folder(str(folder), {})
    assert message == ""
    report, table, bars, facts, switch = last(data.check_data(session_state, START, False))
    for words in (
        "Not ready for training",
        "16,000, 22,050 Hz",
        "a folder per class",
        "lonely has fewer than 2 clips",
        "“broken.wav” is not a sound that can be read",
        "“empty.wav” is empty",
        "The same recording stands under several classes",
        "Copies of other clips",
        "Nothing but silence is in tone/silent.wav",
        "of a model's window, and so repeated",
        "tone has fewer than 10 clips",
        "5 folds are made",
    ):
        assert words in report.replace("\\", ""), words
    assert facts["is_usable"] is False
    rows = {row[0]: row[1:] for row in table["value"]["data"]}
    assert rows["noise"][0] == 13 and rows["noise"][2] == 2
    assert sum(bars["value"]["clips"]) == 19 and len(bars["value"]) == 8
    assert switch["visible"] is True and "5 clips" in switch["label"]

    report, _, _, facts, _ = last(data.check_data(session_state, START, True))
    assert "lonely has fewer than 2 clips" in report and "broken.wav" not in report
    assert facts["is_usable"] is False and len(facts["left_out"]) == 5


def test_classes_and_clips_are_ticked_out_and_remembered_for_the_training(
    local: Path, tmp_path: Path
) -> None:
    folder = faulty(tmp_path / "faulty")
    (folder / "noise" / "notes.txt").write_text("x")
    session_state, _ = data.use_folder(str(folder), {})
    grouping, pattern, classes, clips, ignored, selected = selection.list_choices(session_state)
    assert (
        classes["value"] == ["lonely", "noise", "tone"]
        and ("lonely (1)", "lonely") in (classes["choices"])
    )
    assert ignored["value"] == [["noise/notes.txt", "no audio file"]]
    assert all(row[0] for row in clips["value"]) and len(clips["value"]) == 21
    selected = selection.select_classes(["noise", "tone"], session_state, selected)
    rows = [[not row[1].startswith("noise/3"), *row[1:]] for row in clips["value"]]
    selected = selection.select_clips(rows, session_state, selected)
    updates = data.check_data(session_state, START, True, 0.2, selected)
    report, _, _, facts, _ = last(updates)
    assert "lonely" not in report and "Ready for training" in report
    assert {"lonely/0.wav", "noise/3.wav", "noise/broken.wav"} <= set(facts["left_out"])
    chosen = (TrainingMode.LINEAR_PROBE, START, None, "ticked", 5, "usual", 0.2)
    request = settings._request(str(folder), facts, settings.Chosen(*chosen), "x")
    assert set(request.excluded) == set(facts["left_out"])
    assert selection.parse_selection(selected, "another")["classes_out"] == []


def test_typed_hyperparameters_go_with_the_training(local: Path, three_sounds: Path) -> None:
    _, facts = facts_of(three_sounds)
    chosen = (TrainingMode.FINE_TUNE, START, None, "typed", 5, "usual", 0.2)

    def request(*typed: Any) -> Request:
        return settings._request(str(three_sounds), facts, settings.Chosen(*chosen, *typed), "x")

    assert request(0.001, 16, 7).hyperparameters == (
        ("epochs", "5"), ("learning_rate", "0.001"), ("batch_size", "16"), ("seed", "7"),
    )  # fmt: skip
    assert request(None, None, None).hyperparameters == (("epochs", "5"),)
    for typed, words in (((-0.1, 1, 1), "learning rate is between"), ((1, "x", 1), "is a number")):
        assert words in refusal(lambda t=typed: request(*t))


def test_sources_are_chosen_and_go_with_the_training(local: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sites"
    for number in range(12):
        path = folder / ("dog", "rain")[number % 2] / f"site{number % 6}_{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        io.write(path, sounds.noise(2.0, seed=number), sounds.RATE_HZ)
    session_state, _ = data.use_folder(str(folder), {})
    grouping, pattern, *_, selected = selection.list_choices(session_state)
    assert grouping["value"] == "unknown" and pattern["value"] == "{source}_*"
    assert ("Pattern on file names, such as {source}_*", "pattern") in grouping["choices"]
    updates = data.check_data(session_state, START, False, 0.3, selected)
    assert "no source" not in last(updates)[0]
    shown, selected, sentence = selection.select_grouping(
        "pattern", "{source}_*", session_state, selected
    )
    assert shown["visible"] and sentence.startswith("6 sources by the pattern")
    report, _, _, facts, _ = last(data.check_data(session_state, START, False, 0.3, selected))
    assert "no clip and no source is on both sides" in report
    chosen = (TrainingMode.LINEAR_PROBE, START, None, "grouped", 5, "usual", 0.3)
    request = settings._request(str(folder), facts, settings.Chosen(*chosen), "x")
    clips = worker.load_dataset(request).clips
    assert {clip.group for clip in clips} == {f"site{n}" for n in range(6)}
    assert "no pattern" in selection.select_grouping("pattern", "x", session_state, selected)[2]


def test_a_path_is_named_on_one_s_own_machine_only(three_sounds: Path, tmp_path: Path) -> None:
    session_state, message = data.use_folder(str(three_sounds), {})
    assert "local page only" in message and is_kept(session_state)
    forged = {"sounds": str(three_sounds), "jobs": ["x", 3, None], "revision": "many"}
    report, _, _, facts, _ = last(data.check_data(forged, START, False))
    assert "local page only" in report and facts is None
    for nonsense in (None, 3, [], {"sounds": 5}, {"sounds": "../../etc"}, {"jobs": "abc"}):
        report, *_, facts, _ = last(data.check_data(nonsense, START, False))
        assert facts is None and "Traceback" not in report


def test_a_wrong_path_is_a_sentence(local: Path, tmp_path: Path) -> None:
    for path in ("", "relative", "/nowhere/at/all", str(tmp_path / "a\0b"), None):
        session_state, message = data.use_folder(path, {})
        assert message and is_kept(session_state)
    (tmp_path / "one" / "class").mkdir(parents=True)
    assert "fewer than two classes" in data.use_folder(str(tmp_path / "one"), {})[1]


def facts_of(three_sounds: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    session_state, _ = data.use_folder(str(three_sounds), {})
    return session_state, last(data.check_data(session_state, START, False))[3]


def test_names_of_networks_are_free_and_never_paths(local: Path, three_sounds: Path) -> None:
    session_state, facts = facts_of(three_sounds)
    what = (TrainingMode.LINEAR_PROBE, START, None)
    name = "three_sounds-separable_cnn"
    assert settings.suggest_name(facts, *what, "", None) == (name, name)
    assert is_kept(settings.suggest_name(facts, *what, "typed", name)[0])
    (local / name).mkdir()
    assert settings.suggest_name(facts, *what, name, name)[0] == f"{name}-2"
    a_job({"state": JobState.CANCELLED}, [], name=f"{name}-2")  # it may be published yet
    assert settings.suggest_name(facts, *what, name, name)[0] == f"{name}-3"
    for name, words in (
        (START, "already: choose another name"),
        ("three_sounds-separable_cnn-2", "already: choose another name"),
        ("../outside", "cannot name a model"),
        ("", "cannot name a model"),
    ):
        choices = (TrainingMode.LINEAR_PROBE, START, None, name, 10, "usual", 0.2)
        assert words in settings.start_training(session_state, facts, None, *choices)[2]
    assert len(queue.find_all()) == 1


@pytest.mark.parametrize(
    "choices, words",
    [
        (("magic", START, None, "new", 10, "usual", 0.2), "none of those that are offered"),
        (
            (TrainingMode.LINEAR_PROBE, "nobody", None, "new", 10, "usual", 0.2),
            "There is no model “nobody”",
        ),
        ((TrainingMode.LINEAR_PROBE, "../x", None, "new", 10, "usual", 0.2), "There is no model"),
        ((TrainingMode.SCRATCH, None, "os", "new", 10, "usual", 0.2), "Choose the architecture"),
        (
            (TrainingMode.FINE_TUNE, START, None, "new", 0, "usual", 0.2),
            "between 1 and 1000 epochs",
        ),
        (
            (TrainingMode.FINE_TUNE, START, None, "new", None, "usual", 0.2),
            "between 1 and 1000 epochs",
        ),
        (
            (TrainingMode.FINE_TUNE, START, None, "new", float("nan"), "usual", 0.2),
            "between 1 and 1000 epochs",
        ),
        (
            (TrainingMode.FINE_TUNE, START, None, "new", 10, "wild", 0.2),
            "none of those that are offered",
        ),
        ((TrainingMode.LINEAR_PROBE, START, None, "new", 10, "usual", 0.9), "half of the clips"),
        (
            (TrainingMode.LINEAR_PROBE, START, None, "new", 10, "usual", float("nan")),
            "half of the clips",
        ),
    ],
)
def test_settings_that_nobody_offers_are_refused(
    local: Path, three_sounds: Path, choices: tuple[Any, ...], words: str
) -> None:
    session_state, facts = facts_of(three_sounds)
    assert words in settings.start_training(session_state, facts, None, *choices)[2]
    assert queue.find_all() == []


def test_before_sounds_are_checked_nothing_starts() -> None:
    choices = (TrainingMode.LINEAR_PROBE, START, None, "new", 10, "usual", 0.2)
    assert "Add audio first" in settings.start_training({}, None, None, *choices)[2]
    facts = {"is_usable": False}
    assert "not ready" in settings.start_training({}, facts, None, *choices)[2]


def test_an_estimate_grows_with_what_is_to_be_done(local: Path, three_sounds: Path) -> None:
    network = checkpoint.find(START)
    few = time_estimate.seconds(time_estimate.Work(TrainingMode.LINEAR_PROBE, network, 30, 150, 1))
    many = time_estimate.seconds(
        time_estimate.Work(TrainingMode.LINEAR_PROBE, network, 3_000, 15_000, 1)
    )
    whole = time_estimate.seconds(time_estimate.Work(TrainingMode.FINE_TUNE, network, 30, 150, 40))
    longer = time_estimate.seconds(
        time_estimate.Work(TrainingMode.FINE_TUNE, network, 30, 150, 400)
    )
    assert 1 < few < 30 < many and few < whole < longer
    assert time_estimate.step_ms(network) == pytest.approx(9, abs=8)  # as its card tells
    _, facts = facts_of(three_sounds)
    words = settings.estimate_time(facts, TrainingMode.FINE_TUNE, START, None, 40)
    assert "This takes about" in words
    for epochs in (None, 0, -3, 1e9, float("nan"), "two"):
        assert "between 1 and 1000" in settings.estimate_time(
            facts, TrainingMode.FINE_TUNE, START, None, epochs
        )
    assert settings.estimate_time(facts, TrainingMode.LINEAR_PROBE, START, None, None).startswith(
        "This takes"
    )
    assert settings.estimate_time(None, TrainingMode.FINE_TUNE, START, None, 40) == ""
    assert [time_estimate.format_duration(s) for s in (1, 32, 100, 9_000)] == [
        "about 5 seconds", "about 30 seconds", "about 2 minutes", "about 2.5 hours",
    ]  # fmt: skip


def test_who_serves_the_page_may_set_other_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.limits().training == HOSTED.training
    monkeypatch.setenv("AUDIOCLF_TRAIN_MINUTES", "2.5")
    monkeypatch.setenv("AUDIOCLF_TRAIN_MB", "1500")
    monkeypatch.setenv("AUDIOCLF_TRAIN_CORES", "many")
    training = limits.limits().training
    assert (training.max_seconds, training.max_memory_mb, training.n_cores) == (150, 1500, 1)
    assert training.max_waiting == HOSTED.training.max_waiting


def test_on_a_public_page_the_estimate_tells_of_the_limit(three_sounds: Path) -> None:
    facts = {"is_usable": True, "n_clips": 400, "seconds": 2_000.0}
    words = settings.estimate_time(facts, TrainingMode.FINE_TUNE, START, None, 900)
    assert "It is ended after 10 minutes" in words


def refused_from(before: Any, session_state: Any, here: Any, facts: Any, choices: Any) -> None:
    """Neither a new browser at the same address nor the same one elsewhere starts another."""
    elsewhere = gr.Request(client={"host": "203.0.113.8"}, headers={})
    for memory, request in ((before, here), (session_state, elsewhere)):
        message = settings.start_training(memory, facts, request, *choices)[2]
        assert message.startswith(
            "A training of yours, or of somebody at your address, runs or waits"
        )
    assert len(queue.find_all()) == 1


@pytest.mark.slow
def test_on_a_public_page_a_network_is_its_trainer_s_alone(
    three_sounds: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bells.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for clip in three_sounds.glob("*/*.wav"):
            archive.write(clip, f"{clip.parent.name}/{clip.name}")
    session_state, message = data.upload_archive(str(path), {})
    assert message == ""
    facts = last(data.check_data(session_state, START, False))[3]
    choices = (TrainingMode.LINEAR_PROBE, START, None, "bells", 10, "usual", 0.2)
    for forged in (
        {**facts, "fingerprint": ""},
        {**facts, "share": 0.1},
        {**facts, "dataset": "x"},
    ):
        message = settings.start_training(session_state, forged, None, *choices)[2]
        assert "wait until it is checked" in message
    here = gr.Request(client={"host": "203.0.113.7"}, headers={"x-forwarded-for": "198.51.100.1"})
    before = session_state
    session_state, _, message = settings.start_training(session_state, facts, here, *choices)
    assert message == "" and len(session_state["jobs"]) == 1
    refused_from(before, session_state, here, facts, choices)
    (one,) = session.jobs_of(session_state)
    written = b"".join(path.read_bytes() for path in one.folder.rglob("*") if path.is_file())
    assert (
        one.read_state().address and b"203.0.113" not in written
    )  # of the address there is a keyed hash only
    assert one.read_request().limits == HOSTED.training
    while one.read_status().is_active:
        time.sleep(0.1)
    assert one.read_status().state == JobState.DONE, one.read_log()
    name = one.read_result().checkpoint
    assert name.startswith("bells-") and len(name) >= len("bells-") + 22  # 128 bits
    assert not (checkpoint.home() / name).exists()

    def offered(visitor: Any) -> bool:
        return name in [value for _, value in model_lists.model_choices(session=visitor)]

    assert offered(session_state) and not offered({}) and not offered({"jobs": ["guessed"]})
    listed = model_lists.list_models(name, session_state)
    assert "value" not in listed  # what is chosen meanwhile stays
    assert name in [value for _, value in listed["choices"]]
    assert session.jobs_of({}) == []
    prediction = shared.predict_sound(
        shared.Sound(str(three_sounds / "noise" / "1.wav")), shared.find_model(name), "as_is"
    )
    assert prediction.ranking()[0][0] == "noise"
    assert "Trained on bells" in classify_models.describe_model(name)
    visible, figure, _, measured, words, table, beside = results.show_results(one.id)
    assert visible.visible and figure["value"] is not None and figure["visible"]
    assert "6 of 6 clips right" in measured["value"]
    assert "All 6 held-out clips" in words and len(table["value"]["data"]) == 6 and beside == ""
    assert results.show_results("../" + one.id)[0].visible is False


def a_job(state: dict[str, Any], epochs: list[dict[str, Any]], **changes: Any) -> job.Job:
    """A job's folder as a process leaves it."""
    new_job = job.Job(job.home() / queue.new_id())
    new_job.folder.mkdir(parents=True)
    values = {
        "mode": TrainingMode.FINE_TUNE,
        "folder": "/x",
        "name": "a_b*c*",
        "output_dir": "/x",
        "base_model": "/x/ears",
    }
    request = Request(**{**values, **changes})
    records.write(new_job.folder / job.REQUEST, request)
    records.write(new_job.folder / job.STATE, State(**{"submitted_at": time.time(), **state}))
    lines = [json.dumps(one) for one in epochs]
    (new_job.folder / job.EPOCHS).write_text("\n".join([*lines, '{"epoch": 3, "lo']))
    return new_job


EPOCH = {
    "epoch": 1, "n_epochs": 10, "loss": 1.5, "accuracy": 0.5, "seconds": 2.0, "waited_s": 0.0,
    "val_loss": 0.7, "val_accuracy": 0.75,
}  # fmt: skip


def test_what_is_followed_is_sent_once_and_half_lines_are_left_alone() -> None:
    running = a_job({"state": JobState.CANCELLED, "message": "It was cancelled."}, [EPOCH])
    log, loss, accuracy, _, *buttons, timer, now, ended = progress.follow_training(running.id, None)
    cancel, resume, publish, delete = buttons
    assert log == "**a\\_b\\*c\\***: it was cancelled."
    assert (cancel.visible, resume.visible, delete.visible) == (False, True, True)
    assert publish.visible is False  # an epoch was told, and none was kept
    (running.folder / "run").mkdir()
    (running.folder / "run" / "state.json").write_text('{"epoch": 1}')
    assert progress.follow_training(running.id, None)[6].visible is True
    assert timer.active is False and ended[:2] == [running.id, JobState.CANCELLED]
    frame = accuracy.value
    assert "75" in str(frame) and "50" in str(frame) and loss.visible
    again = progress.follow_training(running.id, now)
    assert "__type__" in again[1] and "value" not in again[1]  # nothing of the curves again


def test_a_running_job_tells_its_epoch_and_what_is_left() -> None:
    running = a_job({"state": JobState.RUNNING, "started_at": time.time() - 100}, [EPOCH])
    (running.folder / job.PROGRESS).write_text(
        '{"format": 2, "stage": "Training", "n_done": 1, "n_total": 10}'
    )
    with (running.folder / job.LOCK).open("wb") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        words = progress.format_status(running)
        assert "epoch 1 of 10. 1 min 40 s so far, about 18 s left." in words
        assert progress.follow_training(running.id, None)[8].active is True
    assert "was ended from outside" in progress.format_status(running)


@pytest.mark.parametrize("selected", [None, "", "nobody", "../x", 3, ["a"]])
def test_a_training_that_is_not_there_is_no_error(selected: Any) -> None:
    assert "There is no training" in progress.follow_training(selected, None)[0]
    assert "There is no training" in progress.cancel_training(selected)
    assert "not here any more" in progress.resume_training(selected)
    assert results.show_results(selected)[0].visible is False
    assert "wait until it is finished" in results.export_model(selected, None)[1]


def test_a_list_of_trainings_keeps_what_is_chosen(local: Path) -> None:
    first = a_job({"state": JobState.DONE, "submitted_at": 1.0}, [], name="first")
    second = a_job({"state": JobState.FAILED, "submitted_at": 2.0}, [], name="second")
    listed = progress.list_trainings({}, None)
    assert isinstance(listed, gr.Dropdown)
    assert [value for _, value in listed.choices] == [second.id, first.id]
    assert listed.value == second.id
    assert progress.list_trainings({}, first.id).value == first.id
    assert "second, from ears (failed" in listed.choices[0][0]


def test_an_ended_training_is_removed_and_its_name_free(local: Path) -> None:
    ended_job = a_job({"state": JobState.CANCELLED}, [], name="gone")
    message, listed, session_state = progress.delete_training(
        ended_job.id, {"jobs": [ended_job.id]}
    )
    assert (
        message == "**gone** is removed." and listed.choices == [] and session_state["jobs"] == []
    )
    assert queue.find_all() == []
    assert "not here any more" in progress.delete_training(ended_job.id, {})[0]


def test_a_request_of_another_version_is_left_alone(local: Path) -> None:
    done_job = a_job({"state": JobState.DONE}, [], name="good")
    other = a_job({"state": JobState.DONE}, [], name="other")
    (other.folder / job.REQUEST).write_text('{"mode": "linear_probe", "colour": "blue"}')
    assert queue.find_all() == [done_job]


def test_more_sound_than_may_be_brought_is_refused(
    three_sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [str(path) for path in sorted((three_sounds / "noise").glob("*.wav"))]
    session_state, *_ = data.upload_files(clips, "noise", {})
    clips = [str(path) for path in sorted((three_sounds / "sine").glob("*.wav"))]
    session_state, *_ = data.upload_files(clips, "sine", session_state)
    monkeypatch.setattr(limits, "HOSTED", PageLimits(upload=Limits(max_seconds=30)))
    report, *_, facts, _ = last(data.check_data(session_state, START, False))
    assert "1 minutes of audio, and 0 may be added" in report and facts is None
    upload = Limits(sound=io.Limits(max_duration_s=3))
    monkeypatch.setattr(limits, "HOSTED", PageLimits(upload=upload))
    report, *_, facts, _ = last(data.check_data(session_state, START, False))
    assert "3 s are accepted" in report and facts["is_usable"] is False


def test_limits_of_a_public_page_hold_for_files_too(
    three_sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HOSTED", PageLimits(upload=Limits(max_clips=7)))
    clips = [str(path) for path in sorted((three_sounds / "noise").glob("*.wav"))]
    session_state, message, field = data.upload_files(clips, "noise", {})
    assert "At most 7 clips" in message and is_kept(session_state)
    assert field is not None  # the files stay where they are
    session_state, message, field = data.upload_files(clips[:6], "noise", {})
    assert session_state["revision"] == 1 and "6 files added" in message and field is None
    assert os.path.isabs(session_state["dataset"]) is False


def test_an_address_is_read_from_the_proxy_on_a_space_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of(host: str, forwarded: str = "") -> str:
        headers = {"x-forwarded-for": forwarded} if forwarded else {}
        return mode.address_of(gr.Request(client={"host": host}, headers=headers))

    monkeypatch.delenv("SPACE_ID", raising=False)
    assert of("203.0.113.7", "198.51.100.1") == "203.0.113.7"
    assert of("2001:db8:1:2:3::4") == of("2001:db8:1:2:ffff::9") != of("2001:db8:1:3::4")
    assert of("::ffff:203.0.113.7") == "203.0.113.7" and mode.address_of(None) == ""
    monkeypatch.setenv("SPACE_ID", "somebody/audioclf")
    assert of("10.0.0.1", "1.2.3.4, 198.51.100.1") == "198.51.100.1"  # what came before is a claim
    assert of("10.0.0.1") == "10.0.0.1"
    first, again = (gr.Request(client={"host": "203.0.113.7"}, headers={}) for _ in range(2))
    assert mode.address_hash(first) == mode.address_hash(again) != "203.0.113.7"


def test_gradio_tells_the_handlers_who_asks() -> None:
    request = gr.Request(client={"host": "203.0.113.7"}, headers={})
    inputs = [{}, None, TrainingMode.LINEAR_PROBE, START]
    got, *_ = special_args(settings.start_training, list(inputs), request)
    assert got == [{}, None, request, TrainingMode.LINEAR_PROBE, START]
    for handler in (progress.resume_training, progress.save_model):
        assert special_args(handler, ["id", {}], request)[0] == ["id", {}, request]
