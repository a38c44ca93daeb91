"""How long a training will take on this machine, before it starts: measured, not promised.

A linear probe costs one prediction of every clip, as fast as the model is here. A training costs
what the same architecture needed per clip and epoch when a network that is here was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from audioclf.jobs.records import TrainingMode
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.models import latency

HEAD_START_S, START_S = 2.0, 12.0  # a process, its libraries; exporting and comparing
FILE_S, SOUND_SHARE = 0.005, 0.003  # per clip, and per second of sound: decoded, as features
VARIANTS = 3
USUAL_MS_PER_M = 0.2  # of training, per million multiply-adds; where no card knows better


@dataclass(frozen=True)
class Work:
    """What is to be done."""

    kind: str
    model: Checkpoint | None  # where it starts; one of the architecture, from scratch
    n_clips: int
    seconds: float  # of sound
    epochs: int


def seconds(work: Work) -> float:
    """About how many seconds it will take here."""
    decoding_s = work.n_clips * FILE_S + work.seconds * SOUND_SHARE
    if work.model is None:
        return START_S + decoding_s * (1 + VARIANTS) + work.epochs * work.n_clips * 0.01
    ms = latency.known_ms(work.model) or latency.measure(work.model) or 1.0
    n_windows = max(work.n_clips, work.seconds / (work.model.frontend.window_s / 2))
    inference_s = n_windows * ms / 1e3
    if work.kind == TrainingMode.LINEAR_PROBE:
        return HEAD_START_S + decoding_s + 1.3 * inference_s
    step_s = work.n_clips * step_ms(work.model) / 1e3
    validation_s = 0.2 * inference_s
    embedding_s = inference_s if work.kind == TrainingMode.FINE_TUNE else 0.0
    return (
        START_S + embedding_s + decoding_s * (1 + VARIANTS) + work.epochs * (step_s + validation_s)
    )


def format_duration(about_s: float) -> str:
    """A duration in words."""
    if about_s < 90:
        return f"about {max(5, round(about_s / 5) * 5)} seconds"
    if about_s < 5_400:
        return f"about {round(about_s / 60)} minutes"
    return f"about {about_s / 3_600:.1f} hours"


def step_ms(model: Checkpoint) -> float:
    """Milliseconds of training per clip and epoch, from what trainings took."""
    measured = _step_ms(model.card)
    if measured is not None:
        return measured
    cards = [one.card for one in checkpoint.find_all() if one.card.get("multiply_adds")]
    if similar := [ms for card in _like(cards, model) if (ms := _step_ms(card)) is not None]:
        return median(similar)
    rates = [
        ms / card["multiply_adds"] * 1e6 for card in cards if (ms := _step_ms(card)) is not None
    ]
    per_million = median(rates) if rates else USUAL_MS_PER_M
    return float(per_million * (model.card.get("multiply_adds") or 5e7) / 1e6)


def _like(cards: Sequence[dict[str, Any]], model: Checkpoint) -> list[dict[str, Any]]:
    return [card for card in cards if card["architecture"] == model.card["architecture"]]


def _step_ms(card: dict[str, Any]) -> float | None:
    """The quickest that the card knows of; others may have shared the machine."""
    per_step = []
    training = card.get("training") or {}
    measured: dict[str, Any] = next(iter(card.get("results") or []), {})
    n_clips = training.get("n_clips")
    for part, share in ((training, 1.0), (measured, 0.75)):
        n_epochs = len((part.get("history") or {}).get("loss") or [])
        if part.get("seconds") and n_epochs and n_clips:
            per_step.append(1e3 * part["seconds"] / (n_epochs * n_clips * share))
    return min(per_step) if per_step else None
