"""What is known of the networks that are here: which are the best, and how they hear."""

from dataclasses import replace
from math import sqrt

from audioclf.features.config import FrontendConfig
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

Z = 1.96  # of a 95 % interval


def best_first() -> list[Checkpoint]:
    """Every readable checkpoint, by the accuracy that its clips make certain, the best first.

    So two clips out of two do not stand before 77 out of 80. Then those that were not measured, and
    last those whose backbone is missing.
    """

    def place(found: Checkpoint) -> tuple[bool, float]:
        measured = found.evaluation or {}
        certain = certain_accuracy(measured.get("accuracy", 0.0), measured.get("n_clips", 1))
        return found.unavailable_reason is not None, -certain

    return sorted(checkpoint.find_all(), key=place)


def certain_accuracy(accuracy: float, n_clips: int) -> float:
    """The lower end of the 95 % interval of a share of so many clips, 0 to 1.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22.
    """
    middle = accuracy + Z**2 / (2 * n_clips)
    spread = Z * sqrt(accuracy * (1 - accuracy) / n_clips + Z**2 / (4 * n_clips**2))
    return (middle - spread) / (1 + Z**2 / n_clips)


def best_of(architecture: str | None) -> Checkpoint | None:
    """The most accurate network of that architecture; None where there is none."""
    found = (one for one in best_first() if not (one.is_ensemble or one.is_head))
    return next((one for one in found if one.card["architecture"] == architecture), None)


def proven_recipe(architecture: str | None) -> FrontendConfig | None:
    """How the best network of that architecture hears, with nothing learnt of its clips."""
    best = best_of(architecture)
    return replace(best.recipe, normalisation=None) if best and best.evaluation else None
