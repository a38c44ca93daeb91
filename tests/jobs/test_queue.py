"""Jobs as real processes: started, followed, queued, cancelled, resumed, killed and reported."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from audioclf.datasets import uploads
from audioclf.inference.predict import predict_file
from audioclf.jobs import queue
from audioclf.jobs import supervisor as supervise
from audioclf.jobs.job import Job, Status, Visitor
from audioclf.jobs.records import TRAINING, JobLimits, JobState, Request, TrainingMode
from audioclf.models import checkpoint, ranking
from tests.conftest import ROOT
from tests.sentences import refusal

START = "separable_cnn-mel"
PATIENCE_S = 180
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has a queue of its own, and leaves no process behind."""
    monkeypatch.setenv("AUDIOCLF_JOBS", str(tmp_path / "jobs"))
    yield
    for job in queue.find_all():
        queue.cancel(job)
    until(lambda: not any(job.is_locked() for job in queue.find_all()))


def until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that has to happen."""
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end, [
            (job.read_status(), job.read_log()) for job in queue.find_all()
        ]
        time.sleep(0.05)


def ended(job: Job) -> Status:
    until(lambda: not job.read_status().is_active)
    return job.read_status()


def worker(job: Job) -> int:
    """The process that trains: the one that holds the job's lock and is not the supervisor."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"audioclf.training.worker" in words and os.fsencode(job.folder) in words:
            pids.append(int(path.parent.name))
    assert len(pids) == 1
    return pids[0]


@pytest.fixture
def request_for(three_sounds: Path, tmp_path: Path) -> Request:
    """A head on a network that ships."""
    return Request(
        TrainingMode.LINEAR_PROBE,
        str(three_sounds),
        "taught",
        str(tmp_path / "out"),
        base_model=START,
    )


@pytest.fixture
def long_one(request_for: Request) -> Request:
    """A training that lasts until it is stopped."""
    settings = (("epochs", "5000"), ("batch_size", "4"), ("augmentation.waveform.count", "0"))
    return replace(request_for, mode=TrainingMode.FINE_TUNE, hyperparameters=settings)


def test_a_head_is_trained_evaluated_and_saved(request_for: Request, three_sounds: Path) -> None:
    job = queue.start(request_for)
    assert ended(job).state == JobState.DONE, job.read_log()
    model = checkpoint.read(Path(job.read_result().folder))
    assert model.name == "taught" and model.classes == ("clicks", "noise", "sine")
    assert model.evaluation and model.evaluation["n_clips"] == 6 == len(job.read_result().clips)
    assert predict_file(three_sounds / "noise" / "3.wav", model).ranking()[0][0] == "noise"
    assert job.read_result().clips and job.read_result().comparison is None  # it knew none of them
    assert str(three_sounds.parent) not in json.dumps(model.card)


def test_a_training_is_followed_cancelled_resumed_and_published(long_one: Request) -> None:
    job = queue.start(long_one)
    until(lambda: len(job.read_epochs()) >= 3)
    assert job.read_status().state == JobState.RUNNING and job.read_status().stage == TRAINING
    assert job.read_status().n_total == 5000 and job.read_status().n_done >= 3
    first = job.read_epochs()[0]
    assert 0 <= first["accuracy"] <= 1 and first["loss"] > 0
    assert 0 <= first["val_accuracy"] <= 1 and first["val_loss"] > 0

    queue.cancel(job)
    cancelled_at = time.monotonic()
    until(lambda: not job.read_status().is_active)
    assert time.monotonic() - cancelled_at < 10  # two seconds, on a machine that does nothing else
    assert job.read_status().state == JobState.CANCELLED and "is saved" in job.read_status().message
    until(lambda: not job.is_locked())
    n_told = len(job.read_epochs())
    assert job.last_saved_epoch() in (n_told, n_told - 1)  # the last one may end as it is asked

    queue.resume(job)
    until(lambda: len(job.read_epochs()) > n_told + 1)
    assert [one["epoch"] for one in job.read_epochs()] == list(range(1, len(job.read_epochs()) + 1))
    assert "running or done" in refusal(lambda: queue.resume(job))
    assert "cancel it first" in refusal(lambda: queue.delete(job))
    queue.cancel(job)
    ended(job)

    queue.resume(job, export_only=True)
    assert ended(job).state == JobState.DONE, job.read_log()
    assert not (job.folder / "run").exists()  # nobody needs it any more
    assert "running or done" in refusal(lambda: queue.resume(job))
    model = checkpoint.read(Path(job.read_result().folder))
    training = model.card["training"]
    assert training["stopped_epoch"] == len(training["history"]["val_accuracy"]) >= n_told - 1
    assert model.card["training"]["base_model"] == START
    assert model.evaluation and model.evaluation["model"] == "this one"


