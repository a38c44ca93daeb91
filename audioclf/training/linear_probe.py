"""Linear probes: new classes on a trained model's embeddings, in seconds and without Keras.

A linear probe is a logistic regression on a checkpoint's embeddings of single windows, standardised
over the training clips, as one ONNX file of a matrix product and a softmax; its card names the
checkpoint whose embeddings it takes.
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
from audioclf.models.linear_head import LinearHead
from audioclf.progress import StageProgress
from audioclf.storage.atomic import atomic_folder
from audioclf.storage.format import FORMAT
from audioclf.storage.paths import checkpoint_dirs
from audioclf.training import familiar, holdout

MIN_STD = 1e-3
CITATION = (
    'Alain and Bengio (2017), "Understanding intermediate layers using linear classifier probes", '
    "ICLR 2017 workshop, arXiv:1610.01644."
)


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
    model: Checkpoint,
    data: Dataset,
    folder: Path,
    settings: LinearProbeSettings,
    progress: StageProgress,
) -> Checkpoint:
    """A linear probe on the model as the checkpoint `folder`, evaluated first on held-out folds.

    Raises ValueError for a name, a fold or a model that cannot be used, and unreadable clips.
    """
    checkpoint.check_name(folder.name)
    backbone = resolve_backbone(model)
    _check_folder(backbone, folder)
    dataset = data.of_folds(set(settings.folds or data.folds))
    _check_classes(dataset)
    evaluation: dict[str, Any] = {"results": [], "calibration": None}
    if settings.holdout_folds:
        validation = data.of_folds(set(settings.holdout_folds))
        train = dataset.of_folds(set(dataset.folds) - set(settings.holdout_folds))
        _check_classes(train)
        evaluated = _evaluate(backbone, train, validation, data.classes, settings, progress)
        evaluation = {key: evaluated.card[key] for key in evaluation}
        evaluation["results"][0]["model"] = (
            "a linear probe trained in the same way without these clips"
        )
    card = {**_card(backbone, dataset, data.classes, settings), **evaluation}
    saved = _fit_and_save(backbone, dataset, card, folder, settings, progress)
    return familiar.add_statistics(saved, dataset, progress)


def fit(examples: Examples, n_classes: int, settings: LinearProbeSettings) -> LinearHead:
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
    return LinearHead(kernel.astype(np.float32), bias.astype(np.float32))


def embed_examples(
    model: Checkpoint, data: Dataset, classes: Sequence[str], progress: StageProgress
) -> Examples:
    """The embeddings of the clips' windows; rare classes weigh as much as frequent ones."""
    paths = progress("clips", [clip.path for clip in data.clips])
    embeddings = [one.values for one in embedding_cache.all_embeddings(model, paths)]
    labels = np.array([classes.index(clip.label) for clip in data.clips])
    counts = np.bincount(labels, minlength=len(classes))
    share = len(labels) / (np.count_nonzero(counts) * counts[labels])
    lengths = np.array([len(values) for values in embeddings])
    weights = np.repeat(share / lengths, lengths)
    return Examples(np.concatenate(embeddings), np.repeat(labels, lengths), weights)


def resolve_backbone(model: Checkpoint) -> Checkpoint:
    """The model whose embeddings a linear probe takes. Raises ValueError."""
    if model.is_ensemble:
        raise ValueError(f"“{model.name}” is an ensemble: name one of its members.")
    return model.load_backbone() or model


def _check_folder(backbone: Checkpoint, folder: Path) -> None:
    """Raise ValueError where the probe would replace its backbone, or not find it."""
    if folder.name == backbone.name:
        raise ValueError(f"“{folder.name}” is the model that the head is for: choose a new name.")
    parents = (folder.parent, *checkpoint_dirs())
    if backbone.folder not in [(parent / backbone.name).resolve() for parent in parents]:
        raise ValueError(
            f"There, the head would not find “{backbone.name}”: save both in one folder, with "
            "--output-dir."
        )


def _check_classes(data: Dataset) -> None:
    if len(data.classes) < 2:
        raise ValueError("Fewer than two classes are left to learn from: name other folds.")


