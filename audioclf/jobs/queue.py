"""The queue of trainings: processes of their own, started, cancelled and resumed, one at a time.

A job outlives the program that started it, and waits for its turn. Nothing here imports Keras.
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
from pathlib import Path
from typing import IO

from audioclf.dependencies import check_training
from audioclf.jobs import records
from audioclf.jobs.job import (
    CANCEL,
    LOCK,
    LOG,
    PROGRESS,
    REQUEST,
    RESULT,
    STATE,
    Job,
    Visitor,
    active_jobs,
    changed_at,
    find_all,
    home,
)
from audioclf.jobs.records import JobLimits, JobState, Request, State
from audioclf.storage.files import oserror_as_valueerror

ID_BYTES = 9
SUBMIT_LOCK = "asking.lock"
NOBODY = Visitor()
DAY_S, LOCK_PATIENCE_S = 86_400, 2.0


def find(job_id: str) -> Job:
    """The job of that name, which is never a path. Raises ValueError."""
    job = next((job for job in find_all() if job.id == job_id), None)
    if job is None:
        _check_format(job_id)
        raise ValueError("This training is not here any more: start another one.")
    return job


def _check_format(job_id: str) -> None:
    """Raise ValueError where that job is one of a later version."""
    for path in home().glob(f"*/{REQUEST}"):
        if path.parent.name == job_id:
            _ = Job(path.parent).read_state(), Job(path.parent).read_request()


def start(request: Request, job_id: str | None = None, visitor: Visitor = NOBODY) -> Job:
    """Submit a training; it begins when those before it have ended, first come, first served.

    Raises ValueError where TensorFlow is missing, where too many wait, where the visitor has one
    already, and where nothing can be written.
    """
    check_training()
    job = Job(home() / (job_id or new_id()))
    with oserror_as_valueerror(job.folder), _submitting():
        _check_turn(request.limits, visitor)
        job.folder.mkdir(parents=True, exist_ok=True)
        records.write(job.folder / REQUEST, request)
        _launch(job, address=visitor.address)
    return job


def resume(job: Job, *, export_only: bool = False, visitor: Visitor = NOBODY) -> Job:
    """Let an ended job go on from its last saved epoch, or export that as it is.

    Raises ValueError where it is running or done, and as `start` does.
    """
    check_training()
    status = job.read_status()
    if status.is_active or status.state == JobState.DONE:
        raise ValueError("This training is running or done: there is nothing to resume.")
    with oserror_as_valueerror(job.folder), _submitting():
        _check_turn(job.read_request().limits, visitor)
        _launch(job, *(["--export-only"] if export_only else []), address=visitor.address)
    return job


def cancel(job: Job) -> None:
    """Ask a job to stop; it does within two seconds, and its last epoch is saved."""
    if job.read_status().is_active:
        with oserror_as_valueerror(job.folder):
            (job.folder / CANCEL).touch()


def delete(job: Job) -> None:
    """Remove an ended job with its saved epoch; an exported model stays. Raises ValueError."""
    if job.read_status().is_active:
        raise ValueError("This training is running: cancel it first.")
    shutil.rmtree(job.folder, ignore_errors=True)


def delete_old(seconds: float = DAY_S) -> None:
    """Remove every ended job whose files have not changed for so long."""
    for job in find_all():
        if not job.is_locked() and time.time() - changed_at(job.folder) > seconds:
            delete(job)


def new_id() -> str:
    """An id that cannot be guessed."""
    while not (job_id := secrets.token_urlsafe(ID_BYTES))[0].isalnum():
        pass
    return job_id


def _check_turn(limits: JobLimits, visitor: Visitor) -> None:
    active = active_jobs()
    if limits.is_one_each and any(_is_of(job, visitor) for job in active):
        raise ValueError(
            "A training of yours, or of somebody at your address, runs or waits already: wait "
            "until it has ended, or cancel it."
        )
    if len(active) >= limits.max_waiting:
        raise ValueError(f"{len(active)} trainings run or wait already: try again later.")


def _is_of(job: Job, visitor: Visitor) -> bool:
    return job.id in visitor.jobs or (
        bool(visitor.address) and job.read_state().address == visitor.address
    )


@contextmanager
def _submitting() -> Iterator[None]:
    """One after the other, so that two submitted at once are both counted."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / SUBMIT_LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(file: IO[bytes]) -> None:
    """Take the lock, which whoever reads the status, or is just ending, holds for a moment only.

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
    """Start the job's process in a session of its own; it holds the lock from here on."""
    command = [sys.executable, "-m", "audioclf.jobs.supervisor", os.fspath(job.folder), *arguments]
    with (job.folder / LOCK).open("wb") as lock, (job.folder / LOG).open("ab") as log:
        _lock(lock)
        before = job.read_state()
        if before.state == JobState.DONE:
            raise ValueError("This training is running or done: there is nothing to resume.")
        for name in (PROGRESS, RESULT, CANCEL):
            (job.folder / name).unlink(missing_ok=True)
        now = State(
            JobState.WAITING, submitted_at=time.time(), spent_s=before.spent_s, address=address
        )
        records.write(job.folder / STATE, now)
        subprocess.Popen(
            [*command, str(lock.fileno())],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
