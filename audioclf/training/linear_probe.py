"""Heads: new classes on what a trained network already hears, in seconds and without Keras.

A head is a logistic regression on a checkpoint's embeddings of single windows, standardised over
the training clips, as one ONNX file of a matrix product and a softmax; its card names the
checkpoint that it reads. Linear probes after Alain and Bengio (2017), "Understanding intermediate
layers using linear classifier probes", ICLR 2017 workshop, arXiv:1610.01644.
"""

import datetime
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf import __version__
from audioclf.datasets.dataset import Dataset
from audioclf.inference import embedding_cache
from audioclf.models import checkpoint, download, linear_head
from audioclf.models.checkpoint import ONNX, Checkpoint
from audioclf.models.linear_head import Head
from audioclf.storage.atomic import atomic_folder
from audioclf.training import holdout
from audioclf.training.holdout import Progress

MIN_STD = 1e-3


@dataclass(frozen=True)
class LinearProbeSettings:
    """How a linear probe is fitted; part of its card."""

    folds: tuple[int, ...] = ()  # trained on; none: all
    holdout_folds: tuple[int, ...] = ()  # evaluated on, by a probe fitted without these folds
    attribution: str = ""  # the data's citation and licence
    C: float = 0.1  # scikit-learn's inverse of the regularisation: smaller is smoother
    max_steps: int = 500
    tolerance: float = 1e-3  # of the gradient; a tenth of it needs three times the time

    def to_dict(self) -> dict[str, Any]:
        """The values under the names that run ids are made of."""
        return {
            "folds": self.folds,
            "measure": self.holdout_folds,
            "credit": self.attribution,
            "inverse_strength": self.C,
            "max_steps": self.max_steps,
            "tolerance": self.tolerance,
        }


class Examples(NamedTuple):
    """Windows of labelled clips; those of a clip count as much as those of any other."""

    values: NDArray[np.float32]  # (windows, d)
    numbers: NDArray[np.int64]  # (windows,) of the classes
    weights: NDArray[np.floating]  # (windows,)


def train_linear_probe(
    network: Checkpoint,
    data: Dataset,
    folder: Path,
    settings: LinearProbeSettings,
    progress: Progress,
) -> Checkpoint:
    """A new head on the network as the checkpoint `folder`, measured first where that is asked.

    Raises ValueError for a name, a fold or a network that cannot be used, and unreadable clips.
    """
    checkpoint.check_name(folder.name)
    backbone = resolve_backbone(network)
    _check_place(backbone, folder)
    chosen = data.of_folds(set(settings.folds or data.folds))
    _check_classes(chosen)
    found: dict[str, Any] = {"results": [], "calibration": None}
    if settings.holdout_folds:
        unseen = data.of_folds(set(settings.holdout_folds))
        rest = chosen.of_folds(set(chosen.folds) - set(settings.holdout_folds))
        _check_classes(rest)
        before = _measured(backbone, rest, unseen, data.classes, settings, progress)
        found = {key: before.card[key] for key in found}
        found["results"][0]["network"] = "a head taught the same way without these clips"
    card = {**_card(backbone, chosen, data.classes, settings), **found}
    return _publish(backbone, chosen, card, folder, settings, progress)


def fit(examples: Examples, n_classes: int, settings: LinearProbeSettings) -> Head:
    """The regression on standardised values, as a product on values as they are."""
    from sklearn.linear_model import LogisticRegression

    mean, std = examples.values.mean(axis=0), examples.values.std(axis=0) + np.float32(MIN_STD)
    model = LogisticRegression(C=settings.C, max_iter=settings.max_steps, tol=settings.tolerance)
    model.fit((examples.values - mean) / std, examples.numbers, sample_weight=examples.weights)
    kernel, bias = np.zeros((len(mean), n_classes)), np.full(n_classes, -1e3)
    if len(model.classes_) == 2:  # one row says how far the second class is ahead of the first
        rows, offsets = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2]), model.intercept_[0]
        offsets = np.array([-offsets / 2, offsets / 2])
    else:
        rows, offsets = model.coef_, model.intercept_
    kernel[:, model.classes_] = rows.T / std[:, None]
    bias[model.classes_] = offsets - rows @ (mean / std)
    return Head(kernel.astype(np.float32), bias.astype(np.float32))


def embed_examples(
    network: Checkpoint, data: Dataset, classes: Sequence[str], progress: Progress
) -> Examples:
    """The clips' windows as the network hears them; rare classes weigh as much as frequent ones."""
    paths = progress("clips", [clip.path for clip in data.clips])
    found = [one.values for one in embedding_cache.all_embeddings(network, paths)]
    labels = np.array([classes.index(clip.label) for clip in data.clips])
    counts = np.bincount(labels, minlength=len(classes))
    share = len(labels) / (np.count_nonzero(counts) * counts[labels])
    lengths = np.array([len(values) for values in found])
    weights = np.repeat(share / lengths, lengths)
    return Examples(np.concatenate(found), np.repeat(labels, lengths), weights)


