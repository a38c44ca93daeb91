"""A job: the folder of one training, for whoever follows it.

It holds the request, a JSON line per epoch, the state, the log and the result. The job's process
locks the folder for as long as it lives; the kernel releases the lock however the process ends.
"""

import fcntl
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audioclf.jobs import conversion, records
from audioclf.jobs.records import JobResult, JobState, Progress, Request, State
from audioclf.storage import paths
from audioclf.storage.files import read_json

REQUEST, STATE, EPOCHS, LOG = "request.json", "state.json", "epochs.jsonl", "log.txt"
RUN, RUN_STATE = "run", "state.json"  # the folder of the training run, and its state there
PROGRESS, RESULT, LOCK, CANCEL = "progress.json", "result.json", "lock", "cancel"
LOG_CHARACTERS = 20_000
NOISE = re.compile(r"[IWE]\d{4} |WARNING: All log messages|To enable the following instructions")
GONE = (
    "The training was ended from outside, with the program or the machine that it ran on: resume "
    "it, and it goes on from its last saved epoch."
)


ACTIVE = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True)
class Visitor:
    """Who submits a training, as far as a public page can know."""

    jobs: tuple[str, ...] = ()  # ids that their browser remembers
    address: str = ""  # a keyed hash of where they come from, never the address itself


@dataclass(frozen=True)
class Status:
    """How a job is, in plain values."""

    state: JobState
    message: str = ""  # why it failed or was ended
    stage: str = ""  # what is being done
    n_done: int = 0
    n_total: int | None = None
    started_at: float | None = None  # seconds since 1970
    ended_at: float | None = None
    queue_position: int = 0  # how many jobs come before it

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began, or that it took."""
        return 0.0 if not self.started_at else (self.ended_at or time.time()) - self.started_at


@dataclass(frozen=True)
class Job:
    """One training's folder."""

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name: whoever knows it may follow and cancel the job."""
        return self.folder.name

    def read_request(self) -> Request:
        """The request, as it was submitted. Raises ValueError for one that cannot be read."""
        request = records.read(self.folder / REQUEST, Request, conversion.request)
        if request is None:
            raise ValueError("This training cannot be read: start another one.")
        return request

    def read_state(self) -> State:
        """The state that its process wrote last. Raises ValueError for one of a later version."""
        return records.read(self.folder / STATE, State, conversion.state) or State()

    def read_status(self) -> Status:
        """How it is now."""
        status = self._read_reported_status()
        if status.is_active and not self.is_locked():
            status = self._read_reported_status()  # it may have ended between the two looks
        if status.is_active and not self.is_locked():
            return replace(
                status, state=JobState.KILLED, message=GONE, ended_at=changed_at(self.folder)
            )
        if status.state == JobState.WAITING:
            n_before = sum(
                job.read_state().submitted_at < self.read_state().submitted_at
                for job in active_jobs()
            )
            status = replace(status, queue_position=n_before)
        return status

    def _read_reported_status(self) -> Status:
        """The status that its process wrote last."""
        stored, progress = self.read_state(), Progress()
        if stored.state == JobState.RUNNING:
            path = self.folder / PROGRESS
            progress = records.read(path, Progress, conversion.progress) or progress
        return Status(
            stored.state, stored.message, progress.stage, progress.n_done, progress.n_total,
            stored.started_at, stored.ended_at,
        )  # fmt: skip

    def last_saved_epoch(self) -> int:
        """The last epoch that it can go on from, or that can be exported; 0 for none."""
        return int(read_json(self.folder / RUN / RUN_STATE).get("epoch", 0))

    def is_locked(self) -> bool:
        """Whether its process lives."""
        try:
            with (self.folder / LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def read_epochs(self) -> list[dict[str, Any]]:
        """What every epoch reported so far, see `training.loop.EpochReport`."""
        try:
            lines = (self.folder / EPOCHS).read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return list(_parsed_lines(lines))

    def read_log(self) -> str:
        """The end of what its process wrote."""
        try:
            text = (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = (line for line in text.splitlines() if not NOISE.match(line))
        return "\n".join(lines)[-LOG_CHARACTERS:]

    def read_result(self) -> JobResult:
        """The result; without a checkpoint before it is done."""
        return records.read(self.folder / RESULT, JobResult, conversion.result) or JobResult()


def home() -> Path:
    """The folder of all jobs; AUDIOCLF_JOBS names another."""
    return paths.jobs_dir()


def find_all() -> list[Job]:
    """Every job, the last submitted first."""
    jobs = [Job(path.parent) for path in home().glob(f"*/{REQUEST}")]
    return sorted(filter(_is_readable, jobs), key=lambda job: -job.read_state().submitted_at)


def active_jobs() -> list[Job]:
    """The jobs that wait or run, in their order."""
    states = [(job, job.read_state().state) for job in find_all()]
    return [job for job, state in reversed(states) if state in ACTIVE and job.is_locked()]


def _is_readable(job: Job) -> bool:
    """Whether its request and state are such as this version knows."""
    try:
        return bool(job.read_request().name and job.read_state())
    except ValueError:
        return False


def changed_at(folder: Path) -> float:
    """When anything in a job's folder was last changed, in seconds since 1970."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return 0.0


def _parsed_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield conversion.epoch(json.loads(line))
        except (ValueError, AttributeError):
            return
