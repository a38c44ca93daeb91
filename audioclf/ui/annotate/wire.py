"""What the annotation endpoints answer: the objects that `annotate/api.js` reads, in format 2."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from audioclf.annotation.event_log import AnnotationEvent
from audioclf.annotation.queue import QueueItem


class Message(BaseModel):
    """A part of an answer, whose fields are complete and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Message):
    """A file, or from when to when in it, in seconds."""

    file: str
    start_s: float | None
    end_s: float | None


class Annotation(Message):
    """What is annotated at a place."""

    kind: str
    names: tuple[str, ...]


class SuggestedClass(Message):
    """A class that a model suggests; its probability is None where that is not known."""

    name: str
    probability: float | None
    source: str
    is_random: bool


class Item(Place):
    """A task with its suggestion and its annotation."""

    suggestion: SuggestedClass | None
    annotation: Annotation | None


class EmbeddingStatus(Message):
    """How many files are embedded for suggestions, and by which model."""

    kind: str
    model: str
    n_done: int
    n_total: int
    is_ready: bool
    error: str


class Accuracy(Message):
    """How many suggestions were right, of all and of those that were drawn at random."""

    n_labels: int
    n_right: int
    n_random: int
    n_right_random: int


class LabelClass(Message):
    """A class of the project, with the number of its labels."""

    name: str
    n: int
    colour: str


class Status(Message):
    """The status of a project, and the next tasks."""

    format: Literal[2] = 2
    version: int  # grows with every event: which of two answers is the later one
    classes: list[LabelClass]
    n_total: int
    n_labelled: int
    kinds: dict[str, int]
    errors: list[tuple[str, str]]  # files that cannot be read, and why
    n_errors: int
    embedding: EmbeddingStatus
    accuracy: Accuracy
    next: list[Item]
    held: list[Item]


class Undone(Place):
    """The event that was undone, and the annotation that counts at its place now."""

    region: str
    names: tuple[str, ...]
    is_renamed_class: bool
    annotation: Annotation | None


def place_of(clip: Any) -> dict[str, Any]:
    """The fields of `Place` of a task or an event."""
    return {"file": clip.file, "start_s": clip.start_s, "end_s": clip.end_s}


def annotation_of(event: AnnotationEvent | None) -> Annotation | None:
    """What is annotated at a place, or nothing."""
    return Annotation(kind=event.kind, names=event.names) if event else None


def item_of(item: QueueItem) -> Item:
    """A task with its suggestion and its annotation."""
    suggested = SuggestedClass(**item.suggestion._asdict()) if item.suggestion else None
    return Item(**place_of(item.task), suggestion=suggested, annotation=annotation_of(item.event))
