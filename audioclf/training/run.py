"""One training of a lesson: from labelled clips to a network, and what its card tells of it."""

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from audioclf import __version__
from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.export import save
from audioclf.features.config import FrontendConfig, for_feature
from audioclf.models import architectures, checkpoint
from audioclf.models.architectures import Architecture
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths
from audioclf.training import data as training_data
from audioclf.training import fine_tuning, holdout, loop, run_state
from audioclf.training.config import Settings, with_overrides
from audioclf.training.data import TrainingSet
from audioclf.training.holdout import Progress
from audioclf.training.loop import EpochReport
from audioclf.training.validation import Validation, never

Report = Callable[[str, EpochReport], None]  # the stage in words, and its epoch


@dataclass(frozen=True)
class TrainingConfig:
    """What is to be learnt, from what, and under which name."""

    folder: Path
    architecture: str
    name: str
    output_dir: Path
    base_config: FrontendConfig | None = None  # in place of the architecture's own
    feature: str | None = None  # another than that
    recipe: tuple[tuple[str, str], ...] = ()  # other values, such as ("analysis.n_bins", "64")
    folds: tuple[int, ...] = ()  # trained on; none: all
    holdout_fold: int | None = None  # trained without this fold first, to measure on it
    extra_epochs: int | None = None  # of the evaluated model, with the fold too; None: a new one
    base_model: Checkpoint | None = None  # fine-tuned on new classes; no linear probe
    data_name: str | None = None  # the folder's name unless given
    attribution: str = ""  # the data's citation and licence
    settings: Settings = field(default_factory=Settings)
    dataset: Dataset | None = None  # instead of what lies in the folder
    run_dir: Path | None = None  # where the training is kept; in the cache unless given
    validate: bool = False  # every epoch is measured on the held-out folds, if there are any
    should_stop: Callable[[], bool] = never  # asked before every batch
    export_only: bool = False  # nothing more is taught: what was kept is published

    def data(self) -> Dataset:
        """The folder's clips, under their name. Raises ValueError."""
        found = self.dataset or dataset.load(self.folder)
        return replace(found, name=self.data_name or found.name)


class Split(NamedTuple):
    """The clips that are taught, those that are held out, and all classes."""

    train: Dataset
    validation: Dataset | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and what its card needs to know of the training."""

    architecture: Architecture
    model: keras.Model
    data: TrainingSet
    training: dict[str, Any]
    key: str  # of this very training


def run_training(
    config: TrainingConfig,
    split: Split,
    report: Report,
    progress: Progress,
    before: Checkpoint | None = None,
) -> TrainedModel:
    """Train on the split's clips, or go on where that very training stopped.

    `before`: a network of the same classes that goes on. Raises ValueError, and TrainingInterruptedError.
    """
    architecture = architectures.load(config.architecture)
    if config.base_model:  # its new classes exclude each other
        architecture = replace(architecture, multi_label=False)
    recipe = before.recipe if before else recipe_of(config, architecture)
    made, unseen = _sets(config, split, recipe, progress)
    key = _key(config, architecture, split.train, made, before)
    run = config.run_dir or paths.cache_dir() / "runs" / key
    begin = None
    if not run_state.n_epochs_done(run):
        begin = _begin(config, split, before, progress)
    folds = holdout.format_folds(split.train.folds)
    watch = Validation(unseen, config.should_stop)
    if not config.export_only:
        for epoch in loop.fit(architecture, made, config.settings, run, begin, watch):
            report(folds, epoch)
    training = _in_card(config, split.train, run)
    if first := before or config.base_model:
        training["before"] = first.card.get("training")
    if config.base_model:
        training["started_from"] = config.base_model.name
    return TrainedModel(architecture, run_state.load_averaged(run), made, training, key)


def _sets(
    config: TrainingConfig, split: Split, recipe: FrontendConfig, progress: Progress
) -> tuple[TrainingSet, TrainingSet | None]:
    """The clips that are taught, and those that are watched."""

    def count(clips: Iterable[Any]) -> Iterable[Any]:
        return progress("clips", clips)

    waveform_augmentation = config.settings.augmentation.variants
    made = training_data.build_training_set(
        split.train, recipe, split.classes, waveform_augmentation, count
    )
    if not config.validate or split.validation is None:
        return made, None
    return made, training_data.build_training_set(
        split.validation, made.recipe, split.classes, None, count
    )


def _begin(
    config: TrainingConfig, split: Split, before: Checkpoint | None, progress: Progress
) -> keras.Model | None:
    """The network that a training starts from; None for a new one."""
    if before:
        return keras.saving.load_model(before.folder / checkpoint.KERAS)
    if config.base_model:
        return fine_tuning.build_fine_tune_model(
            config.base_model, split.train, split.classes, progress
        )
    return None


def _in_card(config: TrainingConfig, data: Dataset, run: Path) -> dict[str, Any]:
    """What a card tells of the training."""
    folds, n_done = holdout.format_folds(data.folds), run_state.n_epochs_done(run)
    training = {
        "data": f"{data.name}, {folds} ({len(data.clips)} clips)",
        "folds": list(data.folds),
        "n_clips": len(data.clips),
        "settings": asdict(config.settings),
        "weights": "average of the last steps" if config.settings.average else "last step",
        "seconds": round(run_state.seconds(run), 1),
        "date": datetime.date.today().isoformat(),
        "history": run_state.history(run),
        "versions": {
            "audioclf": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
    if n_done < config.settings.epochs:
        training["ended_after"] = n_done
    return training


def recipe_of(config: TrainingConfig, architecture: Architecture) -> FrontendConfig:
    """The architecture's, or one with the feature and deltas that are asked for.

    A network that goes on keeps its own.
    """
    if config.base_model:
        return config.base_model.recipe
    recipe = config.base_config or architecture.recipe
    if config.feature and config.feature != recipe.feature:
        recipe = for_feature(config.feature, recipe)
    recipe = with_overrides(recipe, dict(config.recipe))
    architecture.check(recipe.input_shape)
    return recipe


def _key(
    config: TrainingConfig,
    architecture: Architecture,
    data: Dataset,
    made: TrainingSet,
    before: Checkpoint | None,
) -> str:
    """A name that only this very training has: same layers, clips, recipe, settings and start."""
    keras.utils.clear_session()  # names of layers count from one again
    layers = architecture.build(made.input_shape, len(made.classes)).get_config()
    clips = [(clip.path.name, clip.label, clip.fold) for clip in data.clips]
    first = before or config.base_model
    start = first.weights_sha256 if first else None
    parts = [layers, clips, made.recipe.to_dict(), asdict(config.settings), start]
    digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
    return f"{architecture.name}-{digest[:16]}"


def export_run(taught: TrainedModel, found: dict[str, Any], folder: Path) -> Checkpoint:
    """The checkpoint of a trained network, with these further parts of its card."""
    card = {
        **save.build_card(
            taught.architecture, taught.data.recipe, taught.data.classes, taught.model
        ),
        "training": taught.training,
        "results": [],
        "licence": "Apache-2.0",
        **found,
    }
    return save.save_checkpoint(
        taught.model, card, folder, taught.data.sample_input(), taught.architecture.max_bytes
    )
