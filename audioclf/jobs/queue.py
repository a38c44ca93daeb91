"""Trainings in processes of their own: started, cancelled, resumed, one at a time.

A job outlives whoever started it, and waits for its turn. Nothing here imports what trains.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from audioclf.jobs.job import (
    CANCEL,
    LOCK,
    LOG,
    PROGRESS,
    REQUEST,
    RESULT,
    STATE,
    Job,
    JobLimits,
    JobState,
    Request,
    Visitor,
    active_jobs,
    changed_at,
    find_all,
    home,
)
from audioclf.storage.files import oserror_as_valueerror, read_json, write_json

ID_BYTES = 9
ASKING = "asking.lock"
NOBODY = Visitor()
DAY_S, LOCK_PATIENCE_S = 86_400, 2.0


def find(job_id: str) -> Job:
    """The job of that name, which is never a path. Raises ValueError."""
    found = next((job for job in find_all() if job.id == job_id), None)
    if found is None:
        raise ValueError("This training is not here any more: start another one.")
    return found


def start(request: Request, job_id: str | None = None, visitor: Visitor = NOBODY) -> Job:
    """Ask for a training; it begins when those before it have ended, in the order of asking.

    Raises ValueError where too many wait, where the visitor has one already, and where nothing can
    be written.
    """
    job = Job(home() / (job_id or new_id()))
    with oserror_as_valueerror(job.folder), _asking():
        _check_turn(request.limits, visitor)
        job.folder.mkdir(parents=True, exist_ok=True)
        write_json(job.folder / REQUEST, asdict(request))
        _launch(job, address=visitor.address)
    return job


def resume(job: Job, *, publish: bool = False, visitor: Visitor = NOBODY) -> Job:
    """Let an ended job go on from its last kept epoch, or publish that as it is.

    Raises ValueError where it is running or done, and as `start` does.
    """
    status = job.status
    if status.is_active or status.state == JobState.DONE:
        raise ValueError("This training is running or done: there is nothing to resume.")
    with oserror_as_valueerror(job.folder), _asking():
        _check_turn(job.request.limits, visitor)
        _launch(job, *(["--publish"] if publish else []), address=visitor.address)
    return job


def cancel(job: Job) -> None:
    """Ask a job to end; it does within two seconds, and its last epoch is kept."""
    if job.status.is_active:
        with oserror_as_valueerror(job.folder):
            (job.folder / CANCEL).touch()


def delete(job: Job) -> None:
    """Remove an ended job with what it kept; a published network stays. Raises ValueError."""
    if job.status.is_active:
        raise ValueError("This training is running: cancel it first.")
    shutil.rmtree(job.folder, ignore_errors=True)


def delete_old(seconds: float = DAY_S) -> None:
    """Remove every ended job that nobody has touched for so long."""
    for job in find_all():
        if not job.is_locked and time.time() - changed_at(job.folder) > seconds:
            delete(job)


def new_id() -> str:
    """A name that nobody guesses."""
    while not (made := secrets.token_urlsafe(ID_BYTES))[0].isalnum():
        pass
    return made


def _check_turn(limits: JobLimits, visitor: Visitor) -> None:
    living = active_jobs()
    if limits.is_one_each and any(_is_of(job, visitor) for job in living):
        raise ValueError(
            "A training of yours, or of somebody at your address, runs or waits already: wait "
            "until it has ended, or cancel it."
        )
    if len(living) >= limits.max_waiting:
        raise ValueError(f"{len(living)} trainings run or wait already: try again later.")


def _is_of(job: Job, visitor: Visitor) -> bool:
    return job.id in visitor.jobs or (bool(visitor.address) and job.address == visitor.address)


@contextmanager
def _asking() -> Iterator[None]:
    """One after the other, so that two who ask at once are counted."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ASKING).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(file: IO[bytes]) -> None:
    """Take the lock; whoever looks at it, or is just ending, has it for a moment only.

    Raises ValueError where it is held.
    """
    end = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise ValueError(
                    "This training is running or done: there is nothing to resume."
                ) from None
            time.sleep(0.05)


def _launch(job: Job, *arguments: str, address: str = "") -> None:
    """A process in a session of its own, which holds the lock from here on."""
    command = [sys.executable, "-m", "audioclf.jobs.supervisor", os.fspath(job.folder), *arguments]
    with (job.folder / LOCK).open("wb") as lock, (job.folder / LOG).open("ab") as log:
        _lock(lock)
        before = read_json(job.folder / STATE)
        if before.get("state") == JobState.DONE:
            raise ValueError("This training is running or done: there is nothing to resume.")
        for name in (PROGRESS, RESULT, CANCEL):
            (job.folder / name).unlink(missing_ok=True)
        spent_s = before.get("spent_s", 0.0)
        now = {
            "state": JobState.WAITING,
            "asked_at": time.time(),
            "spent_s": spent_s,
            "address": address,
        }
        write_json(job.folder / STATE, now)
        subprocess.Popen(
            [*command, str(lock.fileno())],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
