"""Which checkpoints are the best, by accuracy and the number of clips it was measured on."""

from dataclasses import replace
from math import sqrt

from audioclf.features.config import FrontendConfig
from audioclf.models import checkpoint, download
from audioclf.models.checkpoint import Checkpoint

Z = 1.96  # of a 95 % interval


def best_first() -> list[Checkpoint]:
    """Every readable checkpoint, by the lower bound of its accuracy, the best first.

    So two clips out of two do not stand before 77 out of 80. Then those that were not evaluated,
    and last those that are unavailable.
    """

    def rank(model: Checkpoint) -> tuple[bool, float]:
        evaluation = model.evaluation or {}
        low, _ = wilson_interval(evaluation.get("accuracy", 0.0), evaluation.get("n_clips", 1))
        return model.unavailable_reason() is not None, -low

    return sorted(checkpoint.find_all(), key=rank)


def wilson_interval(accuracy: float, n_clips: int) -> tuple[float, float]:
    """Both ends of the 95 % interval of a share of so many clips, 0 to 1.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22.
    """
    middle = accuracy + Z**2 / (2 * n_clips)
    spread = Z * sqrt(accuracy * (1 - accuracy) / n_clips + Z**2 / (4 * n_clips**2))
    scale = 1 + Z**2 / n_clips
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def format_accuracy(accuracy: float, n_clips: int | None) -> str:
    """An accuracy with its 95 % interval, as pages and tables write it; without, where no clips."""
    if not n_clips:
        return f"{100 * accuracy:.2f} %"
    low, high = wilson_interval(accuracy, n_clips)
    return f"{100 * accuracy:.2f} % ({100 * low:.1f} to {100 * high:.1f})"


def best_of_architecture(architecture: str | None) -> Checkpoint | None:
    """The most accurate model of that architecture; None where there is none."""
    models = (model for model in best_first() if not (model.is_ensemble or model.is_head))
    return next((model for model in models if model.card["architecture"] == architecture), None)


def best_config(architecture: str | None) -> FrontendConfig | None:
    """The front end of the best model of that architecture, without its normalisation."""
    best = best_of_architecture(architecture)
    return replace(best.frontend, normalisation=None) if best and best.evaluation else None


def best_embedding_model() -> Checkpoint:
    """The general-purpose model where it is installed, else the best single model that is here.

    Raises ValueError where there is none.
    """
    general = download.installed(download.YAMNET)
    if general is not None:
        return general
    for model in best_first():
        if model.unavailable_reason() is None and not (model.is_ensemble or model.is_head):
            return model
    raise ValueError("There is no model to embed with: run “audioclf download yamnet”.")
