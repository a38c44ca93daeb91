"""Out-of-fold probabilities: every clip is judged by a classifier that never had its fold.

The classifier is a logistic regression on mean embeddings, so a cross-validation takes seconds once
these are cached. Embeddings are standardised and rotated to their principal components first:
regularised as it is, the regression is the same on all of them and quicker on few.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.inference import embedding_cache
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress

Points = NDArray[np.float32]  # (clips, components)
Probabilities = NDArray[np.floating]  # (clips, classes)

MAX_COMPONENTS = 256
MAX_STEPS = 300
MIN_STD = 1e-3


class MeanEmbeddings(NamedTuple):
    """The mean embedding of every readable clip, and why the others cannot be read."""

    values: Points  # (readable, d)
    readable: list[int]  # their numbers among the paths
    errors: list[str]


def embed_means(
    model: Checkpoint, paths: Sequence[Path], progress: StageProgress
) -> MeanEmbeddings:
    """The mean over the windows of each clip, cached by its content.

    Raises ValueError where not a single clip can be read.
    """
    values, readable, errors = [], [], []
    for number, path in enumerate(progress("clips", paths)):
        try:
            embedded = embedding_cache.file_embeddings(model, path)
        except ValueError as error:
            errors.append(str(error))
            continue
        values.append(embedded.values.mean(axis=0))
        readable.append(number)
    if not values:
        raise ValueError(errors[0] if errors else "There are no clips: name another folder.")
    return MeanEmbeddings(np.stack(values), readable, errors)


def components(values: NDArray[np.floating]) -> Points:
    """Standardised principal components, (clips, d) -> (clips, at most 256)."""
    from sklearn.decomposition import PCA

    values = np.asarray(values, np.float64)
    normal = (values - values.mean(axis=0)) / (values.std(axis=0) + MIN_STD)
    n_components = min(MAX_COMPONENTS, *normal.shape)
    rotated: Points = PCA(n_components, random_state=0).fit_transform(normal).astype(np.float32)
    return rotated


def predict(
    points: Points,
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    c: float,
    trusted: NDArray[np.bool_] | None = None,
) -> Probabilities:
    """The probabilities of each clip by a regression on the other folds, (clips, classes).

    labels: (clips,) class numbers; folds: (clips,), which share no recording; c: scikit-learn's C,
    the inverse of the regularisation; trusted: (clips,) those that may be learnt from, else all. A
    class that the other folds lack has a probability of 0. Raises ValueError where the other folds
    hold fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(labels), int(labels.max()) + 1))
    for fold in np.unique(folds):
        held_out = folds == fold
        learnt_from = ~held_out if trusted is None else ~held_out & trusted
        if len(np.unique(labels[learnt_from])) < 2:
            raise ValueError(
                "Without one of the folds fewer than two classes are left to learn from: add clips "
                "of other recordings."
            )
        model = LogisticRegression(C=c, max_iter=MAX_STEPS, class_weight="balanced")
        model.fit(points[learnt_from], labels[learnt_from])
        probabilities[np.ix_(held_out, model.classes_)] = model.predict_proba(points[held_out])
    return probabilities
