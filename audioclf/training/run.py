"""One training run: a split of a data set in, a trained model and its card's training part out.

The epochs are saved in the run's folder, whose name follows from all that the result depends on:
the same run started again goes on from its last saved epoch.
"""

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from audioclf import __version__
from audioclf.datasets.dataset import Dataset
from audioclf.export import save
from audioclf.features.config import FrontendConfig, for_feature
from audioclf.models import architectures, checkpoint
from audioclf.models.architectures import Architecture
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress
from audioclf.storage import paths
from audioclf.training import data as training_data
from audioclf.training import fine_tuning, holdout, loop, run_state
from audioclf.training.config import TrainingConfig, with_overrides
from audioclf.training.data import TrainingSet
from audioclf.training.loop import EpochReport
from audioclf.training.validation import Validation

EpochCallback = Callable[[str, EpochReport], None]  # the training folds in words, and an epoch


class Split(NamedTuple):
    """The clips that are trained on, those that are held out, and all classes."""

    train: Dataset
    validation: Dataset | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and what its card needs to know of the training."""

    architecture: Architecture
    model: keras.Model
    data: TrainingSet
    training: dict[str, Any]
    run_key: str  # of this very training


def run_training(
    config: TrainingConfig,
    split: Split,
    on_epoch: EpochCallback,
    progress: StageProgress,
    resume_from: Checkpoint | None = None,
) -> TrainedModel:
    """Train on the split's clips, or go on from the last saved epoch of that very run.

    `resume_from`: a model of the same classes that is trained further. Raises ValueError and
    TrainingInterruptedError.
    """
    architecture = architectures.load(config.architecture)
    if config.base_model:  # its new classes exclude each other
        architecture = replace(architecture, multi_label=False)
    frontend = resume_from.frontend if resume_from else frontend_for(config, architecture)
    train_set, validation_set = _training_sets(config, split, frontend, progress)
    key = _run_key(config, architecture, split.train, train_set, resume_from)
    run_dir = config.run_dir or paths.cache_dir() / "runs" / key
    initial_model = None
    if not run_state.n_epochs_done(run_dir):
        initial_model = _initial_model(config, split, resume_from, progress)
    folds = holdout.format_folds(split.train.folds)
    validation = Validation(validation_set, config.should_stop)
    if not config.export_only:
        for report in loop.fit(
            architecture, train_set, config.settings, run_dir, initial_model, validation
        ):
            on_epoch(folds, report)
    training = _training_card(config, split.train, run_dir)
    if predecessor := resume_from or config.base_model:
        training["previous"] = predecessor.card.get("training")
    if config.base_model:
        training["base_model"] = config.base_model.name
    model = run_state.load_averaged(run_dir)
    return TrainedModel(architecture, model, train_set, training, key)


def frontend_for(config: TrainingConfig, architecture: Architecture) -> FrontendConfig:
    """The architecture's front end, or one with the feature and values of the configuration.

    A model that is fine-tuned keeps its own.
    """
    if config.base_model:
        return config.base_model.frontend
    frontend = config.base_config or architecture.frontend
    if config.feature and config.feature != frontend.feature:
        frontend = for_feature(config.feature, frontend)
    frontend = with_overrides(frontend, dict(config.frontend_overrides))
    architecture.check(frontend.input_shape)
    return frontend


def export_run(trained: TrainedModel, evaluation: dict[str, Any], folder: Path) -> Checkpoint:
    """The checkpoint of a trained model; `evaluation`: further parts of its card."""
    architecture, data = trained.architecture, trained.data
    card = {
        **save.build_card(architecture, data.frontend, data.classes, trained.model),
        "training": trained.training,
        "results": [],
        "licence": "Apache-2.0",
        **evaluation,
    }
    return save.save_checkpoint(
        trained.model, card, folder, data.sample_input(), architecture.max_bytes
    )


def _training_sets(
    config: TrainingConfig, split: Split, frontend: FrontendConfig, progress: StageProgress
) -> tuple[TrainingSet, TrainingSet | None]:
    """The features of the clips to train on, and of those to validate on."""

    def count(clips: Iterable[Any]) -> Iterable[Any]:
        return progress("clips", clips)

    copies = config.settings.augmentation.waveform
    train_set = training_data.build_training_set(
        split.train, frontend, split.classes, copies, count
    )
    if not config.validate or split.validation is None:
        return train_set, None
    return train_set, training_data.build_training_set(
        split.validation, train_set.frontend, split.classes, None, count
    )


def _initial_model(
    config: TrainingConfig,
    split: Split,
    resume_from: Checkpoint | None,
    progress: StageProgress,
) -> keras.Model | None:
    """The model that a training starts from; None for a new one."""
    if resume_from:
        return keras.saving.load_model(resume_from.folder / checkpoint.KERAS)
    if config.base_model:
        return fine_tuning.build_fine_tune_model(
            config.base_model, split.train, split.classes, progress
        )
    return None


def _training_card(config: TrainingConfig, data: Dataset, run_dir: Path) -> dict[str, Any]:
    """The training part of the card."""
    folds, n_done = holdout.format_folds(data.folds), run_state.n_epochs_done(run_dir)
    training = {
        "data": f"{data.name}, {folds} ({len(data.clips)} clips)",
        "folds": list(data.folds),
        "n_clips": len(data.clips),
        "hyperparameters": asdict(config.settings),
        "weights": "average of the last steps" if config.settings.ema_decay else "last step",
        "seconds": round(run_state.seconds(run_dir), 1),
        "date": datetime.date.today().isoformat(),
        "history": run_state.history(run_dir),
        "versions": {
            "audioclf": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
    if n_done < config.settings.epochs:
        training["stopped_epoch"] = n_done
    return training


def _run_key(
    config: TrainingConfig,
    architecture: Architecture,
    data: Dataset,
    train_set: TrainingSet,
    resume_from: Checkpoint | None,
) -> str:
    """A name that follows from layers, clips, front end, settings and the first weights."""
    keras.utils.clear_session()  # names of layers count from one again
    layers = architecture.build(train_set.input_shape, len(train_set.classes)).get_config()
    clips = [(clip.path.name, clip.label, clip.fold) for clip in data.clips]
    predecessor = resume_from or config.base_model
    first_weights = predecessor.weights_sha256() if predecessor else None
    parts = [layers, clips, train_set.frontend.to_dict(), asdict(config.settings), first_weights]
    digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
    return f"{architecture.name}-{digest[:16]}"
