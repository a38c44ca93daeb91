"""A lesson: a labelled folder and an architecture in, a measured checkpoint out.

The held-out fold is measured with the exported network, the way people will use it, and with the
weights that training ends with: the fold has no say in when it stops. It does choose the one
temperature that calibrates the probabilities.
"""

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from audioclf import (
    __version__,
    architectures,
    checkpoint,
    dataset,
    feature_cache,
    measure,
    publish,
    train,
    training_set,
)
from audioclf.architectures import Architecture
from audioclf.checkpoint import Checkpoint
from audioclf.dataset import Dataset
from audioclf.measure import Progress
from audioclf.recipe import Recipe, for_feature
from audioclf.settings import Settings, changed
from audioclf.train import EpochReport, Weights
from audioclf.training_set import TrainingSet

Report = Callable[[str, EpochReport], None]  # the stage in words, and its epoch


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt, from what, and under which name."""

    folder: Path
    architecture: str
    name: str
    out: Path
    feature: str | None = None  # another than the architecture's own
    recipe: tuple[tuple[str, str], ...] = ()  # other values, such as ("analysis.n_bins", "64")
    folds: tuple[int, ...] = ()  # trained on; none: all
    measure: int | None = None  # trained without this fold first, to measure on it
    further: int | None = None  # epochs by which the measured network goes on; none: a new training
    data_name: str | None = None  # the folder's name unless given
    credit: str = ""  # the data's citation and licence
    settings: Settings = field(default_factory=Settings)

    def data(self) -> Dataset:
        """The folder's clips, under their name. Raises ValueError."""
        found = dataset.load(self.folder)
        return replace(found, name=self.data_name or found.name)


@dataclass(frozen=True)
class _Taught:
    """A trained network and what its card needs to know of the training."""

    architecture: Architecture
    model: keras.Model
    data: TrainingSet
    training: dict[str, Any]
    key: str  # of this very training


def teach(lesson: Lesson, report: Report, progress: Progress) -> Checkpoint:
    """Train, measure and publish; goes on where an ended run of the same lesson stopped.

    Raises ValueError for a folder, fold, name or architecture that cannot be used.
    """
    checkpoint.check_name(lesson.name)
    check(lesson)
    whole = lesson.data()
    folds = set(lesson.folds or whole.folds)
    chosen = whole.of_folds(folds)
    credit = " ".join(part for part in (lesson.credit, whole.attribution) if part)
    found: dict[str, Any] = {}
    before = None
    if lesson.measure is not None:
        made = measured_without(lesson, (lesson.measure,), report, progress)
        found = {key: made.card[key] for key in ("results", "calibration")}
        found["results"][0]["network"] = "trained with the same settings without that fold"
        if lesson.further:
            found["results"][0]["network"] = "this one, before it went on with that fold too"
            lesson, before = _going_on(lesson, lesson.further), made
    taught = _learn(lesson, chosen, whole.classes, report, progress, before)
    made = _published(taught, {**found, "attribution": credit}, lesson.out / lesson.name)
    if lesson.measure is None and (unseen := set(whole.folds) - folds):
        found = measure.measured(made, whole.of_folds(unseen), progress)
        found["results"][0]["network"] = "this one"
        made = checkpoint.write_card(made.folder, {**made.card, **found})
    return made


def check(lesson: Lesson) -> None:
    """Raise ValueError for what cannot be heard, before features are computed."""
    _recipe(lesson, architectures.load(lesson.architecture))


