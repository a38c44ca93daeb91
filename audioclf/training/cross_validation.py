"""Cross-validation: a training per fold, each measured on the fold that it never saw.

Folds that are done are found in the cache, so an ended run goes on with the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audioclf.models.checkpoint import Checkpoint
from audioclf.training import ensemble, pipeline
from audioclf.training.holdout import Progress
from audioclf.training.pipeline import Report, TrainingConfig

MEASURES = ("accuracy", "macro_f1", "ece", "nll")


@dataclass(frozen=True)
class Row:
    """One line of the table: a network, or several together, on one fold or on all."""

    network: str
    fold: str
    measures: dict[str, float]
    deviations: dict[str, float] | None = None  # over the folds, of the line of means
    seconds: float | None = None
    peak_mb: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        found: dict[str, Any] = {"network": self.network, "fold": self.fold}
        for name, value in self.measures.items():
            found[name] = round(value, 4)
            found[f"{name}_sd"] = round(self.deviations[name], 4) if self.deviations else None
        return {**found, "seconds": self.seconds, "peak_mb": self.peak_mb}


def cross_validate(
    lessons: Sequence[TrainingConfig], report: Report, progress: Progress
) -> Iterator[Row]:
    """A line per fold and network as it is done, then their means; several also vote together.

    Deviations are those of a sample (n - 1). Raises ValueError.
    """
    data = lessons[0].data()
    folds = tuple(sorted(lessons[0].folds or data.folds))
    if len(folds) < 2:
        raise ValueError("Cross-validation needs two folds or more: name more, or none for all.")
    for one in lessons:
        pipeline.check(one)
    made: dict[str, list[Checkpoint]] = {one.name: [] for one in lessons}
    for one in lessons:
        for fold in folds:
            found = pipeline.train_without_folds(one, (fold,), report, progress)
            made[one.name].append(found)
            yield _row(one.name, str(fold), (found.evaluation or {}))
        yield _mean(one.name, [network.evaluation or {} for network in made[one.name]])
    if len(lessons) > 1:
        name = " + ".join(made)
        results = []
        for number, fold in enumerate(folds):
            members = [networks[number] for networks in made.values()]
            results.append(ensemble.evaluate_ensemble(members, data.of_folds({fold}), progress))
            yield _row(name, str(fold), results[-1])
        yield _mean(name, results)


def _row(name: str, fold: str, result: dict[str, Any]) -> Row:
    measures = {measure: result[measure] for measure in MEASURES}
    return Row(name, fold, measures, None, result.get("seconds"), result.get("peak_mb"))


def _mean(name: str, results: list[dict[str, Any]]) -> Row:
    table = {measure: [one[measure] for one in results] for measure in MEASURES}
    seconds = [one["seconds"] for one in results if "seconds" in one]
    return Row(
        name,
        "mean",
        {measure: float(np.mean(values)) for measure, values in table.items()},
        {measure: float(np.std(values, ddof=1)) for measure, values in table.items()},
        round(float(np.mean(seconds)), 1) if seconds else None,
        max((one["peak_mb"] for one in results if "peak_mb" in one), default=None),
    )
