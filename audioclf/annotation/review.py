"""Review: labels that are probably wrong, the most suspicious first.

Every clip is judged by models that never had its recording: a logistic regression and the nearest
neighbours, on embeddings. What they doubt is left out and the regression fitted again, so that a
confusion which many labels share is not learnt. A label is suspicious where it is not clearly
likelier than another class, or where confident learning says so: Northcutt, Jiang and Chuang
(2021), "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, arXiv:1911.00068.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation.event_log import EventKind
from audioclf.annotation.queue import LabelQueue
from audioclf.annotation.tasks import AnnotationTask
from audioclf.datasets.dataset import Dataset, grouped_folds
from audioclf.inference import out_of_fold
from audioclf.inference.out_of_fold import Points, Probabilities
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress

MIN_LABELS = 50  # fewer labels say too little about each other
N_FOLDS = 5
# Chosen by benchmarks/review.py, on the clips that it tells of.
C = 0.03
N_ROUNDS = 2
N_NEIGHBOURS = 10
SIMILARITY_SCALE = 0.1
CLEAR_MARGIN = 0.2  # a label that is so far ahead of every other class is not suspicious


@dataclass(frozen=True)
class Suspicion:
    """A label that is probably wrong: the clip's number, its class and the likelier one."""

    number: int
    label: int
    suggested: int
    probability: float  # of the suggested class
    margin: float  # probability of the label less that of the suggested class: lowest first


@dataclass(frozen=True)
class SuspiciousClip:
    """A clip of a data set whose label is probably wrong."""

    file: str
    label: str
    suggested: str
    probability: float  # of the suggested class

    def to_dict(self) -> dict[str, str | float]:
        """Plain values, as the command line prints them."""
        return {
            "file": self.file,
            "label": self.label,
            "suggested": self.suggested,
            "probability": round(self.probability, 4),
        }


@dataclass(frozen=True)
class TaskSuspicion:
    """A task of a project whose label is probably wrong."""

    task: AnnotationTask
    label: str
    suggested: str
    probability: float  # of the suggested class


@dataclass(frozen=True)
class Review:
    """The suspicious clips of a data set, and which clips could not be judged, in sentences."""

    suspicious: tuple[SuspiciousClip, ...]
    n_clips: int  # that were judged
    errors: tuple[str, ...]


def review_dataset(data: Dataset, model: Checkpoint, progress: StageProgress) -> Review:
    """Review the labels of a folder's clips by the model's embeddings, out of their folds.

    Raises ValueError for a model without an embedding, and where no clip can be read or judged.
    """
    embedded = out_of_fold.embed_means(model, [clip.path for clip in data.clips], progress)
    clips = [data.clips[number] for number in embedded.readable]
    classes = sorted({clip.label for clip in clips})
    labels = np.array([classes.index(clip.label) for clip in clips])
    folds = np.array([clip.fold for clip in clips])
    results = find_suspicious(out_of_fold.components(embedded.values), labels, folds)
    suspicious = (
        SuspiciousClip(
            clips[one.number].relative_path,
            classes[one.label],
            classes[one.suggested],
            one.probability,
        )
        for one in results
    )
    n_judged = int(_is_judged(labels, folds).sum())
    return Review(tuple(suspicious), n_judged, tuple(embedded.errors))


def find_suspicious(
    points: Points, labels: NDArray[np.int64], folds: NDArray[np.int64]
) -> list[Suspicion]:
    """The labels that are probably wrong, the most suspicious first.

    points: (clips, components) of their embeddings; labels: (clips,) class numbers; folds: (clips,)
    which share no recording. A class that is in one fold only is not judged. Raises ValueError
    where fewer than two classes can be learnt.
    """
    judged = _is_judged(labels, folds)
    probabilities = out_of_fold_probabilities(points, labels, folds)
    margin, suggested = _margins(probabilities, labels)
    numbers = np.arange(len(labels))
    own = probabilities[numbers, labels]
    thresholds = _thresholds(own, labels, probabilities.shape[1])
    likely = probabilities[numbers, suggested]
    is_confident = (likely >= thresholds[suggested]) & (own < thresholds[labels])
    suspicious = np.flatnonzero(judged & ((margin < CLEAR_MARGIN) | is_confident))
    order = suspicious[np.argsort(margin[suspicious], kind="stable")]
    return [
        Suspicion(int(n), int(labels[n]), int(suggested[n]), float(likely[n]), float(margin[n]))
        for n in order
    ]


