"""Embeddings (or class probabilities) of all tasks of a project, file by file."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation import tasks
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.tasks import AnnotationTask
from audioclf.inference.embedding_cache import file_embeddings
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import normalize_class_name
from audioclf.models.checkpoint import Checkpoint


class SuggestionKind(StrEnum):
    """What suggestions are made from."""

    OWN_LABELS = "labels"  # a classifier of the project's own labels, on embeddings
    MODEL_CLASSES = "classes"  # the classes of the embedding model


class Windows(NamedTuple):
    """The embeddings or probabilities of the windows of one file."""

    starts_s: NDArray[np.floating]
    ends_s: NDArray[np.floating]
    values: NDArray[np.float32]  # (windows, d)


class TaskEmbeddings(NamedTuple):
    """The embeddings of the tasks of one file; `error` where the file cannot be read."""

    file: str
    numbers: list[int]  # of the tasks
    values: NDArray[np.float32]  # (numbers, d)
    error: str = ""


def embed_tasks(
    project: AnnotationProject,
    embedding_model: Checkpoint,
    annotation_tasks: Sequence[AnnotationTask],
    kind: str,
) -> Iterator[TaskEmbeddings]:
    """Embeddings of all tasks, or probabilities of the model's own classes, file by file.

    Those of a task are the mean over the windows, weighted by overlap. Raises ValueError for a
    model that cannot be used.
    """
    check(embedding_model, kind)
    for file, numbers in numbers_by_file(annotation_tasks).items():
        windows = embed_windows(project, embedding_model, file, kind)
        yield average_windows(annotation_tasks, file, numbers, windows)


def check(embedding_model: Checkpoint, kind: str) -> None:
    """Raise ValueError for a model that cannot be used, and for an unknown kind of suggestions."""
    if kind not in tuple(SuggestionKind):
        raise ValueError(f"There are no suggestions from “{kind[:40]}”: choose labels or classes.")
    if embedding_model.unavailable_reason():
        raise ValueError(embedding_model.unavailable_reason())


def numbers_by_file(annotation_tasks: Sequence[AnnotationTask]) -> dict[str, list[int]]:
    """The numbers of the tasks of each file."""
    numbers: dict[str, list[int]] = {}
    for number, task in enumerate(annotation_tasks):
        numbers.setdefault(task.file, []).append(number)
    return numbers


def average_windows(
    annotation_tasks: Sequence[AnnotationTask],
    file: str,
    numbers: list[int],
    windows: Windows | str,
) -> TaskEmbeddings:
    """The weighted mean of a file's windows for each of its tasks; `windows` may be an error."""
    if isinstance(windows, str):
        return TaskEmbeddings(file, numbers, np.zeros((len(numbers), 0), np.float32), windows)
    starts_s, ends_s, values = windows
    weights = np.stack(
        [tasks.overlap_weights(annotation_tasks[n], starts_s, ends_s) for n in numbers]
    )
    return TaskEmbeddings(file, numbers, (weights @ values).astype(np.float32))


def embed_windows(
    project: AnnotationProject, embedding_model: Checkpoint, file: str, kind: str
) -> Windows | str:
    """The embeddings or probabilities of a file's windows, or a sentence why there are none."""
    try:
        path = project.path_of(file)
        if kind == SuggestionKind.OWN_LABELS:
            return Windows(*file_embeddings(embedding_model, path))
        prediction = predict_file(path, embedding_model)
    except ValueError as error:
        return str(error)
    return Windows(prediction.starts_s, prediction.ends_s, prediction.probabilities)


def matching_classes(embedding_model: Checkpoint, classes: Sequence[str]) -> list[str]:
    """The model's classes that a project has too, as the model spells them; all if none match."""
    normalized = {normalize_class_name(name) for name in classes}
    matching = [
        name for name in embedding_model.classes if normalize_class_name(name) in normalized
    ]
    return matching or list(embedding_model.classes)