def test_from_scratch_has_the_front_end_of_the_best_network_of_its_kind(
    request_for: Request,
) -> None:
    settings = (("epochs", "1"), ("augmentation.waveform.count", "0"))
    request = replace(
        request_for, mode=TrainingMode.SCRATCH, base_model=None, architecture="separable_cnn"
    )
    job = queue.start(replace(request, hyperparameters=settings))
    assert ended(job).state == JobState.DONE, job.read_log()
    model = checkpoint.read(Path(job.read_result().folder))
    best = ranking.best_of_architecture("separable_cnn")
    assert best is not None and model.frontend.spectrogram == best.frontend.spectrogram
    assert model.frontend.window_frames == best.frontend.window_frames
    assert model.frontend.normalisation != best.frontend.normalisation
    assert "base_model" not in model.card["training"] and job.read_result().comparison is None


def test_what_is_resumed_is_what_was_begun(long_one: Request, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    shutil.copytree(long_one.folder, folder)
    request = replace(long_one, folder=str(folder), fingerprint=uploads.fingerprint(folder))
    job = queue.start(request)
    until(lambda: len(job.read_epochs()) >= 2)
    queue.cancel(job)
    ended(job)
    shutil.copy(folder / "noise" / "1.wav", folder / "noise" / "new.wav")
    until(lambda: not job.is_locked())
    queue.resume(job, export_only=True)
    assert "have changed since" in ended(job).message
    (folder / "noise" / "new.wav").unlink()
    until(lambda: not job.is_locked())
    queue.resume(job, export_only=True)
    assert ended(job).state == JobState.DONE, job.read_log()


def test_a_network_that_is_there_is_never_replaced(request_for: Request) -> None:
    shutil.copytree(checkpoint.find(START).folder, Path(request_for.output_dir, "taught"))
    job = queue.start(request_for)
    assert "There is a model “taught” already" in ended(job).message
    checkpoint.verify(checkpoint.read(Path(request_for.output_dir, "taught")))


def test_a_training_outlives_the_program_that_asked_for_it(request_for: Request) -> None:
    code = (
        "import json, os, signal, sys\nfrom audioclf.jobs import queue\n"
        "from audioclf.jobs.records import JobLimits, Request\n"
        "asked = json.loads(sys.argv[1])\n"
        "asked['limits'] = JobLimits(**asked['limits'])\n"
        "print(queue.start(Request(**asked)).id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    request = json.dumps(asdict(request_for))
    child = subprocess.run(
        [sys.executable, "-c", code, request], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.returncode == -signal.SIGKILL
    job = queue.find(child.stdout.strip())
    assert ended(job).state == JobState.DONE, job.read_log()
    assert checkpoint.read(Path(job.read_result().folder)).name == "taught"


def test_two_who_resume_at_once_resume_once(long_one: Request) -> None:
    job = queue.start(replace(long_one, folder="/nowhere/at/all"))
    ended(job)
    until(lambda: not job.is_locked())
    with (job.folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "nothing to resume" in refusal(lambda: queue._launch(job))
        assert (job.folder / "result.json").is_file()  # nothing of it is lost


def test_time_spent_before_counts(long_one: Request) -> None:
    job = queue.start(replace(long_one, limits=JobLimits(max_seconds=25)))
    until(lambda: len(job.read_epochs()) >= 2)
    queue.cancel(job)
    ended(job)
    until(lambda: not job.is_locked())
    assert job.read_state().spent_s > 3
    state = json.loads((job.folder / "state.json").read_text())
    (job.folder / "state.json").write_text(json.dumps({**state, "spent_s": 24.9}))
    queue.resume(job)
    assert "which is the limit here" in ended(job).message


def test_a_killed_training_is_reported_and_goes_on(long_one: Request) -> None:
    job = queue.start(long_one)
    until(lambda: job.last_saved_epoch() >= 20)
    os.kill(worker(job), signal.SIGKILL)
    status = ended(job)
    assert status.state == JobState.KILLED and "was killed (SIGKILL)" in status.message
    assert not Path(long_one.output_dir, long_one.name).exists()
    saved_epoch = job.last_saved_epoch()
    assert saved_epoch >= 20
    queue.resume(job)
    until(lambda: len(job.read_epochs()) > saved_epoch)
    assert [one["epoch"] for one in job.read_epochs()][: saved_epoch + 1] == list(
        range(1, saved_epoch + 2)
    )


def test_a_job_whose_every_process_was_killed_is_reported(long_one: Request) -> None:
    job = queue.start(long_one)
    until(lambda: job.read_status().state == JobState.RUNNING and bool(job.read_status().stage))
    pid = worker(job)
    supervisor = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    status = ended(job)
    assert status.state == JobState.KILLED and "ended from outside" in status.message


def test_a_training_dies_with_its_supervisor_at_once_and_its_epoch_is_kept(
    long_one: Request,
) -> None:
    job = queue.start(long_one)
    until(lambda: job.last_saved_epoch() >= 1)
    pid = worker(job)
    supervisor = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(pid, signal.SIGSTOP)  # it can do nothing by itself
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists() or not job.is_locked(), 10)
    status = ended(job)
    assert status.state == JobState.KILLED
    assert job.last_saved_epoch() >= 1


def test_what_a_process_holds_is_a_number_on_every_system() -> None:
    assert 10 < supervise._memory_mb(os.getpid()) < 100_000
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert supervise._memory_mb(gone.pid) == 0.0


def test_one_job_runs_at_a_time_and_the_others_in_their_order(
    request_for: Request, long_one: Request
) -> None:
    first = queue.start(long_one)
    until(lambda: first.read_status().state == JobState.RUNNING)
    second = queue.start(replace(request_for, name="second"))
    third = queue.start(replace(request_for, name="third"))
    time.sleep(0.5)
    assert [job.read_status().state for job in (second, third)] == [
        JobState.WAITING,
        JobState.WAITING,
    ]
    assert [job.read_status().queue_position for job in (second, third)] == [1, 2]
    fourth = queue.start(replace(request_for, name="fourth"))
    queue.cancel(fourth)
    assert ended(fourth).message == "It was cancelled before it began."
    full = replace(request_for, name="fifth", limits=JobLimits(max_waiting=3))
    assert "3 trainings run or wait already" in refusal(lambda: queue.start(full))
    queue.cancel(first)
    assert ended(second).state == JobState.DONE, second.read_log()
    assert ended(third).state == JobState.DONE, third.read_log()
    assert second.read_status().ended_at and third.read_status().started_at
    assert second.read_status().ended_at <= third.read_status().started_at
    assert queue.find(third.id) == third
    assert "not here any more" in refusal(lambda: queue.find("../jobs"))
    queue.delete(third)
    assert third not in queue.find_all() and Path(request_for.output_dir, "third").is_dir()


def test_each_visitor_has_one_training_and_the_others_come_in_their_order(
    request_for: Request, long_one: Request
) -> None:
    one_each = JobLimits(is_one_each=True)
    ann, bob, cid = (Visitor(address=name) for name in ("ann", "bob", "cid"))
    first = queue.start(replace(long_one, limits=one_each), visitor=ann)
    request = replace(request_for, limits=one_each)
    for visitor in (ann, Visitor(jobs=(first.id,), address="elsewhere")):
        assert "wait until it has ended, or cancel it" in refusal(
            lambda v=visitor: queue.start(request, visitor=v)
        )
    second = queue.start(replace(request, name="second"), visitor=bob)
    third = queue.start(replace(request, name="third"), visitor=cid)
    until(lambda: first.read_status().state == JobState.RUNNING)
    assert [job.read_status().queue_position for job in (second, third)] == [1, 2]
    queue.cancel(third)
    ended(third)
    until(lambda: not third.is_locked())
    queue.start(replace(request, name="fourth"), visitor=cid)
    assert "of yours" in refusal(lambda: queue.resume(third, visitor=cid))
    positions: list[object] = []

    def ask() -> None:  # many at once count as one after the other
        try:
            positions.append(
                queue.start(replace(request, name="fifth"), visitor=Visitor(address="dan"))
            )
        except ValueError:
            positions.append(None)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert positions.count(None) == 3 and len(positions) == 4


@pytest.mark.parametrize(
    "limits, words",
    [
        (JobLimits(max_seconds=4), "which is the limit here"),
        (JobLimits(max_memory_mb=150), "more memory than the 150 MB"),
    ],
)
def test_limits_end_a_training_with_a_sentence(
    long_one: Request, limits: JobLimits, words: str
) -> None:
    job = queue.start(replace(long_one, limits=replace(limits, n_cores=1)))
    status = ended(job)
    assert status.state == JobState.CANCELLED and words in status.message


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"base_model": "nobody"}, "There is no checkpoint “nobody”"),
        (
            {"mode": TrainingMode.FINE_TUNE, "hyperparameters": (("epochs", "two"),)},
            "is a whole number",
        ),
        (
            {"mode": TrainingMode.SCRATCH, "base_model": None, "architecture": "nothing"},
            "no architecture “nothing”",
        ),
        ({"name": "../outside"}, "cannot name a model"),
        ({"folder": "/nowhere/at/all"}, "There is no folder"),
        ({"output_dir": "/dev/null/here"}, "Not a directory"),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence(
    request_for: Request, changes: dict[str, object], words: str
) -> None:
    job = queue.start(replace(request_for, **changes))
    status = ended(job)
    assert status.state == JobState.FAILED and words in status.message
    assert "Traceback" not in status.message
    assert list(Path(request_for.output_dir).glob("*")) == []


def test_a_full_disk_leaves_no_half_network(request_for: Request, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=8k tmpfs '{small}' 2>/dev/null") != 0:
        pytest.skip("a small disk needs the right to mount one")
    try:
        job = queue.start(replace(request_for, output_dir=str(small)))
        status = ended(job)
        assert status.state == JobState.FAILED and "No space left on device" in status.message
        assert list(small.iterdir()) == []
    finally:
        os.system(f"umount -l '{small}'")


def test_jobs_that_nobody_touched_for_a_day_are_removed(request_for: Request) -> None:
    job = queue.start(replace(request_for, folder="/nowhere/at/all"))
    ended(job)
    until(lambda: not job.is_locked())
    queue.delete_old(60)
    assert queue.find_all() == [job]
    long_ago = time.time() - 100
    for path in (*job.folder.rglob("*"), job.folder):
        os.utime(path, (long_ago, long_ago))
    queue.delete_old(60)
    assert queue.find_all() == []


def test_a_folder_that_cannot_be_written_says_so(
    request_for: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(tmp_path / "jobs", ignore_errors=True)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AUDIOCLF_JOBS", str(tmp_path / "file"))
    assert "Nothing can be written" in refusal(lambda: queue.start(request_for))
