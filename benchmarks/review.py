"""How many wrong labels a review finds: labels of a data set are flipped, and then looked for.

    python benchmarks/review.py ESC10 [NETWORK]

prints, for the embeddings of NETWORK (YAMNet unless named), the mean of ten seeds: which share of
the n flipped labels is among the 2n most suspicious, and for which share the proposed class is the
true one. First labels of random clips become random other ones; then rain becomes sea waves and the
other way round, a systematic confusion that a classifier can learn.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audioclf import threads
from audioclf.annotation import review
from audioclf.datasets import dataset
from audioclf.inference import out_of_fold
from audioclf.models import checkpoint
from audioclf.models.download import YAMNET

N_SEEDS = 10
RANDOM_SHARES = (0.02, 0.05, 0.1, 0.2)
CONFUSED, CONFUSED_SHARES = ("rain", "sea_waves"), (0.1, 0.2, 0.3, 0.4)

Labels = NDArray[np.int64]  # (clips,)
Flip = Callable[[np.random.Generator, Labels], tuple[Labels, NDArray[np.intp]]]


def main(folder: Path, name: str) -> None:
    """A row per kind and share of wrong labels."""
    threads.single_threaded_blas()
    data, model = dataset.load(folder), checkpoint.find(name)
    embedded = out_of_fold.embed_means(
        model, [clip.path for clip in data.clips], lambda _, all_: all_
    )
    points = out_of_fold.components(embedded.values)
    truth = np.array([data.classes.index(clip.label) for clip in data.clips])
    folds = np.array([clip.fold for clip in data.clips])
    n_clean = len(review.find_suspicious(points, truth, folds))
    print(f"Nothing flipped: {n_clean} of {len(truth)} labels are listed.\n")
    print("| wrong labels | n | among the 2n first (%) | worst seed | class right (%) | listed |")
    print("|---|---|---|---|---|---|")
    for share in RANDOM_SHARES:
        row(f"{share:.0%}, at random", random_flips(share), (points, truth, folds))
    numbers = tuple(data.classes.index(name) for name in CONFUSED if name in data.classes)
    if len(numbers) == 2:
        for share in CONFUSED_SHARES:
            what = f"{share:.0%} of {CONFUSED[0]} and {CONFUSED[1]}, swapped"
            row(what, swapped(share, *numbers), (points, truth, folds))


def row(what: str, flip: Flip, clips: tuple[NDArray[np.float32], Labels, Labels]) -> None:
    """One row of the table."""
    points, truth, folds = clips
    found, right, n_listed, n_wrong = [], [], [], 0
    for seed in range(N_SEEDS):
        labels, wrong = flip(np.random.default_rng(seed), truth)
        suspicious = review.find_suspicious(points, labels, folds)
        suggested = {one.number: one.suggested for one in suspicious}
        first = [one.number for one in suspicious[: 2 * len(wrong)]]
        found.append(100 * np.isin(wrong, first).mean())
        right.append(100 * np.mean([suggested.get(n) == truth[n] for n in wrong]))
        n_listed.append(len(suspicious))
        n_wrong = len(wrong)
    print(
        f"| {what} | {n_wrong} | {np.mean(found):.1f} | {np.min(found):.1f} | {np.mean(right):.1f} "
        f"| {np.mean(n_listed):.0f} |",
        flush=True,
    )


def random_flips(share: float) -> Flip:
    """A flip of this share of all labels to random other classes."""

    def flip(rng: np.random.Generator, truth: Labels) -> tuple[Labels, NDArray[np.intp]]:
        n_classes, labels = int(truth.max()) + 1, truth.copy()
        wrong = rng.choice(len(truth), round(share * len(truth)), replace=False)
        labels[wrong] = (labels[wrong] + rng.integers(1, n_classes, len(wrong))) % n_classes
        return labels, wrong

    return flip


def swapped(share: float, first: int, second: int) -> Flip:
    """A flip of this share of the labels of two classes, each to the other one."""

    def flip(rng: np.random.Generator, truth: Labels) -> tuple[Labels, NDArray[np.intp]]:
        labels, parts = truth.copy(), []
        for old, new in ((first, second), (second, first)):
            own = np.flatnonzero(truth == old)
            part = rng.choice(own, round(share * len(own)), replace=False)
            labels[part] = new
            parts.append(part)
        return labels, np.concatenate(parts)

    return flip


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else YAMNET.checkpoint_name)
