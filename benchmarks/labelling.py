"""How soon a data set is labelled right: a script acts as the person, on ESC-10 (320 clips).

`python benchmarks/labelling.py ESC10 NETWORK [NETWORK ...]` prints, for the embeddings of each
network, the share of all clips whose class is right after so many labels (given ones and suggested
ones together), the mean of three seeds; in the order that is most useful, and in random order.
With `--claims` before them, how sure suggestions are and how often they are right.
Without a NETWORK, one is trained from scratch on five of the ten classes, and the other five are
labelled through it; then the other way round.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from few_clips import SCRATCH, only, train_on

from audioclf import threads
from audioclf.annotation import active_learning
from audioclf.annotation.active_learning import EmbeddingSpace
from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.inference import embedding_cache
from audioclf.models import checkpoint

AFTER, N_SEEDS = (16, 32, 48, 64), 3
LABELLED, N_CLAIMS = ((2, 1), (2, 10), (5, 6), (8, 6), (10, 6), (10, 15)), 5


def main(folder: Path, names: list[str]) -> None:
    """A row per network and order."""
    data = dataset.load(folder)
    print("| embeddings | order | " + " | ".join(f"{n} labels" for n in AFTER) + " |")
    print("|---|---|" + "---|" * len(AFTER))
    for name in names:
        rows(f"`{name}`", checkpoint.find(name), data)
    if not names:
        excluded(data)


def excluded(data: Dataset) -> None:
    """Half of the classes are labelled with a model that was trained on the other half."""
    first, second = set(data.classes[:5]), set(data.classes[5:])
    with tempfile.TemporaryDirectory() as temporary:
        for trained_on, held_out in ((first, second), (second, first)):
            network = train_on(
                only(data, trained_on), Path(temporary, f"of-{min(trained_on)}"), SCRATCH
            )
            rows(
                f"of five other classes: {', '.join(sorted(held_out))}",
                network,
                only(data, held_out),
            )


def rows(name: str, network: checkpoint.Checkpoint, data: Dataset) -> None:
    """The two curves of a network's embeddings."""
    truth = np.array([data.classes.index(clip.label) for clip in data.clips])
    embeddings = embedding_cache.all_embeddings(network, [clip.path for clip in data.clips])
    where = active_learning.embedding_space(
        np.stack([one.values.mean(axis=0) for one in embeddings])
    )
    for order in (active_learning.QueueOrder.USEFUL, "random"):
        curves = [curve(where, truth, order, seed) for seed in range(N_SEEDS)]
        cells = " | ".join(f"{100 * value:.1f}" for value in np.mean(curves, axis=0))
        print(f"| {name} | {order} | {cells} |", flush=True)


def claims(names: list[str], data: Dataset) -> None:
    """What suggestions claim after labels of some classes alone, and how many of them are right."""
    truth = np.array([data.classes.index(clip.label) for clip in data.clips])
    print(
        "| embeddings | labels | right (%) | regression claims (%) | shown (%) |\n"
        + "|---" * 5
        + "|"
    )
    for name in names:
        found = embedding_cache.all_embeddings(
            checkpoint.find(name), [clip.path for clip in data.clips]
        )
        where = active_learning.embedding_space(np.stack([v.values.mean(axis=0) for v in found]))
        for n_classes, n_each in LABELLED:
            cells = [claim(where, truth, (n_classes, n_each), seed) for seed in range(N_CLAIMS)]
            right, before, shown = 100 * np.mean(cells, axis=0)
            text = "nothing" if np.isnan(shown) else f"{shown:.0f}"
            print(
                f"| `{name}` | {n_each} of each of {n_classes} classes | {right:.0f} "
                f"| {before:.0f} | {text} |"
            )


def claim(
    where: EmbeddingSpace, truth: np.ndarray, labelled: tuple[int, int], seed: int
) -> tuple[float, float, float]:
    """Of all clips without a label: the share right, and the mean claimed before and now."""
    rng, (n_classes, n_each) = np.random.default_rng(seed), labelled
    chosen = rng.choice(len(set(truth.tolist())), n_classes, replace=False)
    known = {
        int(number): int(kind)
        for kind in chosen
        for number in rng.choice(np.flatnonzero(truth == kind), n_each, replace=False)
    }
    heard = active_learning.fit_predict(where, known, len(set(truth.tolist())))
    left = np.setdiff1d(np.arange(len(truth)), list(known))
    right = heard[left].argmax(axis=1) == truth[left]
    shown = active_learning.confidence(where, known, heard)[left]
    return float(right.mean()), float(heard[left].max(axis=1).mean()), float(shown.mean())


def curve(where: EmbeddingSpace, truth: np.ndarray, order: str, seed: int) -> list[float]:
    """The share that is right after so many labels."""
    rng, labels, accuracies = np.random.default_rng(seed), dict[int, int](), []
    n_classes = len(set(truth.tolist()))
    probabilities = active_learning.fit_predict(where, labels, n_classes)
    while len(labels) < AFTER[-1]:
        if order == "random":
            number = int(rng.choice(np.setdiff1d(np.arange(len(truth)), list(labels))))
        else:
            number = active_learning.next_candidate(
                where, list(labels), probabilities, order, rng
            ).candidate
        labels[number] = int(truth[number])
        probabilities = active_learning.fit_predict(where, labels, n_classes)
        if len(labels) in AFTER:
            predicted = probabilities.argmax(axis=1)
            predicted[list(labels)] = list(labels.values())
            accuracies.append(float((predicted == truth).mean()))
    return accuracies


if __name__ == "__main__":
    threads.single_threaded_blas()
    if "--claims" in sys.argv:
        claims([name for name in sys.argv[2:] if name != "--claims"], dataset.load(sys.argv[1]))
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
