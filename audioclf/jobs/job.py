"""A job: the folder of one training, as whoever follows it reads it.

Its request, one JSON line per epoch, its state, its log, its result. Its process holds a lock on
the folder for as long as it lives; the kernel lets go of it however it ends.
"""

import fcntl
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from audioclf.storage import paths
from audioclf.storage.files import read_json

REQUEST, STATE, EPOCHS, LOG = "request.json", "state.json", "epochs.jsonl", "log.txt"
RUN, RUN_STATE = "run", "state.json"  # the training's own folder, and what it keeps there
PROGRESS, RESULT, LOCK, CANCEL = "progress.json", "result.json", "lock", "cancel"
LOG_CHARACTERS = 20_000
NOISE = re.compile(r"[IWE]\d{4} |WARNING: All log messages|To enable the following instructions")
GONE = (
    "The training was ended from outside, with the program or the machine that it ran on: resume "
    "it, and it goes on from its last kept epoch."
)


class JobState(StrEnum):
    """How a job is, as its state file has it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    KILLED = "killed"


ACTIVE = (JobState.WAITING, JobState.RUNNING)


class TrainingMode(StrEnum):
    """Which weights are trained, as a request has it."""

    LINEAR_PROBE = "head"  # a new classifier head; the backbone stays frozen
    FINE_TUNE = "whole"  # all layers of a trained model
    SCRATCH = "scratch"  # all layers of a new one


@dataclass(frozen=True)
class JobLimits:
    """What a job may take; None is no limit. Memory and cores are held on Linux."""

    max_seconds: float | None = None
    max_memory_mb: float | None = None
    n_cores: int | None = None
    max_waiting: int = 40  # jobs of everybody, the one that runs included
    is_one_each: bool = False  # whether a visitor has one job at a time


@dataclass(frozen=True)
class Request:
    """What is to be taught, from what, how, and where it is published."""

    kind: str  # head, whole or scratch
    folder: str
    name: str
    out: str
    start: str | None = None  # a checkpoint; or, from scratch,
    architecture: str | None = None
    data_name: str = ""
    credit: str = ""
    share: float = 0.2  # of the clips, held out to measure on; 0: none
    left_out: tuple[str, ...] = ()  # places of clips, such as `dog/1.wav`
    settings: tuple[tuple[str, str], ...] = ()  # other values, such as ("epochs", "30")
    fingerprint: str = ""  # of the folder's files as they were looked at; empty: not compared
    has_own_cache: bool = False  # what is computed goes when the job does
    limits: JobLimits = field(default_factory=JobLimits)


@dataclass(frozen=True)
class Visitor:
    """Who asks for a training, as far as a public page can tell."""

    jobs: tuple[str, ...] = ()  # ids that their browser remembers
    address: str = ""  # a keyed hash of where they come from, never the address itself


@dataclass(frozen=True)
class Status:
    """How a job is, in plain values."""

    state: str
    sentence: str = ""  # why it failed or was ended
    stage: str = ""  # what is being done
    n_done: int = 0
    n_total: int | None = None
    started_at: float | None = None  # seconds since 1970
    ended_at: float | None = None
    queue_position: int = 0  # jobs before it

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

    @property
    def request(self) -> Request:
        """What was asked for."""
        values = json.loads((self.folder / REQUEST).read_text(encoding="utf-8"))
        values["limits"] = JobLimits(**values["limits"])
        values["settings"] = tuple(map(tuple, values["settings"]))
        return Request(**{**values, "left_out": tuple(values["left_out"])})

    @property
    def submitted_at(self) -> float:
        """When it was last asked to run, in seconds since 1970."""
        return float(read_json(self.folder / STATE).get("asked_at", 0.0))

    @property
    def address(self) -> str:
        """The keyed hash of the address from which it was last asked for; empty where none is."""
        return str(read_json(self.folder / STATE).get("address", ""))

    @property
    def status(self) -> Status:
        """How it is now."""
        found = self._told
        if found.is_active and not self.is_locked:
            found = self._told  # it may have ended between the two looks
        if found.is_active and not self.is_locked:
            return replace(
                found, state=JobState.KILLED, sentence=GONE, ended_at=changed_at(self.folder)
            )
        if found.state == JobState.WAITING:
            found = replace(
                found, queue_position=len([one for one in active_jobs() if _before(one, self)])
            )
        return found

    @property
    def _told(self) -> Status:
        """What its process wrote last."""
        kept = read_json(self.folder / STATE)
        known: dict[str, Any] = {k: kept[k] for k in ("state", "sentence") if k in kept}
        known |= {key: kept.get(key) for key in ("started_at", "ended_at")}
        if kept.get("state") == JobState.RUNNING:
            progress = read_json(self.folder / PROGRESS)
            names = {"stage": "stage", "n_done": "n_done", "n_all": "n_total"}  # in the file, here
            known |= {names[k]: value for k, value in progress.items() if k in names}
        return Status(**{"state": JobState.KILLED, **known})

    @property
    def last_saved_epoch(self) -> int:
        """The last epoch that it can go on from, or that can be published; 0 for none."""
        return int(read_json(self.folder / RUN / RUN_STATE).get("epoch", 0))

    @property
    def spent_s(self) -> float:
        """Seconds that its earlier runs took."""
        return float(read_json(self.folder / STATE).get("spent_s", 0.0))

    @property
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

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """What every epoch reported so far, see `train.EpochReport`."""
        try:
            lines = (self.folder / EPOCHS).read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return list(_whole_lines(lines))

    @property
    def log(self) -> str:
        """The end of what its process wrote."""
        try:
            text = (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        told = (line for line in text.splitlines() if not NOISE.match(line))
        return "\n".join(told)[-LOG_CHARACTERS:]

    @property
    def result(self) -> dict[str, Any]:
        """What came out; empty before it is done."""
        return read_json(self.folder / RESULT)


def home() -> Path:
    """The folder of all jobs; AUDIOCLF_JOBS names another."""
    return paths.jobs_dir()


def find_all() -> list[Job]:
    """Every job, the one that was asked for last first."""
    found = [Job(path.parent) for path in home().glob(f"*/{REQUEST}")]
    return sorted(filter(_is_readable, found), key=lambda job: -job.submitted_at)


def active_jobs() -> list[Job]:
    """Jobs that wait or run, in their order."""
    kept = [(job, read_json(job.folder / STATE).get("state")) for job in find_all()]
    return [job for job, state in reversed(kept) if state in ACTIVE and job.is_locked]


def _is_readable(job: Job) -> bool:
    """Whether its request is one that this version knows."""
    try:
        return bool(job.request.name)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _before(one: Job, other: Job) -> bool:
    return one.submitted_at < other.submitted_at


def changed_at(folder: Path) -> float:
    """When anything in a job's folder was last changed, in seconds since 1970."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return 0.0


def _whole_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return
