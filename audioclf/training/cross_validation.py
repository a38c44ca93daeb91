"""Cross-validation: a training per fold, each evaluated on the fold that was held out.

Folds that are done are read from the cache, so an interrupted run goes on with the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress
from audioclf.training import ensemble, pipeline
from audioclf.training.config import TrainingConfig
from audioclf.training.run import EpochCallback

METRICS = ("accuracy", "macro_f1", "ece", "nll")


@dataclass(frozen=True)
class Row:
    """One line of the table: a model, or an ensemble of all, on one fold or the mean of all."""

    model: str
    fold: str
    metrics: dict[str, float]
    deviations: dict[str, float] | None = None  # over the folds, of the line of means
    seconds: float | None = None
    peak_mb: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        values: dict[str, Any] = {"network": self.model, "fold": self.fold}
        for name, value in self.metrics.items():
            values[name] = round(value, 4)
            values[f"{name}_sd"] = round(self.deviations[name], 4) if self.deviations else None
        return {**values, "seconds": self.seconds, "peak_mb": self.peak_mb}


def cross_validate(
    configs: Sequence[TrainingConfig], on_epoch: EpochCallback, progress: StageProgress
) -> Iterator[Row]:
    """A line per fold and model as it is done, then their means; several models form an ensemble.

    Deviations are those of a sample (n - 1). Raises ValueError.
    """
    data = configs[0].load_dataset()
    folds = tuple(sorted(configs[0].folds or data.folds))
    if len(folds) < 2:
        raise ValueError("Cross-validation needs two folds or more: name more, or none for all.")
    for config in configs:
        pipeline.check(config)
    models: dict[str, list[Checkpoint]] = {config.name: [] for config in configs}
    for config in configs:
        for fold in folds:
            model = pipeline.train_without_folds(config, (fold,), on_epoch, progress)
            models[config.name].append(model)
            yield _row(config.name, str(fold), (model.evaluation or {}))
        yield _mean(config.name, [model.evaluation or {} for model in models[config.name]])
    if len(configs) > 1:
        name = " + ".join(models)
        results = []
        for number, fold in enumerate(folds):
            members = [of_folds[number] for of_folds in models.values()]
            results.append(ensemble.evaluate_ensemble(members, data.of_folds({fold}), progress))
            yield _row(name, str(fold), results[-1])
        yield _mean(name, results)


def _row(name: str, fold: str, result: dict[str, Any]) -> Row:
    metrics = {metric: result[metric] for metric in METRICS}
    return Row(name, fold, metrics, None, result.get("seconds"), result.get("peak_mb"))


def _mean(name: str, results: list[dict[str, Any]]) -> Row:
    table = {metric: [result[metric] for result in results] for metric in METRICS}
    seconds = [result["seconds"] for result in results if "seconds" in result]
    return Row(
        name,
        "mean",
        {metric: float(np.mean(values)) for metric, values in table.items()},
        {metric: float(np.std(values, ddof=1)) for metric, values in table.items()},
        round(float(np.mean(seconds)), 1) if seconds else None,
        max((result["peak_mb"] for result in results if "peak_mb" in result), default=None),
    )
