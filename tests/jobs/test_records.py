"""The files of jobs: what is written is read again, of format 1 too, and later ones are refused."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from audioclf.jobs import job, queue, records
from audioclf.jobs.job import Job
from audioclf.jobs.records import JobLimits, JobState, Request, State, TrainingMode
from tests.sentences import refusal

# What `asdict` of the first version's dataclasses wrote, and its processes.
REQUEST = {
    "kind": "whole", "folder": "/data/birds", "name": "my-model", "out": "/models",
    "start": "/models/cldnn-mel", "architecture": None, "data_name": "birds", "credit": "Ann",
    "share": 0.1, "left_out": ["wren/1.wav"],
    "settings": [["epochs", "30"], ["augmentation.mix_share", "0.5"],
                 ["augmentation.variants.count", "0"], ["average", "0"], ["old_rate", "0.1"]],
    "fingerprint": "f00d", "has_own_cache": True,
    "limits": {"max_seconds": 600, "max_memory_mb": None, "n_cores": 1, "max_waiting": 40,
               "is_one_each": True},
}  # fmt: skip
STATE = {
    "state": "done", "asked_at": 100.5, "spent_s": 30.0, "address": "ab", "sentence": "",
    "started_at": 101.0, "ended_at": 131.0,
}  # fmt: skip
EPOCHS = [
    {"epoch": 1, "n_epochs": 30, "loss": 2.0, "accuracy": 0.1, "seconds": 1.0, "waited_s": 0.0,
     "unseen_loss": 1.5, "unseen_accuracy": 0.25},
]  # fmt: skip
RESULT = {
    "checkpoint": "my-model", "folder": "/models/my-model",
    "clips": [{"place": "wren/2.wav", "path": "/data/birds/wren/2.wav", "expected": "wren",
               "heard": "crow", "probability": 0.75, "of_the_truth": 0.25}],
    "beside": {"start": "cldnn-mel", "n_clips": 1, "n_classes": 10, "before": 0.0, "after": 1.0},
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_JOBS", str(tmp_path / "jobs"))


def old_job(**changes: Any) -> Job:
    """The folder of a training that the first version ran."""
    job_read = Job(job.home() / "old")
    job_read.folder.mkdir(parents=True)
    files = {job.REQUEST: REQUEST, job.STATE: STATE, job.RESULT: RESULT} | changes
    for name, values in files.items():
        (job_read.folder / name).write_text(json.dumps(values))
    (job_read.folder / job.EPOCHS).write_text("".join(f"{json.dumps(one)}\n" for one in EPOCHS))
    return job_read


def test_a_training_of_format_1_is_read_whole() -> None:
    job_read = old_job()
    assert queue.find_all() == [job_read] == [queue.find("old")]
    assert job_read.read_request() == Request(
        TrainingMode.FINE_TUNE, "/data/birds", "my-model", "/models", "/models/cldnn-mel", None,
        "birds", "Ann", 0.1, ("wren/1.wav",), ("table", ""),
        (("epochs", "30"), ("augmentation.mix_prob", "0.5"), ("augmentation.waveform.count", "0"),
         ("ema_decay", "0"), ("backbone_lr_multiplier", "0.1")),
        "f00d", True, JobLimits(600, None, 1, 40, True),
    )  # fmt: skip
    assert (
        job_read.read_status().state == JobState.DONE and job_read.read_status().elapsed_s == 30.0
    )
    assert (
        job_read.read_state().submitted_at,
        job_read.read_state().address,
        job_read.read_state().spent_s,
    ) == (100.5, "ab", 30.0)
    assert (
        job_read.read_epochs()[0]["val_loss"] == 1.5
        and job_read.read_epochs()[0]["val_accuracy"] == 0.25
    )
    (clip,) = job_read.read_result().clips
    assert clip.true_class == "wren" and clip.predicted_class == "crow" and not clip.is_correct
    assert clip.true_class_probability == 0.25 and clip.relative_path == "wren/2.wav"
    assert (
        job_read.read_result().comparison
        and job_read.read_result().comparison.base_model == "cldnn-mel"
    )


def test_a_running_and_a_failed_one_of_format_1_say_how_they_are() -> None:
    running = old_job(**{
        job.STATE: {"state": "running", "asked_at": 1.0, "started_at": time.time() - 9},
        job.PROGRESS: {"stage": "Learning", "n_done": 3, "n_all": 30},
    })  # fmt: skip
    import fcntl

    with (running.folder / job.LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status = running.read_status()
        assert (status.stage, status.n_done, status.n_total) == (records.TRAINING, 3, 30)
    (running.folder / job.STATE).write_text(
        '{"state": "failed", "sentence": "No clips: add some."}'
    )
    (running.folder / job.RESULT).write_text('{"sentence": "No clips: add some."}')
    assert running.read_status().message == running.read_result().error == "No clips: add some."


def test_what_is_written_is_read_again_with_its_format() -> None:
    request = Request(TrainingMode.SCRATCH, "/a", "b", "/c", architecture="cldnn")
    job_read = Job(job.home() / "new")
    job_read.folder.mkdir(parents=True)
    records.write(job_read.folder / job.REQUEST, request)
    records.write(job_read.folder / job.STATE, State(JobState.CANCELLED, submitted_at=3.0))
    assert job_read.read_request() == request and job_read.read_status().state == JobState.CANCELLED
    stored = json.loads((job_read.folder / job.REQUEST).read_text())
    assert stored["format"] == 2 and stored["mode"] == "scratch" and stored["output_dir"] == "/c"


@pytest.mark.parametrize("name", [job.REQUEST, job.STATE])
def test_a_job_of_a_later_version_is_no_crash_and_says_what_to_do(name: str) -> None:
    old_job(**{name: {"format": 3, "anything": [1]}})
    assert queue.find_all() == []
    assert refusal(lambda: queue.find("old")) == (
        "This training is of format 3, and this audioclf reads up to 2: update audioclf."
    )


@pytest.mark.parametrize(
    "values", [[], "x", {"settings": [1]}, {**REQUEST, "kind": "magic"}, {**REQUEST, "share": "x"}]
)
def test_a_damaged_request_is_no_job(values: Any) -> None:
    old_job(**{job.REQUEST: values})
    assert queue.find_all() == []
    assert "not here any more" in refusal(lambda: queue.find("old")) or "cannot be read" in refusal(
        lambda: queue.find("old")
    )
