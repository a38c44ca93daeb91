"""Active learning: which task comes next and what is suggested, from embeddings and labels.

A logistic regression on the principal components of all candidates' embeddings, refitted after
every few labels in a fraction of a second. At first the candidate comes that stands for most others
which no label is near (facility location: Lin and Bilmes (2011), "A Class of Submodular Functions
for Document Summarization", ACL 2011); then the one whose two best classes are closest (smallest
margin: Scheffer, Decomain and Wrobel (2001), "Active Hidden Markov Models for Information
Extraction", IDA 2001). One in ten comes at random, so that its accuracy on these is honest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation.event_log import Suggestion

Points = NDArray[np.float32]  # (candidates, components)
Probabilities = NDArray[np.float32]  # (candidates, classes)

N_COMPONENTS = 80
N_REFERENCES = 2_000  # reference candidates, where there are more
MAX_SIMILARITIES = 10_000_000  # 40 MB
N_FIRST = 20  # labels before uncertainty sampling begins
REACH = 0.6  # cosine distance from which the similarity is 0
RANDOM_SHARE = 0.1
MIN_STD = 1e-3
MIN_CLAIMED = 5  # labels of a class before a suggestion of it says how likely it is


class QueueOrder(StrEnum):
    """The order in which tasks are asked about."""

    USEFUL = "useful"  # the most informative first
    CERTAIN = "certain"  # the most certain first
    FILED = "filed"  # as the files are


class Selection(NamedTuple):
    """The candidate to show next, and whether it was drawn at random."""

    candidate: int
    is_random: bool = False


@dataclass(frozen=True)
class EmbeddingSpace:
    """Principal components of the candidates, and their similarity to references."""

    points: Points
    similarity: Points  # (candidates, references), 0 to 1


def embedding_space(embeddings: NDArray[np.floating], seed: int = 0) -> EmbeddingSpace:
    """The candidates' mean embeddings, (candidates, d), as a space. Raises ValueError for none."""
    if len(embeddings) == 0:
        raise ValueError("There is nothing to embed: add files first.")
    points = _components(np.asarray(embeddings, np.float64))
    rng = np.random.default_rng(seed)
    n_references = min(N_REFERENCES, len(points), max(100, MAX_SIMILARITIES // len(points)))
    references = np.sort(rng.choice(len(points), n_references, replace=False))
    distance = 1 - _unit(points) @ _unit(points[references]).T
    return EmbeddingSpace(points, np.maximum(0, 1 - distance / REACH).astype(np.float32) ** 2)


def fit_predict(space: EmbeddingSpace, labels: Mapping[int, int], n_classes: int) -> Probabilities:
    """Fit a logistic regression to the labelled candidates and predict all, (candidates, classes).

    labels: class number by candidate. With labels of fewer than two classes the result is uniform.
    """
    numbers = np.fromiter(labels.values(), int, len(labels))
    probabilities = np.full((len(space.points), n_classes), 1 / n_classes, np.float32)
    if len(set(numbers.tolist())) < 2:
        return probabilities
    from sklearn.linear_model import LogisticRegression

    labelled = np.fromiter(labels.keys(), int, len(labels))
    model = LogisticRegression(max_iter=300).fit(space.points[labelled], numbers)
    probabilities[:] = 0
    probabilities[:, model.classes_] = model.predict_proba(space.points)
    return probabilities


def next_candidate(
    space: EmbeddingSpace,
    done: Collection[int],
    probabilities: Probabilities,
    order: str,
    rng: np.random.Generator,
) -> Selection | None:
    """Which candidate to show next; None where all are done. Raises ValueError."""
    if order not in tuple(QueueOrder):
        raise ValueError(f"There is no order “{order}”: choose one of {', '.join(QueueOrder)}.")
    left = np.setdiff1d(np.arange(len(space.points)), np.fromiter(done, int, len(done)))
    if len(left) == 0:
        return None
    if order == QueueOrder.FILED:
        return Selection(int(left[0]))
    if rng.random() < RANDOM_SHARE:
        return Selection(int(rng.choice(left)), is_random=True)
    if order == QueueOrder.CERTAIN and probabilities.shape[1]:
        return Selection(int(left[probabilities[left].max(axis=1).argmax()]))
    if len(done) < N_FIRST or probabilities.shape[1] < 2:
        return Selection(int(left[_gain(space, done, left).argmax()]))
    return Selection(int(left[margins(probabilities[left]).argmin()]))


def margins(probabilities: Probabilities) -> NDArray[np.floating]:
    """How far the best class is ahead of the second, (candidates,)."""
    best = np.partition(probabilities, -2, axis=1)
    difference: NDArray[np.floating] = best[:, -1] - best[:, -2]
    return difference


def confidence(
    space: EmbeddingSpace, labels: Mapping[int, int], probabilities: Probabilities
) -> NDArray[np.floating]:
    """How likely every candidate's best class is to be right, (candidates,); NaN: not known.

    A regression knows the labelled classes only and is as sure of what is unlike all of them. So
    its probability is multiplied by the square of how near the nearest label of that class is,
    as a share of how near labels of one class usually are to each other. Nothing is claimed of a
    class with fewer than five labels.
    """
    unit = _unit(space.points)
    best = probabilities.argmax(axis=1)
    numbers = np.fromiter(labels.values(), int, len(labels))
    chosen = np.fromiter(labels.keys(), int, len(labels))
    claimed = [n for n in np.unique(numbers) if (numbers == n).sum() >= MIN_CLAIMED]
    found = np.full(len(unit), np.nan)
    if not claimed:
        return found
    usual = np.median(np.concatenate([_nearness(unit[chosen[numbers == n]]) for n in claimed]))
    for number in claimed:
        own = best == number
        near = (unit[own] @ unit[chosen[numbers == number]].T).max(axis=1, initial=-1)
        covered = np.clip(near / max(float(usual), 1e-9), 0, 1)
        found[own] = probabilities[own, number] * covered**2
    return found


def suggest(
    probabilities: Probabilities,
    classes: list[str],
    source: str,
    confidences: NDArray[np.floating] | None = None,
) -> list[Suggestion]:
    """The most probable class of every candidate.

    confidences: how likely each of them is to be right, (candidates,), and NaN where that is not
    known; else the probabilities are taken.
    """
    best = probabilities.argmax(axis=1)
    likely = probabilities.max(axis=1) if confidences is None else confidences
    return [
        Suggestion(classes[column], round(float(p), 4) if np.isfinite(p) else None, source)
        for column, p in zip(best, likely, strict=True)
    ]


def nearest(
    space: EmbeddingSpace, candidate: int, n: int, without: Collection[int] = ()
) -> list[int]:
    """The candidates that are most like this one, the nearest first."""
    likeness = _unit(space.points) @ _unit(space.points[[candidate]])[0]
    likeness[[candidate, *without]] = -np.inf
    order = np.argsort(-likeness, kind="stable")[:n]
    return [int(number) for number in order if np.isfinite(likeness[number])]


def project_2d(space: EmbeddingSpace) -> NDArray[np.float32]:
    """The candidates in two dimensions, each from 0 to 1, (candidates, 2)."""
    plane = np.zeros((len(space.points), 2), np.float32)
    plane[:, : space.points.shape[1]] = space.points[:, :2]
    low, high = plane.min(axis=0), plane.max(axis=0)
    points: NDArray[np.float32] = (plane - low) / np.maximum(high - low, 1e-9)
    return points


def _gain(
    space: EmbeddingSpace, done: Collection[int], left: NDArray[np.int64]
) -> NDArray[np.floating]:
    """How much more of all candidates would have a label near, one label further, (left,)."""
    covered = np.zeros(space.similarity.shape[1], np.float32)
    if done:
        covered = space.similarity[list(done)].max(axis=0)
    gained: NDArray[np.floating] = np.maximum(space.similarity[left] - covered, 0).sum(axis=1)
    return gained


def _nearness(unit: Points) -> NDArray[np.floating]:
    """The cosine similarity of each point to the nearest other one, (points,)."""
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -1)
    nearest: NDArray[np.floating] = similarity.max(axis=1)
    return nearest


def _components(values: NDArray[np.float64]) -> Points:
    """Standardised, then their principal components, (candidates, at most 80)."""
    from sklearn.decomposition import PCA

    normal = (values - values.mean(axis=0)) / (values.std(axis=0) + MIN_STD)
    n_components = min(N_COMPONENTS, *normal.shape)
    components = PCA(n_components, random_state=0).fit_transform(normal)
    points_2d: Points = components.astype(np.float32)
    return points_2d


def _unit(points: Points) -> Points:
    unit: Points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return unit
