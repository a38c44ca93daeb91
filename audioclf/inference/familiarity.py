"""How unlike its training clips a sound is to a model: statistics of an embedding, and a score.

A classifier names one of its classes for any sound at all. Here the embedding of a sound is
compared with those of the training clips: the Mahalanobis distance to the nearest class, with the
covariance within classes (Lee, Lee, Lee and Shin (2018), "A Simple Unified Framework for Detecting
Out-of-Distribution Samples and Adversarial Attacks", NeurIPS 2018, arXiv:1807.03888), on 64
principal components of the *root* of the embedding, with a covariance that is shrunk towards a
sphere (Ledoit and Wolf, 2004). The root is what matters: after a ReLU a few large numbers decide
alone. `benchmarks/unknown.md` has it beside the relative distance, neighbours and probabilities.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.storage.atomic import atomic_file

FILE = "familiarity.npz"
MAX_BYTES = 300_000
N_COMPONENTS = 64
SHRINKAGE = 0.1  # of covariances towards a sphere: there are fewer clips than numbers in one
N_PARTS = 4  # of the training clips: each is scored by the statistics of the others
KNOWN_LOST = 0.05  # share of known clips that the threshold gives away
MIN_CLIPS_PER_CLASS = 4
TINY = 1e-9

Values = NDArray[np.floating]  # (clips, d): a clip's embedding is the mean over its windows


class Reference(NamedTuple):
    """Statistics of training clips, for k classes, in d numbers and p principal components."""

    mean: NDArray[np.float32]  # (d,) of the root of the embedding
    basis: NDArray[np.float16]  # (d, p)
    class_means: NDArray[np.float32]  # (k, p)
    within: NDArray[np.float32]  # (p, p): inverse of the covariance within classes


@dataclass(frozen=True)
class Familiarity:
    """A model's statistics, what they are of, and what is unfamiliar by them."""

    reference: Reference
    classes: tuple[str, ...]  # of the training clips
    threshold: float  # scores above it are unfamiliar: see `fit`
    embedding: str  # the checkpoint whose embedding it is
    embedding_sha256: str  # of its weights
    auroc: float  # each class left out in turn, parts held out; nan where that cannot be told

    def score(self, embeddings: Values) -> tuple[NDArray[np.floating], list[str]]:
        """How unlike the training clips, and the nearest class, (clips, d) -> (clips,), names."""
        scores, nearest = measure(self.reference, embeddings)
        return scores, [self.classes[i] for i in nearest]


def fit(
    embeddings: Values,
    labels: Sequence[str],
    embedding: str,
    embedding_sha256: str,
    *,
    is_own: bool = False,
) -> Familiarity:
    """The statistics of training clips, (clips, d) and their classes.

    The threshold is what 5 % of the clips exceed, each scored by the statistics of others.
    `is_own`: the embedding is of a network that has learnt from these clips. There they lie closer
    together than new ones do, so the threshold is the largest of their scores, and no AUROC is
    claimed: `benchmarks/unknown.md`. Raises ValueError for fewer than two classes, or fewer than
    four clips of one.
    """
    classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
    if not is_enough(labels):
        raise ValueError(
            "What is unfamiliar cannot be learnt from fewer than two classes of four clips: add "
            "clips."
        )
    parts = _parts(numbers)
    scores = np.zeros(len(numbers))
    for train, test in _splits(parts):
        scores[test] = measure(statistics(embeddings[train], numbers[train]), embeddings[test])[0]
    return Familiarity(
        statistics(embeddings, numbers),
        tuple(map(str, classes)),
        float(scores.max() if is_own else np.quantile(scores, 1 - KNOWN_LOST)),
        embedding,
        embedding_sha256,
        float("nan") if is_own else leave_one_class_out(embeddings, numbers, parts),
    )


def is_enough(labels: Sequence[str]) -> bool:
    """Whether there are two classes and four clips of each: statistics need them."""
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return len(counts) >= 2 and bool(counts.min() >= MIN_CLIPS_PER_CLASS)


def statistics(embeddings: Values, numbers: NDArray[np.integer]) -> Reference:
    """What `measure` needs of training clips, (clips, d) and (clips,) class numbers."""
    roots = _roots(embeddings)
    mean = roots.mean(axis=0)
    centred = roots - mean
    basis = _principal_components(centred)
    points = centred @ basis.astype(np.float32)
    present, places = np.unique(numbers, return_inverse=True)
    class_means = np.stack([points[places == i].mean(axis=0) for i in range(len(present))])
    return Reference(
        mean.astype(np.float32),
        basis,
        class_means.astype(np.float32),
        _inverse_covariance(points - class_means[places]),
    )


