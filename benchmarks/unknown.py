"""How well an unknown class is told: each class of ESC-10 left out in turn, each fold held out.

Run it as `python benchmarks/unknown.py FOLDER [NAME]`, with the checkpoint whose embedding is
measured (`yamnet-audioset`); it prints Markdown tables. The statistics, the head of the maximum
probability and the threshold never see a clip of the class that is left out, nor of the fold that
is held out; an embedding that was itself trained on the class would, so name a general-purpose one.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from audioclf.datasets import dataset
from audioclf.inference import embedding_cache, familiarity
from audioclf.models import checkpoint

Values = NDArray[np.floating]
Score = Callable[[Values, NDArray[np.str_], Values], Values]  # of train, their classes, test
KNOWN_LOST = 0.05


def main(folder: str, name: str) -> None:
    """Every score, as a mean over classes and for every class."""
    data, model = dataset.load(folder), checkpoint.find(name)
    paths = [clip.path for clip in data.clips]
    values = np.stack(
        [one.values.mean(axis=0) for one in embedding_cache.all_embeddings(model, paths)]
    )
    labels = np.array([clip.label for clip in data.clips])
    folds = np.array([clip.fold for clip in data.clips])
    print(f"{name}, {len(labels)} clips, {len(set(folds))} folds\n")
    print("| score | mean AUROC | worst class | rejected at 5 % lost | per class |")
    print("|---|---|---|---|---|")
    for title, score in SCORES.items():
        areas, rejected = [], []
        for unknown in data.classes:
            known_scores, unknown_scores = leave_out(unknown, values, labels, folds, score)
            areas.append(familiarity.auroc(known_scores, unknown_scores))
            limit = np.quantile(known_scores, 1 - KNOWN_LOST)
            rejected.append(float((unknown_scores > limit).mean()))
        worst = int(np.argmin(areas))
        print(
            f"| {title} | {np.mean(areas):.3f} | {areas[worst]:.3f} ({data.classes[worst]}) "
            f"| {100 * np.mean(rejected):.0f} % | {' '.join(f'{a:.2f}' for a in areas)} |",
            flush=True,
        )


def leave_out(
    unknown: str, values: Values, labels: NDArray[np.str_], folds: Values, score: Score
) -> tuple[Values, Values]:
    """The scores of held-out clips of known classes, and those of the unknown one."""
    known_scores, unknown_scores = [], []
    for fold in np.unique(folds):
        train, test = (folds != fold) & (labels != unknown), folds == fold
        scores = score(values[train], labels[train], values[test])
        known_scores.append(scores[labels[test] != unknown])
        unknown_scores.append(scores[labels[test] == unknown])
    return np.concatenate(known_scores), np.concatenate(unknown_scores)


def by_probability(train: Values, labels: NDArray[np.str_], test: Values) -> Values:
    """One less the highest probability of a logistic regression."""
    head = LogisticRegression(C=0.1, max_iter=40, tol=1e-2).fit(train, labels)
    scores: Values = 1 - head.predict_proba(test).max(axis=1)
    return scores


def by_relative_distance(train: Values, labels: NDArray[np.str_], test: Values) -> Values:
    """The relative Mahalanobis distance on 64 principal components, not rooted, hardly shrunk."""
    mean = train.mean(axis=0)
    basis = np.linalg.svd(train - mean, full_matrices=False)[2][: familiarity.N_COMPONENTS].T
    points, tested = (train - mean) @ basis, (test - mean) @ basis
    classes, numbers = np.unique(labels, return_inverse=True)
    means = np.stack([points[numbers == i].mean(axis=0) for i in range(len(classes))])
    to_classes = _squares(tested[:, None] - means[None], points - means[numbers]).min(axis=1)
    return to_classes - _squares(tested[:, None], points)[:, 0]


def by_neighbours(train: Values, labels: NDArray[np.str_], test: Values) -> Values:
    """The mean cosine distance of the roots to the five nearest clips."""
    mean = np.sqrt(train).mean(axis=0)
    rows = [np.sqrt(x) - mean for x in (train, test)]
    near, tested = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in rows)
    return np.sort(1 - tested @ near.T, axis=1)[:, :5].mean(axis=1)


def by_familiarity(train: Values, labels: NDArray[np.str_], test: Values) -> Values:
    """What audioclf uses."""
    numbers = np.unique(labels, return_inverse=True)[1]
    return familiarity.measure(familiarity.statistics(train, numbers), test)[0]


def _squares(offsets: Values, residuals: Values) -> Values:
    covariance = residuals.T @ residuals / len(residuals)
    covariance += 1e-3 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return np.einsum("nkp,pq,nkq->nk", offsets, np.linalg.inv(covariance), offsets, optimize=True)


SCORES: dict[str, Score] = {
    "maximum probability": by_probability,
    "relative Mahalanobis": by_relative_distance,
    "five nearest neighbours, of the root": by_neighbours,
    "**Mahalanobis, shrunk, of the root**": by_familiarity,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "yamnet-audioset")
