"""The training pipeline: a labelled folder and an architecture in, an evaluated checkpoint out.

The held-out fold is evaluated with the exported model, the way people will use it, and with the
weights that training ends with: the fold has no say in when it stops. It does choose the one
temperature that calibrates the probabilities.
"""

from dataclasses import replace
from typing import Any

from audioclf.models import architectures, checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress
from audioclf.training import familiar, holdout
from audioclf.training.config import TrainingConfig
from audioclf.training.run import EpochCallback, Split, export_run, frontend_for, run_training


def train_and_evaluate(
    config: TrainingConfig, on_epoch: EpochCallback, progress: StageProgress
) -> Checkpoint:
    """Train, evaluate and save; an interrupted run of the same configuration is resumed.

    Raises ValueError for a folder, fold, name or architecture that cannot be used.
    """
    checkpoint.check_name(config.name)
    check(config)
    dataset = config.load_dataset()
    folds = set(config.folds or dataset.folds)
    card: dict[str, Any] = {}
    resume_from = None
    if config.holdout_fold is not None:
        evaluated = train_without_folds(config, (config.holdout_fold,), on_epoch, progress)
        card = {key: evaluated.card[key] for key in ("results", "calibration")}
        card["results"][0]["model"] = "trained with the same settings without that fold"
        if config.extra_epochs:
            card["results"][0]["model"] = "this one, before it went on with that fold too"
            config, resume_from = _for_extra_epochs(config, config.extra_epochs), evaluated
    held_out = set(dataset.folds) - folds if config.holdout_fold is None else set()
    validation = dataset.of_folds(held_out) if held_out else None
    split = Split(dataset.of_folds(folds), validation, dataset.classes)
    trained = run_training(config, split, on_epoch, progress, resume_from)
    card["attribution"] = _attribution(config, dataset.attribution)
    saved = export_run(trained, card, config.output_dir / config.name)
    if split.validation:
        evaluation = holdout.evaluate_holdout(saved, split.validation, progress)
        evaluation["results"][0]["model"] = "this one"
        saved = checkpoint.write_card(saved.folder, {**saved.card, **evaluation})
    return familiar.add_statistics(saved, split.train, progress)


def check(config: TrainingConfig) -> None:
    """Raise ValueError for a front end that the architecture cannot take, before any feature."""
    frontend_for(config, architectures.load(config.architecture))


def train_without_folds(
    config: TrainingConfig,
    held_out: tuple[int, ...],
    on_epoch: EpochCallback,
    progress: StageProgress,
) -> Checkpoint:
    """The model trained without these folds, evaluated on them; made once, then cached."""
    dataset = config.load_dataset()
    with_held_out = dataset.of_folds(set(config.folds or dataset.folds) | set(held_out))
    train = with_held_out.of_folds(set(with_held_out.folds) - set(held_out))
    validation = dataset.of_folds(set(held_out))
    holdout.reset_peak_memory()
    split = Split(train, validation, dataset.classes)
    trained = run_training(config, split, on_epoch, progress)
    folder = holdout.run_dir(holdout.run_id(trained.run_key, validation))
    if (folder / checkpoint.CARD).is_file() and checkpoint.read(folder).evaluation:
        return checkpoint.read(folder)
    saved = export_run(trained, {"attribution": dataset.attribution}, folder)
    evaluation = holdout.evaluate_holdout(saved, validation, progress)
    evaluation["results"][0] |= {
        "weights": trained.training["weights"],
        "run_id": folder.name,
        "seconds": round(trained.training["seconds"], 1),
        "peak_mb": holdout.peak_mb(),
        "history": trained.training["history"],
    }
    return checkpoint.write_card(folder, {**saved.card, **evaluation})


def _attribution(config: TrainingConfig, of_dataset: str) -> str:
    """What is cited: by the configuration, by the data set, and by the model started from."""
    base_model = config.base_model
    inherited = str(base_model.card.get("attribution") or "") if base_model else ""
    return " ".join(part for part in (config.attribution, of_dataset, inherited) if part)


def _for_extra_epochs(config: TrainingConfig, n_epochs: int) -> TrainingConfig:
    """The configuration that trains an evaluated model further, at half the learning rate."""
    rate = config.settings.learning_rate / 2
    return replace(config, settings=replace(config.settings, epochs=n_epochs, learning_rate=rate))
