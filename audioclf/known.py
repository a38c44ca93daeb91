"""What is known of an architecture from the networks of it that are here."""

from dataclasses import replace

from audioclf import checkpoint
from audioclf.checkpoint import Checkpoint
from audioclf.recipe import Recipe


def best_of(architecture: str | None) -> Checkpoint | None:
    """The most accurate network of that architecture; None where there is none."""
    found = (one for one in checkpoint.best_first() if not (one.is_ensemble or one.is_head))
    return next((one for one in found if one.card["architecture"] == architecture), None)


def proven_recipe(architecture: str | None) -> Recipe | None:
    """How the best network of that architecture hears, with nothing learnt of its clips."""
    best = best_of(architecture)
    return replace(best.recipe, normalisation=None) if best and best.measured else None