def resolve_backbone(network: Checkpoint) -> Checkpoint:
    """The network whose embedding is read. Raises ValueError."""
    if network.is_ensemble:
        raise ValueError(f"“{network.name}” is several networks: name one of its members.")
    return network.backbone or network


def _check_place(backbone: Checkpoint, folder: Path) -> None:
    """Raise ValueError where the head would take its backbone's place, or not find it."""
    if folder.name == backbone.name:
        raise ValueError(f"“{folder.name}” is the network that the head reads: choose a new name.")
    places = (folder.parent / backbone.name, checkpoint.home() / backbone.name)
    if backbone.folder not in [place.resolve() for place in places]:
        raise ValueError(
            f"There, the head would not find “{backbone.name}”: publish it beside that with --output-dir."
        )


def _check_classes(data: Dataset) -> None:
    if len(data.classes) < 2:
        raise ValueError("Fewer than two classes are left to learn from: name other folds.")


def _measured(
    backbone: Checkpoint,
    rest: Dataset,
    unseen: Dataset,
    classes: tuple[str, ...],
    settings: LinearProbeSettings,
    progress: Progress,
) -> Checkpoint:
    """The head without the unseen fold, with its result there, kept for ensembles."""
    clips = [(clip.path.name, clip.label, clip.fold) for clip in rest.clips]
    about = f"{backbone.weights_sha256}{clips}{classes}{settings.to_dict()}"
    training = f"head-{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    folder = holdout.run_dir(holdout.run_id(training, unseen))
    card = {**_card(backbone, rest, classes, settings), "results": [], "calibration": None}
    card["backbone"]["folder"] = str(backbone.folder)  # in the cache, nothing lies beside it
    head = _publish(backbone, rest, card, folder, settings, progress)
    found = holdout.evaluate_holdout(head, unseen, progress)
    found["results"][0]["kept_as"] = folder.name
    return checkpoint.write_card(folder, {**head.card, **found})


def _publish(
    backbone: Checkpoint,
    data: Dataset,
    card: dict[str, Any],
    folder: Path,
    settings: LinearProbeSettings,
    progress: Progress,
) -> Checkpoint:
    classes = card["classes"]
    shown = embed_examples(backbone, data, classes, progress)
    started = time.perf_counter()
    head = fit(shown, len(classes), settings)
    card["training"]["seconds"] = round(time.perf_counter() - started, 1)
    with atomic_folder(folder) as partial:
        linear_head.write(head, partial / ONNX)
        linear_head.compare(head, partial / ONNX, shown.values[:64])
        card = {**card, "sha256": {ONNX: checkpoint.sha256(partial / ONNX)}}
        checkpoint.write_card(partial, card)
    return checkpoint.read(folder)


def _card(
    backbone: Checkpoint, data: Dataset, classes: tuple[str, ...], settings: LinearProbeSettings
) -> dict[str, Any]:
    n_values = int(backbone.card["outputs"]["embedding"][0])
    n_own = (n_values + 1) * len(classes)
    credits = (settings.attribution, data.attribution, backbone.card.get("attribution", ""))
    return {
        "format": 1,
        "architecture": "head",
        "description": f"A linear head on what {backbone.name} hears.",
        "citation": " ".join((__doc__ or "").split("Linear probes after ")[1].split()),
        "recipe": backbone.recipe.to_dict(),
        "classes": list(classes),
        "input_shape": backbone.card["input_shape"],
        "outputs": {"label": [len(classes)], "embedding": [n_values]},
        "n_params": backbone.card["n_params"] + n_own,
        "multiply_adds": backbone.card["multiply_adds"] + n_values * len(classes),
        "layers": [
            {"name": backbone.name, "kind": "Checkpoint", "output": [n_values],
             "n_params": backbone.card["n_params"]},
            {"name": "label", "kind": "Dense, softmax", "output": [len(classes)],
             "n_params": n_own},
        ],
        "backbone": _named(backbone),
        "training": {
            "data": f"{data.name}, {holdout.format_folds(data.folds)} ({len(data.clips)} clips)",
            "folds": list(data.folds),
            "n_clips": len(data.clips),
            "settings": {
                "inverse_strength": settings.C, "tolerance": settings.tolerance
            },
            "weights": "logistic regression",
            "date": datetime.date.today().isoformat(),
            "versions": {"audioclf": __version__, "numpy": np.__version__},
        },
        "licence": "Apache-2.0",
        "attribution": " ".join(text for text in credits if text),
    }  # fmt: skip


def _named(backbone: Checkpoint) -> dict[str, Any]:
    """The backbone, what its weights may be, and where to get it where it can be fetched."""
    for name, wanted in download.SOURCES.items():
        if backbone.name == wanted.becomes and backbone.source_sha256 in wanted.accepted:
            how = f"get it with “python -m audioclf download {name}”, or on the page under Models"
            return {"name": backbone.name, "sha256": list(wanted.accepted), "how": how}
    return {"name": backbone.name, "sha256": [backbone.source_sha256]}
