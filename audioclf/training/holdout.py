"""Held-out evaluation: a model trained without some folds, evaluated on them.

Each is a checkpoint in the cache with its result, so it is trained once: for the card of the model
that ships, for cross-validation and for the ensembles that it joins.
"""

import hashlib
import re
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioclf.datasets.dataset import Dataset
from audioclf.inference.evaluation import DatasetPredictions, evaluate_predictions, predict_dataset
from audioclf.models import checkpoint
from audioclf.models.checkpoint import CARD, Checkpoint
from audioclf.progress import StageProgress
from audioclf.storage import paths

STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def run_dir(run_id: str) -> Path:
    """The folder of the evaluated model of that run, whether it exists or not."""
    return paths.cache_dir() / "measured" / run_id


def run_id(training: str, held_out: Dataset) -> str:
    """The id of a training evaluated on these clips; other clips or another name, another id."""
    return f"{training}-{hashlib.sha256(describe_holdout(held_out).encode()).hexdigest()[:8]}"


def load_run(run_id: str) -> Checkpoint:
    """The evaluated model of a run. Raises ValueError where it is not in the cache any more."""
    if not (run_dir(run_id) / CARD).is_file():
        raise ValueError(
            "The model that was trained without the held-out fold is not in the cache any more: "
            "train it again with --holdout-fold."
        )
    return checkpoint.read(run_dir(run_id))


def evaluate_holdout(
    model: Checkpoint, held_out: Dataset, progress: StageProgress
) -> dict[str, Any]:
    """The result on held-out clips and the temperature fitted on them, for the model's card."""
    predictions = predict_dataset(model, held_out, lambda clips: progress("held-out clips", clips))
    temperature = None if model.is_multi_label else calibration(predictions, held_out)
    card = {**model.card, "calibration": temperature}
    return {
        "results": [result(predictions, replace(model, card=card), held_out)],
        "calibration": card["calibration"],
    }


def calibration(predictions: DatasetPredictions, held_out: Dataset) -> dict[str, Any] | None:
    """The temperature and what it was fitted on; None where there are too few clips."""
    temperature = predictions.temperature()
    if temperature is None:
        return None
    return {
        "temperature": temperature,
        "fitted_on": describe_holdout(held_out),
        "clips_sha256": predictions.key,
    }


def result(predictions: DatasetPredictions, model: Checkpoint, held_out: Dataset) -> dict[str, Any]:
    """One entry of a card's results."""
    return {
        "data": describe_holdout(held_out),
        **evaluate_predictions(predictions, model).to_dict(),
    }


def describe_holdout(held_out: Dataset) -> str:
    """The held-out clips in words, as cards name them."""
    return f"{held_out.name}, {format_folds(held_out.folds)} held out"


def format_folds(folds: tuple[int, ...]) -> str:
    """“fold 4”, “folds 1 to 3”."""
    return f"fold{'s' if len(folds) > 1 else ''} {format_fold_numbers(folds)}"


def format_fold_numbers(folds: tuple[int, ...]) -> str:
    """Folds in words: “1 to 3”, “2, 4”."""
    consecutive = len(folds) > 2 and folds[-1] - folds[0] == len(folds) - 1
    return f"{folds[0]} to {folds[-1]}" if consecutive else ", ".join(map(str, folds))


def reset_peak_memory() -> None:
    """Count the process' peak memory from here on, where the system can."""
    if RESET_PEAK.exists():
        RESET_PEAK.write_text("5")


def peak_mb() -> float:
    """The process' peak memory in MB, since `reset_peak_memory` where the system can."""
    if STATUS.is_file() and (match := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return round(int(match[1]) / 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3))
