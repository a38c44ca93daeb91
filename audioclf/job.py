"""A job: the folder of one training, as whoever follows it reads it.

Its request, one JSON line per epoch, its state, its log, its result. Its process holds a lock on
the folder for as long as it lives; the kernel lets go of it however it ends.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audioclf import place

REQUEST, STATE, EPOCHS, LOG = "request.json", "state.json", "epochs.jsonl", "log.txt"
PROGRESS, RESULT, LOCK, CANCEL = "progress.json", "result.json", "lock", "cancel"
WAITING, RUNNING, DONE = "waiting", "running", "done"
FAILED, CANCELLED, KILLED = "failed", "cancelled", "killed"
ALIVE = (WAITING, RUNNING)
HEAD, WHOLE, SCRATCH = "head", "whole", "scratch"
LOG_CHARACTERS = 20_000
NOISE = re.compile(r"[IWE]\d{4} |WARNING: All log messages|To enable the following instructions")
GONE = (
    "The training was ended from outside, with the program or the machine that it ran on: resume "
    "it, and it goes on from its last kept epoch."
)


@dataclass(frozen=True)
class JobLimits:
    """What a job may take; None is no limit. Memory and cores are held on Linux."""

    max_seconds: float | None = None
    max_memory_mb: float | None = None
    n_cores: int | None = None
    max_waiting: int = 20  # jobs, the one that runs included


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
    limits: JobLimits = field(default_factory=JobLimits)


@dataclass(frozen=True)
class Status:
    """How a job is, in plain values."""

    state: str
    sentence: str = ""  # why it failed or was ended
    stage: str = ""  # what is being done
    n_done: int = 0
    n_all: int | None = None
    started_at: float | None = None  # seconds since 1970
    ended_at: float | None = None
    n_ahead: int = 0  # jobs before it

    @property
    def is_alive(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ALIVE

    @property
    def passed_s(self) -> float:
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
    def asked_at(self) -> float:
        """When it was last asked to run, in seconds since 1970."""
        return float(read_json(self.folder / STATE).get("asked_at", 0.0))

    @property
    def status(self) -> Status:
        """How it is now."""
        kept = read_json(self.folder / STATE)
        known: dict[str, Any] = {k: kept[k] for k in ("state", "sentence") if k in kept}
        known |= {key: kept.get(key) for key in ("started_at", "ended_at")}
        if kept.get("state") == RUNNING:
            known |= read_json(self.folder / PROGRESS)
        found = Status(**{"state": KILLED, **known})
        if found.is_alive and not self.is_locked:
            return replace(found, state=KILLED, sentence=GONE, ended_at=changed_at(self.folder))
        if found.state == WAITING:
            found = replace(found, n_ahead=len([one for one in alive() if _before(one, self)]))
        return found

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
    named = os.environ.get("AUDIOCLF_JOBS")
    return Path(named) if named else place.home() / "jobs"


def find_all() -> list[Job]:
    """Every job, the one that was asked for last first."""
    found = [Job(path.parent) for path in home().glob(f"*/{REQUEST}")]
    return sorted(found, key=lambda job: -job.asked_at)


def alive() -> list[Job]:
    """Jobs that wait or run, in their order."""
    kept = [(job, read_json(job.folder / STATE).get("state")) for job in find_all()]
    return [job for job, state in reversed(kept) if state in ALIVE and job.is_locked]


def read_json(path: Path) -> dict[str, Any]:
    """A file's values; none where it is missing or being written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Plain values as a file, in one go."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def saying_why(folder: Path) -> Iterator[None]:
    """An OSError as a ValueError with a sentence."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"Nothing can be written to “{folder.parent.name}” ({error.strerror or error}): free "
            "some space, or name another folder with AUDIOCLF_CACHE."
        ) from error


def _before(one: Job, other: Job) -> bool:
    return one.asked_at < other.asked_at


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