def out_of_fold_probabilities(
    points: Points, labels: NDArray[np.int64], folds: NDArray[np.int64]
) -> Probabilities:
    """The mean of the regression and of the nearest neighbours, (clips, classes)."""
    trusted = np.ones(len(labels), bool)
    for _ in range(N_ROUNDS):
        probabilities = out_of_fold.predict(points, labels, folds, C, trusted)
        trusted = _without_doubtful(_margins(probabilities, labels)[0] > 0, labels, folds)
    probabilities = out_of_fold.predict(points, labels, folds, C, trusted)
    return (probabilities + _neighbours(points, labels, folds, probabilities.shape[1])) / 2


def review_queue(queue: LabelQueue, verified: Collection[int] = ()) -> list[TaskSuspicion]:
    """Review the labels of a project, without those of the tasks that a person has verified.

    Segments of one file judge others only. None with fewer than 50 labels. Raises ValueError before
    the tasks are embedded, and where all labels are of one file.
    """
    if queue.model is None:
        raise ValueError("Labels are reviewed when all clips are embedded: wait a little.")
    labelled = {
        number: event.names[0]
        for number, event in queue.events().items()
        if event.kind == EventKind.LABEL and len(event.names) == 1 and number not in queue.excluded
    }
    if len(labelled) < MIN_LABELS or len(set(labelled.values())) < 2:
        return []
    numbers, names = list(labelled), np.array(list(labelled.values()))
    classes = np.unique(names)
    folds = grouped_folds(names, np.array([queue.tasks[n].file for n in numbers]), N_FOLDS)
    points = queue.model.space.points[numbers]
    suspicious = find_suspicious(points, np.searchsorted(classes, names), np.array(folds))
    return [
        TaskSuspicion(
            queue.tasks[numbers[one.number]],
            str(classes[one.label]),
            str(classes[one.suggested]),
            one.probability,
        )
        for one in suspicious
        if numbers[one.number] not in verified
    ]


def _is_judged(labels: NDArray[np.int64], folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where some other fold holds the clip's class too, (clips,)."""
    n_folds = {label: len(np.unique(folds[labels == label])) for label in np.unique(labels)}
    return np.array([n_folds[label] > 1 for label in labels])


def _margins(
    probabilities: Probabilities, labels: NDArray[np.int64]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """How far the label is ahead of the likeliest other class, and that class, (clips,) each."""
    numbers = np.arange(len(labels))
    others = probabilities.copy()
    others[numbers, labels] = -1
    best = others.argmax(axis=1)
    return probabilities[numbers, labels] - others[numbers, best], best


def _thresholds(
    own: NDArray[np.floating], labels: NDArray[np.int64], n_classes: int
) -> NDArray[np.floating]:
    """The mean probability of every class over the clips that are labelled so, (classes,)."""
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, weights=own, minlength=n_classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def _without_doubtful(
    trusted: NDArray[np.bool_], labels: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Those that are trusted; all clips of a class that would be left in fewer than two folds."""
    mask = trusted.copy()
    for label in np.unique(labels):
        of_class = labels == label
        if len(np.unique(folds[of_class & trusted])) < 2:
            mask |= of_class
    return mask


def _neighbours(
    points: Points, labels: NDArray[np.int64], folds: NDArray[np.int64], n_classes: int
) -> Probabilities:
    """The shares of the nearest clips of other folds, by cosine similarity, (clips, classes)."""
    unit = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    votes = np.zeros((len(labels), n_classes))
    for fold in np.unique(folds):
        held_out, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        similarity = unit[held_out] @ unit[others].T
        n_nearest = min(N_NEIGHBOURS, len(others))
        nearest = np.argpartition(-similarity, n_nearest - 1, axis=1)[:, :n_nearest]
        weights = np.exp(np.take_along_axis(similarity, nearest, axis=1) / SIMILARITY_SCALE)
        rows = np.repeat(held_out, n_nearest)
        np.add.at(votes, (rows, labels[others[nearest]].ravel()), weights.ravel())
    shares: Probabilities = votes / votes.sum(axis=1, keepdims=True)
    return shares
