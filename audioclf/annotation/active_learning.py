"""What to ask a person next, and what to suggest: from embeddings and the labels that are there.

A logistic regression on the principal components of all candidates' embeddings, refitted after
every few labels in a fraction of a second. At first the candidate comes that stands for most others
which no label is near (facility location: Lin and Bilmes (2011), "A Class of Submodular Functions
for Document Summarization", ACL 2011); then the one whose two best classes are closest (smallest
margin: Scheffer, Decomain and Wrobel (2001), "Active Hidden Markov Models for Information
Extraction", IDA 2001). One in ten comes at random, so that its accuracy on these is honest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]  # (candidates, components)
Probabilities = NDArray[np.float32]  # (candidates, classes)

N_COMPONENTS = 80
N_REFERENCES = 2_000  # candidates that stand for all, where there are more
MOST_NEARNESSES = 10_000_000  # 40 MB
N_FIRST = 20  # labels until the regression chooses
REACH = 0.6  # cosine distance at which a candidate says nothing of another
RANDOM_SHARE = 0.1
MIN_STD = 1e-3
USEFUL, CERTAIN, FILED = "useful", "certain", "filed"
ORDERS = (USEFUL, CERTAIN, FILED)


@dataclass(frozen=True)
class Suggestion:
    """What a network or the own labels propose for a candidate; never a label by itself."""

    candidate: int
    name: str  # of the class
    probability: float
    by: str  # the network, or whose labels


class Pick(NamedTuple):
    """The candidate to show next, and whether it came at random."""

    candidate: int
    by_chance: bool = False


@dataclass(frozen=True)
class Space:
    """The candidates as points, and how near each is to those that stand for all."""

    points: Points
    nearness: Points  # (candidates, references), 0 to 1


def space(embeddings: NDArray[np.floating], seed: int = 0) -> Space:
    """The candidates' mean embeddings, (candidates, d), as a space. Raises ValueError for none."""
    if len(embeddings) == 0:
        raise ValueError("There are no candidates: add sounds first.")
    points = _components(np.asarray(embeddings, np.float64))
    rng = np.random.default_rng(seed)
    n_references = min(N_REFERENCES, len(points), max(100, MOST_NEARNESSES // len(points)))
    references = np.sort(rng.choice(len(points), n_references, replace=False))
    distance = 1 - _unit(points) @ _unit(points[references]).T
    return Space(points, np.maximum(0, 1 - distance / REACH).astype(np.float32) ** 2)


def judge(where: Space, known: Mapping[int, int], n_classes: int) -> Probabilities:
    """What the known candidates' classes say of all, (candidates, classes), in their order.

    With labels of one class, or none, nothing is known: every class is as likely as any other.
    """
    numbers = np.fromiter(known.values(), int, len(known))
    found = np.full((len(where.points), n_classes), 1 / n_classes, np.float32)
    if len(set(numbers.tolist())) < 2:
        return found
    from sklearn.linear_model import LogisticRegression

    chosen = np.fromiter(known.keys(), int, len(known))
    model = LogisticRegression(max_iter=300).fit(where.points[chosen], numbers)
    found[:] = 0
    found[:, model.classes_] = model.predict_proba(where.points)
    return found


def next_candidate(
    where: Space,
    done: Collection[int],
    probabilities: Probabilities,
    order: str,
    rng: np.random.Generator,
) -> Pick | None:
    """Which candidate to show next; None where all are done. Raises ValueError."""
    if order not in ORDERS:
        raise ValueError(f"There is no order “{order}”: choose one of {', '.join(ORDERS)}.")
    left = np.setdiff1d(np.arange(len(where.points)), np.fromiter(done, int, len(done)))
    if len(left) == 0:
        return None
    if order == FILED:
        return Pick(int(left[0]))
    if rng.random() < RANDOM_SHARE:
        return Pick(int(rng.choice(left)), by_chance=True)
    if order == CERTAIN and probabilities.shape[1]:
        return Pick(int(left[probabilities[left].max(axis=1).argmax()]))
    if len(done) < N_FIRST or probabilities.shape[1] < 2:
        return Pick(int(left[_gain(where, done, left).argmax()]))
    return Pick(int(left[margins(probabilities[left]).argmin()]))


def margins(probabilities: Probabilities) -> NDArray[np.floating]:
    """How far the best class is ahead of the second, (candidates,)."""
    best = np.partition(probabilities, -2, axis=1)
    found: NDArray[np.floating] = best[:, -1] - best[:, -2]
    return found


def suggest(probabilities: Probabilities, classes: list[str], by: str) -> list[Suggestion]:
    """The most probable class of every candidate."""
    best = probabilities.argmax(axis=1)
    return [
        Suggestion(number, classes[place], float(probabilities[number, place]), by)
        for number, place in enumerate(best)
    ]


def nearest(where: Space, candidate: int, n: int, without: Collection[int] = ()) -> list[int]:
    """The candidates that are most like this one, the nearest first."""
    likeness = _unit(where.points) @ _unit(where.points[[candidate]])[0]
    likeness[[candidate, *without]] = -np.inf
    order = np.argsort(-likeness, kind="stable")[:n]
    return [int(number) for number in order if np.isfinite(likeness[number])]


def on_a_map(where: Space) -> NDArray[np.float32]:
    """The candidates in two dimensions, each from 0 to 1, (candidates, 2)."""
    plane = np.zeros((len(where.points), 2), np.float32)
    plane[:, : where.points.shape[1]] = where.points[:, :2]
    low, high = plane.min(axis=0), plane.max(axis=0)
    found: NDArray[np.float32] = (plane - low) / np.maximum(high - low, 1e-9)
    return found


def _gain(where: Space, done: Collection[int], left: NDArray[np.int64]) -> NDArray[np.floating]:
    """How much more of all candidates would have a label near, one label further, (left,)."""
    covered = np.zeros(where.nearness.shape[1], np.float32)
    if done:
        covered = where.nearness[list(done)].max(axis=0)
    gained: NDArray[np.floating] = np.maximum(where.nearness[left] - covered, 0).sum(axis=1)
    return gained


def _components(values: NDArray[np.float64]) -> Points:
    """Standardised, then their principal components, (candidates, at most 80)."""
    from sklearn.decomposition import PCA

    normal = (values - values.mean(axis=0)) / (values.std(axis=0) + MIN_STD)
    n_components = min(N_COMPONENTS, *normal.shape)
    made = PCA(n_components, random_state=0).fit_transform(normal)
    found: Points = made.astype(np.float32)
    return found


def _unit(points: Points) -> Points:
    found: Points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return found