def measure(
    reference: Reference, embeddings: Values
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Distance to the nearest class, and which it is, (clips, d) -> (clips,), (clips,).

    Per principal component: clips that the statistics are of lie at about 1.
    """
    points = (_roots(embeddings) - reference.mean) @ reference.basis.astype(np.float32)
    offsets = points[:, None] - reference.class_means[None]
    squares = np.einsum("nkp,pq,nkq->nk", offsets, reference.within, offsets, optimize=True)
    distances = np.sqrt(np.maximum(squares, 0) / points.shape[1])
    return distances.min(axis=1), distances.argmin(axis=1)


def leave_one_class_out(
    embeddings: Values, numbers: NDArray[np.integer], parts: NDArray[np.integer]
) -> float:
    """The mean AUROC over classes: each unknown in turn, and every part of the clips held out."""
    classes = np.unique(numbers)
    if len(classes) < 3:
        return float("nan")
    aurocs = [list(_aurocs(embeddings, numbers, parts, number)) for number in classes]
    means = [sum(values) / len(values) for values in aurocs if values]
    return sum(means) / len(means) if means else float("nan")


def auroc(known: NDArray[np.floating], unknown: NDArray[np.floating]) -> float:
    """The chance that an unknown clip scores above a known one; ties count half."""
    above = (unknown[:, None] > known[None]).mean() + (unknown[:, None] == known[None]).mean() / 2
    return float(above)


def write(familiarity: Familiarity, folder: Path) -> Path:
    """The statistics as `familiarity.npz` in a checkpoint's folder. Raises ValueError if large."""
    path = folder / FILE
    with atomic_file(path) as part:
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                **familiarity.reference._asdict(),
                classes=np.array(familiarity.classes),
                threshold=familiarity.threshold,
                embedding=familiarity.embedding,
                embedding_sha256=familiarity.embedding_sha256,
                auroc=familiarity.auroc,
            )
        if part.stat().st_size > MAX_BYTES:
            raise ValueError(
                f"The statistics have {part.stat().st_size / 1e3:.0f} kB and may have "
                f"{MAX_BYTES / 1e3:.0f}: use a smaller embedding."
            )
    return path


def read(folder: Path) -> Familiarity | None:
    """The statistics in a checkpoint's folder; None where there are none, or none that fit.

    Raises ValueError for a file that is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            reference = Reference(*(arrays[name] for name in Reference._fields))
            return Familiarity(
                reference,
                tuple(map(str, arrays["classes"])),
                float(arrays["threshold"]),
                str(arrays["embedding"]),
                str(arrays["embedding_sha256"]),
                float(arrays["auroc"]),
            )
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise ValueError(
            f"{FILE} of “{folder.name}” is damaged: copy the checkpoint again."
        ) from error


def _aurocs(
    embeddings: Values, numbers: NDArray[np.integer], parts: NDArray[np.integer], unknown: int
) -> Iterator[float]:
    """The AUROC in every part that has clips of the unknown class and of others."""
    for train, test in _splits(parts):
        train = train[numbers[train] != unknown]
        is_unknown = numbers[test] == unknown
        if is_unknown.all() or not is_unknown.any() or len(np.unique(numbers[train])) < 2:
            continue
        scores = measure(statistics(embeddings[train], numbers[train]), embeddings[test])[0]
        yield auroc(scores[~is_unknown], scores[is_unknown])


def _parts(numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """A part of every clip, (clips,): clips in a row of one class lie in one, as recordings do."""
    parts = np.zeros(len(numbers), int)
    for number in np.unique(numbers):
        places = np.flatnonzero(numbers == number)
        parts[places] = np.arange(len(places)) * N_PARTS // len(places)
    return parts


def _splits(parts: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for part in np.unique(parts):
        yield np.flatnonzero(parts != part), np.flatnonzero(parts == part)


def _roots(embeddings: Values) -> Values:
    """The root of what is positive: after a ReLU a few large numbers would decide alone."""
    roots: Values = np.sign(embeddings) * np.sqrt(np.abs(embeddings))
    return roots


def _principal_components(centred: Values) -> NDArray[np.float16]:
    """(clips, d) -> (d, p), from the smaller of both products."""
    n_clips, n_values = centred.shape
    n_components = min(N_COMPONENTS, n_clips - 1, n_values)
    if n_clips < n_values:
        _, vectors = np.linalg.eigh(centred @ centred.T)
        basis = centred.T @ vectors[:, ::-1][:, :n_components]
    else:
        _, vectors = np.linalg.eigh(centred.T @ centred)
        basis = vectors[:, ::-1][:, :n_components]
    return (basis / np.maximum(np.linalg.norm(basis, axis=0), TINY)).astype(np.float16)


def _inverse_covariance(offsets: Values) -> NDArray[np.float32]:
    covariance = offsets.T @ offsets / len(offsets)
    n_values = len(covariance)
    sphere = np.eye(n_values) * (np.trace(covariance) / n_values + TINY)
    mixed = (1 - SHRINKAGE) * covariance + SHRINKAGE * sphere
    return np.linalg.inv(mixed).astype(np.float32)
