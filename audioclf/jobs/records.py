"""What a job's files hold: the request, the state, the progress and the result, each checked.

All are pydantic dataclasses of format 2; files of format 1 are converted as they are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from audioclf.storage.files import read_json, write_json
from audioclf.storage.format import NewerFormatError

CHECKED = ConfigDict(extra="ignore")
TRAINING = "Training"  # the stage of a job whose epochs run


class JobState(StrEnum):
    """How a job is, as its state file has it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    KILLED = "killed"


class TrainingMode(StrEnum):
    """Which weights are trained, as a request has it."""

    LINEAR_PROBE = "linear_probe"  # a new classifier head; the backbone stays frozen
    FINE_TUNE = "fine_tune"  # all layers of a trained model
    SCRATCH = "scratch"  # all layers of a new one


@dataclass(frozen=True, config=CHECKED)
class JobLimits:
    """What a job may take; None is no limit. Memory and cores are held on Linux."""

    max_seconds: float | None = None
    max_memory_mb: float | None = None
    n_cores: int | None = None
    max_waiting: int = 40  # jobs of everybody, the one that runs included
    is_one_each: bool = False  # whether a visitor has one job at a time


@dataclass(frozen=True, config=CHECKED)
class Request:
    """What is trained, on what, how, and where the model is saved."""

    mode: TrainingMode
    folder: str
    name: str
    output_dir: str
    base_model: str | None = None  # a checkpoint; or, from scratch,
    architecture: str | None = None
    data_name: str = ""
    attribution: str = ""
    validation_split: float = 0.2  # of the clips; 0: none
    excluded: tuple[str, ...] = ()  # relative paths of clips, such as `dog/1.wav`
    grouping: tuple[str, str] = ("table", "")  # what tells the sources of the clips: kind, value
    hyperparameters: tuple[tuple[str, str], ...] = ()  # other values, such as ("epochs", "30")
    fingerprint: str = ""  # of the folder's files as they were checked; empty: not compared
    has_own_cache: bool = False  # its cache is deleted with the job
    limits: JobLimits = field(default_factory=JobLimits)
    format: Literal[2] = 2


@dataclass(frozen=True, config=CHECKED)
class State:
    """How a job is, as its process wrote it last; times are in seconds since 1970."""

    state: JobState = JobState.KILLED
    message: str = ""  # why it failed or was ended, in a sentence
    submitted_at: float = 0.0  # started or resumed
    started_at: float | None = None
    ended_at: float | None = None
    spent_s: float = 0.0  # by its earlier runs
    address: str = ""  # the keyed hash of where it was submitted from
    format: Literal[2] = 2


@dataclass(frozen=True, config=CHECKED)
class Progress:
    """What a running job does, and how many of how many items are done."""

    stage: str = ""
    n_done: int = 0
    n_total: int | None = None
    format: Literal[2] = 2


@dataclass(frozen=True, config=CHECKED)
class ClipResult:
    """The prediction for one held-out clip."""

    relative_path: str
    path: str
    true_class: str
    predicted_class: str
    probability: float  # of the predicted class
    true_class_probability: float

    @property
    def is_correct(self) -> bool:
        """Whether the true class is predicted."""
        return self.true_class == self.predicted_class


@dataclass(frozen=True, config=CHECKED)
class Comparison:
    """The accuracy of the base model and of the new one, on clips of classes that both have."""

    base_model: str
    n_clips: int
    n_classes: int  # of the base model
    before: float
    after: float


@dataclass(frozen=True, config=CHECKED)
class JobResult:
    """The saved model with its errors on held-out clips, or why there is none."""

    checkpoint: str = ""  # its name; empty where it failed
    folder: str = ""
    clips: tuple[ClipResult, ...] = ()
    comparison: Comparison | None = None
    error: str = ""
    format: Literal[2] = 2


Record = TypeVar("Record", Request, State, Progress, JobResult)


def read(
    path: Path, kind: type[Record], convert: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Record | None:
    """A file's record; None where it is missing or damaged. Raises NewerFormatError."""
    try:
        return TypeAdapter(kind).validate_python(convert(read_json(path)))
    except NewerFormatError as error:
        raise NewerFormatError(f"This training {error}: update audioclf.") from error
    except (ValueError, TypeError, AttributeError):
        return None


def write(path: Path, record: Record) -> None:
    """A record as a file, which appears when all of it is written."""
    write_json(path, asdict(record))
