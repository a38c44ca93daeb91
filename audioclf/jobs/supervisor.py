"""The process of a job: waits for its turn, starts the one that trains, and tells how it ended.

It stays small, so that what happens to the large one (no memory left, a signal, a limit) can be
told in a sentence. `python -m audioclf.jobs.supervisor FOLDER [--publish] LOCK`.
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
from pathlib import Path
from typing import IO

import psutil

from audioclf.jobs.job import (
    CANCEL,
    RESULT,
    RUN,
    STATE,
    Job,
    JobLimits,
    JobState,
    active_jobs,
    home,
)
from audioclf.storage.files import read_json, write_json

EVERY_S = 0.1
GRACE_S = 1.5  # from the wish to end until it is made to
OOM_EVENTS = Path("/sys/fs/cgroup/memory.events")
TURN = "turn.lock"
CACHE = "cache"  # of a job that has its own
PR_SET_PDEATHSIG = 1
CANCELLED_WORDS = "It was cancelled"


def main(folder: Path, lock: int, arguments: list[str]) -> None:
    """Wait, run, tell. The locks are held by the one that trains too."""
    job = Job(folder)
    with (home() / TURN).open("wb") as turn:
        if not _wait(job, turn):
            write_status(job, JobState.CANCELLED, "It was cancelled before it began.")
            return
        began = time.time()
        write_status(job, JobState.RUNNING, started_at=began)
        state, sentence = _run(job, arguments, (lock, turn.fileno()))
        _clear(job, state)
        ended = time.time()
        write_status(job, state, sentence, ended_at=ended, spent_s=job.spent_s + ended - began)


def _wait(job: Job, turn: IO[bytes]) -> bool:
    """Until it is this job's turn; False where it is cancelled before."""
    while not (job.folder / CANCEL).exists():
        ahead = [one for one in active_jobs() if one.submitted_at < job.submitted_at]
        if not ahead:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        time.sleep(EVERY_S)
    return False


def _run(job: Job, arguments: list[str], locks: tuple[int, int]) -> tuple[str, str]:
    """The training in a process; how it ended, and why."""
    limits, n_ooms, started = job.request.limits, _out_of_memory_events(), time.monotonic()
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
    why, stop_requested_at = "", 0.0
    while child.poll() is None:
        time.sleep(EVERY_S)
        if not why and (why := _reason(job, limits, started, child.pid)):
            stop_requested_at = time.monotonic()
            child.send_signal(signal.SIGTERM)
        if why and time.monotonic() - stop_requested_at > GRACE_S:
            child.kill()
    if child.returncode == 0 or read_json(job.folder / RESULT).get("checkpoint"):
        return JobState.DONE, ""  # also where it was ended after its network had been published
    if why:
        return JobState.CANCELLED, why + _kept(job)
    if child.returncode == 2:  # where the disk is full, the log may have what the result has not
        said = read_json(job.folder / RESULT).get("sentence")
        return JobState.FAILED, said or (job.log.splitlines() or ["It failed."])[-1]
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
    """Why it has to end now; empty where it may go on."""
    if (job.folder / CANCEL).exists():
        return CANCELLED_WORDS
    if limits.max_seconds and time.monotonic() - started + job.spent_s > limits.max_seconds:
        return f"It was ended after {limits.max_seconds / 60:.3g} minutes, which is the limit here"
    if limits.max_memory_mb and _memory_mb(pid) > limits.max_memory_mb:
        return (
            f"It needed more memory than the {limits.max_memory_mb:,.0f} MB that are allowed here: "
            "bring fewer or shorter clips, or choose a smaller network"
        )
    return ""


def _kept(job: Job) -> str:
    """How a sentence ends that tells why a training was ended."""
    n_epochs = job.last_saved_epoch
    return f"; epoch {n_epochs} is kept." if n_epochs else "; no epoch was finished yet."


def _clear(job: Job, state: str) -> None:
    """Remove what a killed process left half done, and what a done job needs no more."""
    request = job.request
    for left in Path(request.out).glob(f".{request.name}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    if state == JobState.DONE:
        shutil.rmtree(job.folder / RUN, ignore_errors=True)
        shutil.rmtree(job.folder / CACHE, ignore_errors=True)


def describe_exit(status: int, was_out_of_memory: bool) -> str:
    if was_out_of_memory:
        return (
            "The machine ran out of memory and ended the training: bring fewer or shorter clips, "
            "or choose a smaller network, and resume it."
        )
    if status < 0:
        name = signal.Signals(-status).name
        return (
            f"The training was killed ({name}), perhaps because the machine ran out of memory: "
            "resume it, and it goes on from its last kept epoch."
        )
    return "The training failed in a way that was not expected: its log says where."


def _environment(job: Job) -> dict[str, str]:
    """With as many threads as there may be cores, and where that is asked a cache of its own."""
    request = job.request
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "AUDIOCLF_JOBS": os.fspath(home())}
    if request.has_own_cache:
        quiet["AUDIOCLF_CACHE"] = os.fspath(job.folder / CACHE)
    if request.limits.n_cores is None:
        return {**os.environ, **quiet}
    n_cores = str(request.limits.n_cores)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return {**os.environ, **quiet, **dict.fromkeys(names, n_cores)}


def _memory_mb(pid: int) -> float:
    """What a process holds, in MB; 0 where it has just ended."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _out_of_memory_events() -> int:
    """How many processes the system has ended for want of memory, in this group."""
    try:
        found = re.search(r"^oom_kill (\d+)", OOM_EVENTS.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def write_status(job: Job, state: str, sentence: str = "", **times: float) -> None:
    before = read_json(job.folder / STATE)
    write_json(job.folder / STATE, {**before, "state": state, "sentence": sentence, **times})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[-1]), sys.argv[2:-1])