def measured_without(
    lesson: Lesson, held_out: tuple[int, ...], report: Report, progress: Progress
) -> Checkpoint:
    """The network trained without these folds, with its result on them; made once, and kept."""
    whole = lesson.data()
    chosen = whole.of_folds(set(lesson.folds or whole.folds) | set(held_out))
    rest, unseen = chosen.of_folds(set(chosen.folds) - set(held_out)), whole.of_folds(set(held_out))
    measure.forget_peak()
    taught = _learn(lesson, rest, whole.classes, report, progress)
    folder = measure.kept(measure.key(taught.key, unseen))
    if (folder / checkpoint.CARD).is_file() and checkpoint.read(folder).measured:
        return checkpoint.read(folder)
    made = _published(taught, {"attribution": whole.attribution}, folder)
    found = measure.measured(made, unseen, progress)
    found["results"][0] |= {
        "weights": taught.training["weights"],
        "kept_as": folder.name,
        "seconds": round(taught.training["seconds"], 1),
        "peak_mb": measure.peak_mb(),
        "history": taught.training["history"],
    }
    return checkpoint.write_card(folder, {**made.card, **found})


def _going_on(lesson: Lesson, n_epochs: int) -> Lesson:
    """The lesson that goes on from a measured network: so many epochs, at half the rate."""
    rate = lesson.settings.learning_rate / 2
    return replace(lesson, settings=replace(lesson.settings, epochs=n_epochs, learning_rate=rate))


def _recipe(lesson: Lesson, architecture: Architecture) -> Recipe:
    """The architecture's, or one with the feature and deltas that are asked for."""
    recipe = architecture.recipe
    if lesson.feature and lesson.feature != recipe.feature:
        recipe = for_feature(lesson.feature, recipe)
    recipe = changed(recipe, dict(lesson.recipe))
    architecture.check(recipe.input_shape)
    return recipe


def _learn(
    lesson: Lesson,
    data: Dataset,
    classes: tuple[str, ...],
    report: Report,
    progress: Progress,
    before: Checkpoint | None = None,
) -> _Taught:
    architecture = architectures.load(lesson.architecture)
    recipe = before.recipe if before else _recipe(lesson, architecture)
    made = training_set.training_set(
        data,
        recipe,
        classes,
        lesson.settings.augmentation.variants,
        lambda clips: progress("clips", clips),
    )
    key = _key(lesson, architecture, data, made, before)
    run = feature_cache.home() / "runs" / key
    folds = measure.in_words(data.folds)
    for epoch in train.fit(architecture, made, lesson.settings, run, _weights(before)):
        report(folds, epoch)
    training = {
        "data": f"{data.name}, {folds} ({len(data.clips)} clips)",
        "folds": list(data.folds),
        "n_clips": len(data.clips),
        "settings": asdict(lesson.settings),
        "weights": "average of the last steps" if lesson.settings.average else "last step",
        "seconds": round(train.seconds(run), 1),
        "date": datetime.date.today().isoformat(),
        "history": train.history(run),
        "versions": {
            "audioclf": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
    if before:
        training["before"] = before.card["training"]
    return _Taught(architecture, train.trained(run), made, training, key)


def _weights(before: Checkpoint | None) -> Weights | None:
    if before is None:
        return None
    weights: Weights = keras.saving.load_model(before.folder / checkpoint.KERAS).get_weights()
    return weights


def _key(
    lesson: Lesson,
    architecture: Architecture,
    data: Dataset,
    made: TrainingSet,
    before: Checkpoint | None,
) -> str:
    """A name that only this very training has: same layers, clips, recipe, settings and start."""
    keras.utils.clear_session()  # names of layers count from one again
    layers = architecture.build(made.input_shape, len(made.classes)).get_config()
    clips = [(clip.path.name, clip.label, clip.fold) for clip in data.clips]
    start = before.stamp if before else None
    parts = [layers, clips, made.recipe.to_dict(), asdict(lesson.settings), start]
    digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
    return f"{architecture.name}-{digest[:16]}"


def _published(taught: _Taught, found: dict[str, Any], folder: Path) -> Checkpoint:
    card = {
        **publish.describe(
            taught.architecture, taught.data.recipe, taught.data.classes, taught.model
        ),
        "training": taught.training,
        "results": [],
        "licence": "Apache-2.0",
        **found,
    }
    return publish.publish(
        taught.model, card, folder, taught.data.real_input(), taught.architecture.max_bytes
    )