def _evaluate(
    backbone: Checkpoint,
    train: Dataset,
    validation: Dataset,
    classes: tuple[str, ...],
    settings: LinearProbeSettings,
    progress: StageProgress,
) -> Checkpoint:
    """The probe without the held-out clips, with its result on them, cached for ensembles."""
    clips = [(clip.path.name, clip.label, clip.fold) for clip in train.clips]
    content = f"{backbone.weights_sha256()}{clips}{classes}{settings.to_dict()}"
    training = f"head-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    folder = holdout.run_dir(holdout.run_id(training, validation))
    card = {**_card(backbone, train, classes, settings), "results": [], "calibration": None}
    card["backbone"]["folder"] = str(backbone.folder)  # in the cache, nothing lies beside it
    head = _fit_and_save(backbone, train, card, folder, settings, progress)
    evaluation = holdout.evaluate_holdout(head, validation, progress)
    evaluation["results"][0]["run_id"] = folder.name
    return checkpoint.write_card(folder, {**head.card, **evaluation})


def _fit_and_save(
    backbone: Checkpoint,
    data: Dataset,
    card: dict[str, Any],
    folder: Path,
    settings: LinearProbeSettings,
    progress: StageProgress,
) -> Checkpoint:
    classes = card["classes"]
    examples = embed_examples(backbone, data, classes, progress)
    started = time.perf_counter()
    head = fit(examples, len(classes), settings)
    card["training"]["seconds"] = round(time.perf_counter() - started, 1)
    with atomic_folder(folder) as partial:
        linear_head.write(head, partial / ONNX)
        linear_head.compare(head, partial / ONNX, examples.values[:64])
        card = {**card, "sha256": {ONNX: checkpoint.sha256(partial / ONNX)}}
        checkpoint.write_card(partial, card)
    return checkpoint.read(folder)


def _card(
    backbone: Checkpoint, data: Dataset, classes: tuple[str, ...], settings: LinearProbeSettings
) -> dict[str, Any]:
    n_values = int(backbone.card["outputs"]["embedding"][0])
    n_head = (n_values + 1) * len(classes)
    credits = (settings.attribution, data.attribution, backbone.card.get("attribution", ""))
    return {
        "format": FORMAT,
        "architecture": "linear_probe",
        "description": f"A linear probe on the embeddings of {backbone.name}.",
        "citation": CITATION,
        "frontend": backbone.frontend.to_dict(),
        "classes": list(classes),
        "input_shape": backbone.card["input_shape"],
        "outputs": {"label": [len(classes)], "embedding": [n_values]},
        "n_params": backbone.card["n_params"] + n_head,
        "multiply_adds": backbone.card["multiply_adds"] + n_values * len(classes),
        "layers": [
            {"name": backbone.name, "type": "Checkpoint", "output_shape": [n_values],
             "n_params": backbone.card["n_params"]},
            {"name": "label", "type": "Dense, softmax", "output_shape": [len(classes)],
             "n_params": n_head},
        ],
        "backbone": _backbone_card(backbone),
        "training": {
            "data": f"{data.name}, {holdout.format_folds(data.folds)} ({len(data.clips)} clips)",
            "folds": list(data.folds),
            "n_clips": len(data.clips),
            "hyperparameters": {"C": settings.C, "tolerance": settings.tolerance},
            "weights": "logistic regression",
            "date": datetime.date.today().isoformat(),
            "versions": {"audioclf": __version__, "numpy": np.__version__},
        },
        "licence": "Apache-2.0",
        "attribution": " ".join(text for text in credits if text),
    }  # fmt: skip


def _backbone_card(backbone: Checkpoint) -> dict[str, Any]:
    """The backbone's name, its accepted weights, and how to download it where that is possible."""
    for name, source in download.SOURCES.items():
        if (
            backbone.name == source.checkpoint_name
            and backbone.source_sha256() in source.accepted_sha256
        ):
            hint = f"get it with “python -m audioclf download {name}”, or on the page under Models"
            return {"name": backbone.name, "sha256": list(source.accepted_sha256), "hint": hint}
    return {"name": backbone.name, "sha256": [backbone.source_sha256()]}
