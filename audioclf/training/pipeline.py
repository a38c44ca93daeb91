"""A lesson: a labelled folder and an architecture in, a measured checkpoint out.

The held-out fold is measured with the exported network, the way people will use it, and with the
weights that training ends with: the fold has no say in when it stops. It does choose the one
temperature that calibrates the probabilities.
"""

from dataclasses import replace
from typing import Any

from audioclf.models import architectures, checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import holdout
from audioclf.training.holdout import Progress
from audioclf.training.run import Report, Split, TrainingConfig, export_run, recipe_of, run_training

__all__ = ["TrainingConfig", "Report", "check", "train_without_folds", "train_and_evaluate"]


def train_and_evaluate(config: TrainingConfig, report: Report, progress: Progress) -> Checkpoint:
    """Train, measure and publish; goes on where an ended run of the same config stopped.

    Raises ValueError for a folder, fold, name or architecture that cannot be used.
    """
    checkpoint.check_name(config.name)
    check(config)
    whole = config.data()
    folds = set(config.folds or whole.folds)
    chosen = whole.of_folds(folds)
    earlier = str(config.base_model.card.get("attribution") or "") if config.base_model else ""
    credit = " ".join(part for part in (config.attribution, whole.attribution, earlier) if part)
    found: dict[str, Any] = {}
    before = None
    if config.holdout_fold is not None:
        made = train_without_folds(config, (config.holdout_fold,), report, progress)
        found = {key: made.card[key] for key in ("results", "calibration")}
        found["results"][0]["network"] = "trained with the same settings without that fold"
        if config.extra_epochs:
            found["results"][0]["network"] = "this one, before it went on with that fold too"
            config, before = _going_on(config, config.extra_epochs), made
    unseen = set(whole.folds) - folds if config.holdout_fold is None else set()
    split = Split(chosen, whole.of_folds(unseen) if unseen else None, whole.classes)
    taught = run_training(config, split, report, progress, before)
    made = export_run(taught, {**found, "attribution": credit}, config.output_dir / config.name)
    if split.validation:
        found = holdout.evaluate_holdout(made, split.validation, progress)
        found["results"][0]["network"] = "this one"
        made = checkpoint.write_card(made.folder, {**made.card, **found})
    return made


def check(config: TrainingConfig) -> None:
    """Raise ValueError for what cannot be heard, before features are computed."""
    recipe_of(config, architectures.load(config.architecture))


def train_without_folds(
    config: TrainingConfig, held_out: tuple[int, ...], report: Report, progress: Progress
) -> Checkpoint:
    """The network trained without these folds, with its result on them; made once, and kept."""
    whole = config.data()
    chosen = whole.of_folds(set(config.folds or whole.folds) | set(held_out))
    rest, unseen = chosen.of_folds(set(chosen.folds) - set(held_out)), whole.of_folds(set(held_out))
    holdout.reset_peak_memory()
    taught = run_training(config, Split(rest, unseen, whole.classes), report, progress)
    folder = holdout.run_dir(holdout.run_id(taught.key, unseen))
    if (folder / checkpoint.CARD).is_file() and checkpoint.read(folder).evaluation:
        return checkpoint.read(folder)
    made = export_run(taught, {"attribution": whole.attribution}, folder)
    found = holdout.evaluate_holdout(made, unseen, progress)
    found["results"][0] |= {
        "weights": taught.training["weights"],
        "kept_as": folder.name,
        "seconds": round(taught.training["seconds"], 1),
        "peak_mb": holdout.peak_mb(),
        "history": taught.training["history"],
    }
    return checkpoint.write_card(folder, {**made.card, **found})


def _going_on(config: TrainingConfig, n_epochs: int) -> TrainingConfig:
    """The config that goes on from a measured network: so many epochs, at half the rate."""
    rate = config.settings.learning_rate / 2
    return replace(config, settings=replace(config.settings, epochs=n_epochs, learning_rate=rate))
