"""A lesson: a labelled folder and an architecture in, a measured checkpoint out.

The held-out fold is measured with the exported network, the way people will use it, and with the
last epoch's weights: the fold has no say in when training stops.
"""

import datetime
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from audioclf import __version__, architectures, checkpoint, dataset, feature_cache, publish, train
from audioclf.architectures import Architecture
from audioclf.checkpoint import Checkpoint
from audioclf.dataset import Dataset
from audioclf.evaluate import evaluate
from audioclf.recipe import Recipe, for_feature
from audioclf.train import EpochReport, Settings

Report = Callable[[str, EpochReport], None]  # the stage in words, and its epoch
Progress = Callable[[str, Iterable[Any]], Iterable[Any]]  # what is counted, and the things


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt, from what, and under which name."""

    folder: Path
    architecture: str
    name: str
    out: Path
    feature: str | None = None  # another than the architecture's own
    deltas: int | None = None  # other than the architecture's own
    folds: tuple[int, ...] = ()  # trained on; none: all
    measure: int | None = None  # trained without this fold first, to measure on it
    data_name: str | None = None  # the folder's name unless given
    credit: str = ""  # the data's citation and licence
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class _Taught:
    """A trained network and what its card needs to know of the training."""

    model: keras.Model
    data: train.TrainingSet
    training: dict[str, Any]


def teach(lesson: Lesson, report: Report, progress: Progress) -> Checkpoint:
    """Train, measure and publish; goes on where an ended run of the same lesson stopped.

    Raises ValueError for a folder, fold, name or architecture that cannot be used.
    """
    checkpoint.check_name(lesson.name)
    architecture = architectures.load(lesson.architecture)
    _recipe(lesson, architecture)  # what cannot be heard is said before features are computed
    whole = dataset.load(lesson.folder)
    whole = replace(whole, name=lesson.data_name or whole.name)
    folds = set(lesson.folds or whole.folds)
    chosen = whole.of_folds(folds)
    results = []
    if lesson.measure is not None:
        held_out = chosen.of_folds({lesson.measure})
        rest = chosen.of_folds(folds - {lesson.measure})
        taught = _learn(lesson, architecture, rest, whole.classes, report, progress)
        results = [_measure(lesson, architecture, taught, held_out, progress)]
        results[0]["network"] = "trained with the same settings without that fold"
    taught = _learn(lesson, architecture, chosen, whole.classes, report, progress)
    if lesson.measure is None and (unseen := set(whole.folds) - folds):
        held_out = whole.of_folds(unseen)
        results = [_measure(lesson, architecture, taught, held_out, progress)]
        results[0]["network"] = "this one"
    return _publish(lesson, architecture, taught, whole.attribution, results, lesson.out)


def _recipe(lesson: Lesson, architecture: Architecture) -> Recipe:
    """The architecture's, or one with the feature and deltas that are asked for."""
    recipe = architecture.recipe
    if lesson.feature and lesson.feature != recipe.feature:
        recipe = for_feature(lesson.feature, recipe)
    if lesson.deltas is not None:
        recipe = replace(recipe, deltas=lesson.deltas)
    architecture.check(recipe.input_shape)
    return recipe


def _learn(
    lesson: Lesson,
    architecture: Architecture,
    data: Dataset,
    classes: tuple[str, ...],
    report: Report,
    progress: Progress,
) -> _Taught:
    recipe = _recipe(lesson, architecture)
    made = train.training_set(data, recipe, classes, lambda clips: progress("clips", clips))
    run = _run_folder(lesson, architecture, data, made)
    folds = f"fold{'s' if len(data.folds) > 1 else ''} {_listed(data.folds)}"
    started, done_before = time.monotonic(), train.n_epochs_done(run)
    for epoch in train.fit(architecture, made, lesson.settings, run):
        report(folds, epoch)
    training = {
        "data": f"{data.name}, {folds} ({len(data.clips)} clips)",
        "folds": list(data.folds),
        "n_clips": len(data.clips),
        "settings": asdict(lesson.settings),
        "weights": "last epoch",
        "minutes": round((time.monotonic() - started) / 60, 1) if not done_before else None,
        "date": datetime.date.today().isoformat(),
        "versions": {
            "audioclf": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
    return _Taught(train.trained(run), made, training)


def _listed(folds: tuple[int, ...]) -> str:
    consecutive = len(folds) > 2 and folds[-1] - folds[0] == len(folds) - 1
    return f"{folds[0]} to {folds[-1]}" if consecutive else ", ".join(map(str, folds))


def _run_folder(
    lesson: Lesson, architecture: Architecture, data: Dataset, made: train.TrainingSet
) -> Path:
    """A folder that only this very training uses: same layers, clips, recipe and settings."""
    keras.utils.clear_session()  # names of layers count from one again
    layers = architecture.build(made.input_shape, len(made.classes)).get_config()
    clips = [(clip.path.name, clip.label, clip.fold) for clip in data.clips]
    parts = [layers, clips, made.recipe.to_dict(), asdict(lesson.settings)]
    digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
    return feature_cache.home() / "runs" / f"{architecture.name}-{digest[:16]}"


def _measure(
    lesson: Lesson,
    architecture: Architecture,
    taught: _Taught,
    held_out: Dataset,
    progress: Progress,
) -> dict[str, Any]:
    """The exported network's results on clips that it never saw."""
    with tempfile.TemporaryDirectory() as folder:
        made = _publish(lesson, architecture, taught, "", [], Path(folder))
        found = evaluate(made, held_out, lambda clips: progress("held-out clips", clips))
    folds = _listed(held_out.folds)
    result = {"data": f"{held_out.name}, fold {folds} held out", **found.to_dict()}
    return {**result, "weights": "last epoch"}


def _publish(
    lesson: Lesson,
    architecture: Architecture,
    taught: _Taught,
    attribution: str,
    results: list[dict[str, Any]],
    out: Path,
) -> Checkpoint:
    data = taught.data
    card = {
        **publish.describe(architecture, data.recipe, data.classes, taught.model),
        "training": taught.training,
        "results": results,
        "attribution": " ".join(part for part in (lesson.credit, attribution) if part),
        "licence": "Apache-2.0",
    }
    return publish.publish(taught.model, card, out / lesson.name, data.real_input())
