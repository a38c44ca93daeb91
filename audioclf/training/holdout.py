"""Measured trainings: a network trained without some folds, and what it makes of them.

Each is kept in the cache as a checkpoint with its result, so it is made once: for the card of what
ships, for cross-validation and for the ensembles that it joins.
"""

import hashlib
import re
import resource
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioclf.datasets.dataset import Dataset
from audioclf.inference.evaluation import Heard, hear, judge
from audioclf.models import checkpoint
from audioclf.models.checkpoint import CARD, Checkpoint
from audioclf.storage import paths

Progress = Callable[[str, Iterable[Any]], Iterable[Any]]  # what is counted, and the things
STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def run_dir(run_id: str) -> Path:
    """Where the measured network of that name lies, or would."""
    return paths.cache_dir() / "measured" / run_id


def run_id(training: str, held_out: Dataset) -> str:
    """A name for what that training was measured on: other clips, or other words, another name."""
    return f"{training}-{hashlib.sha256(where(held_out).encode()).hexdigest()[:8]}"


def load_run(run_id: str) -> Checkpoint:
    """The measured network of a training. Raises ValueError where it is not kept any more."""
    if not (run_dir(run_id) / CARD).is_file():
        raise ValueError(
            "The network that was measured without the held-out fold is not in the cache any more: "
            "train it again with --holdout-fold."
        )
    return checkpoint.read(run_dir(run_id))


def evaluate_holdout(network: Checkpoint, held_out: Dataset, progress: Progress) -> dict[str, Any]:
    """The result on clips that it never saw, and the temperature learnt there, for its card."""
    heard = hear(network, held_out, lambda clips: progress("held-out clips", clips))
    learnt = None if network.is_multi_label else calibration(heard, held_out)
    card = {**network.card, "calibration": learnt}
    return {
        "results": [result(heard, replace(network, card=card), held_out)],
        "calibration": card["calibration"],
    }


def calibration(heard: Heard, held_out: Dataset) -> dict[str, Any] | None:
    """The temperature and where it is from; None where there are too few clips to learn one."""
    temperature = heard.temperature()
    if temperature is None:
        return None
    return {"temperature": temperature, "learnt_on": where(held_out), "clips": heard.key}


def result(heard: Heard, network: Checkpoint, held_out: Dataset) -> dict[str, Any]:
    """What stands in a card's results."""
    return {"data": where(held_out), **judge(heard, network).to_dict()}


def where(held_out: Dataset) -> str:
    """The held-out clips in words."""
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
    if STATUS.is_file() and (found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return round(int(found[1]) / 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3))
