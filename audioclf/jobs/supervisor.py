"""The process of a job: waits for its turn, starts the worker, and writes how that ended.

It stays small, so that what ends the large worker (no memory left, a signal, a limit) can still be
reported in a sentence. `python -m audioclf.jobs.supervisor FOLDER [--export-only] LOCK`.
"""

import contextlib
import ctypes
import fcntl
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

import psutil

from audioclf.jobs import records
from audioclf.jobs.job import (
    CANCEL,
    RUN,
    STATE,
    Job,
    active_jobs,
    home,
)
from audioclf.jobs.records import JobLimits, JobState

POLL_S = 0.1
GRACE_S = 1.5  # from the request to stop until it is killed
OOM_EVENTS = Path("/sys/fs/cgroup/memory.events")
TURN = "turn.lock"
CACHE = "cache"  # of a job that has one of its own
PR_SET_PDEATHSIG = 1
CANCELLED_SENTENCE = "It was cancelled"


def main(folder: Path, lock: int, arguments: list[str]) -> None:
    """Wait, run, report. The worker holds the locks too."""
    job = Job(folder)
    with (home() / TURN).open("wb") as turn:
        if not _wait(job, turn):
            write_status(job, JobState.CANCELLED, "It was cancelled before it began.")
            return
        began = time.time()
        write_status(job, JobState.RUNNING, started_at=began)
        state, message = _run(job, arguments, (lock, turn.fileno()))
        _clear(job, state)
        ended = time.time()
        write_status(
            job, state, message, ended_at=ended, spent_s=job.read_state().spent_s + ended - began
        )


def _wait(job: Job, turn: IO[bytes]) -> bool:
    """Until it is this job's turn; False where it is cancelled before."""
    while not (job.folder / CANCEL).exists():
        ahead = [
            other
            for other in active_jobs()
            if other.read_state().submitted_at < job.read_state().submitted_at
        ]
        if not ahead:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        time.sleep(POLL_S)
    return False


def _run(job: Job, arguments: list[str], locks: tuple[int, int]) -> tuple[JobState, str]:
    """Run the worker; how it ended, and why."""
    limits, n_ooms, started = job.read_request().limits, _out_of_memory_events(), time.monotonic()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "audioclf.training.worker",
        os.fspath(job.folder),
        *arguments,
    ]
    child = subprocess.Popen(
        command,
        env=_environment(job),
        pass_fds=locks,
        preexec_fn=functools.partial(_die_with, os.getpid()),
    )
    reason, stop_requested_at = "", 0.0
    while child.poll() is None:
        time.sleep(POLL_S)
        if not reason and (reason := _reason(job, limits, started, child.pid)):
            stop_requested_at = time.monotonic()
            child.send_signal(signal.SIGTERM)
        if reason and time.monotonic() - stop_requested_at > GRACE_S:
            child.kill()
    if child.returncode == 0 or job.read_result().checkpoint:
        return JobState.DONE, ""  # also where it was stopped after its model had been saved
    if reason:
        return JobState.CANCELLED, reason + _saved_epoch(job)
    if child.returncode == 2:  # where the disk is full, only the log may have the reason
        return JobState.FAILED, job.read_result().error or (
            job.read_log().splitlines() or ["It failed."]
        )[-1]
    return JobState.KILLED, describe_exit(child.returncode, _out_of_memory_events() > n_ooms)


def _die_with(supervisor: int) -> None:
    """In the new process: have the kernel end it as soon as its supervisor is dead, on Linux.

    One that died before this was asked for is known by its number, which is no longer the parent's.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != supervisor:
            os.kill(os.getpid(), signal.SIGKILL)


def _reason(job: Job, limits: JobLimits, started: float, pid: int) -> str:
    """Why it has to stop now; empty where it may go on."""
    if (job.folder / CANCEL).exists():
        return CANCELLED_SENTENCE
    if (
        limits.max_seconds
        and time.monotonic() - started + job.read_state().spent_s > limits.max_seconds
    ):
        return f"It was ended after {limits.max_seconds / 60:.3g} minutes, which is the limit here"
    if limits.max_memory_mb and _memory_mb(pid) > limits.max_memory_mb:
        return (
            f"It needed more memory than the {limits.max_memory_mb:,.0f} MB that are allowed here: "
            "use fewer or shorter clips, or choose a smaller model"
        )
    return ""


def _saved_epoch(job: Job) -> str:
    """How a sentence ends that says why a training was stopped."""
    n_epochs = job.last_saved_epoch()
    return f"; epoch {n_epochs} is saved." if n_epochs else "; no epoch was finished yet."


def _clear(job: Job, state: JobState) -> None:
    """Remove the partial files of a killed worker, and what a job that is done no longer needs."""
    request = job.read_request()
    for partial in Path(request.output_dir).glob(f".{request.name}.*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
    if state == JobState.DONE:
        shutil.rmtree(job.folder / RUN, ignore_errors=True)
        shutil.rmtree(job.folder / CACHE, ignore_errors=True)


def describe_exit(status: int, was_out_of_memory: bool) -> str:
    """Why the worker ended with that status, in a sentence."""
    if was_out_of_memory:
        return (
            "The machine ran out of memory and ended the training: use fewer or shorter clips, "
            "or choose a smaller model, and resume it."
        )
    if status < 0:
        name = signal.Signals(-status).name
        return (
            f"The training was killed ({name}), perhaps because the machine ran out of memory: "
            "resume it, and it goes on from its last saved epoch."
        )
    return "The training failed in a way that was not expected: its log says where."


def _environment(job: Job) -> dict[str, str]:
    """The worker's environment: as many threads as cores, and a cache of its own if requested."""
    request = job.read_request()
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", "AUDIOCLF_JOBS": os.fspath(home())}
    if request.has_own_cache:
        variables["AUDIOCLF_CACHE"] = os.fspath(job.folder / CACHE)
    if request.limits.n_cores is None:
        return {**os.environ, **variables}
    n_cores = str(request.limits.n_cores)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return {**os.environ, **variables, **dict.fromkeys(names, n_cores)}


def _memory_mb(pid: int) -> float:
    """The memory of a process in MB; 0 where it has just ended."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _out_of_memory_events() -> int:
    """How many processes of this group the system has killed because memory ran out."""
    try:
        match = re.search(r"^oom_kill (\d+)", OOM_EVENTS.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0


def write_status(
    job: Job,
    state: JobState,
    message: str = "",
    *,
    started_at: float | None = None,
    ended_at: float | None = None,
    spent_s: float | None = None,
) -> None:
    """Write the job's state, with a sentence for people and the times that belong to it."""
    before = job.read_state()
    after = replace(
        before,
        state=state,
        message=message,
        started_at=before.started_at if started_at is None else started_at,
        ended_at=ended_at,
        spent_s=before.spent_s if spent_s is None else spent_s,
    )
    records.write(job.folder / STATE, after)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[-1]), sys.argv[2:-1])
