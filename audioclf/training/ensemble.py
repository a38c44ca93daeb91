"""Ensembles: checkpoints that vote, with their mean probabilities; a card and nothing else.

Dietterich (2000), "Ensemble Methods in Machine Learning", Multiple Classifier Systems,
doi:10.1007/3-540-45014-9_1.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audioclf.datasets.dataset import Dataset
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import holdout
from audioclf.training.holdout import Progress


def make(
    name: str, members: Sequence[Checkpoint], held_out: Dataset | None, progress: Progress
) -> Checkpoint:
    """The members, beside each other in one folder, as the ensemble `name` there.

    Its result is that of the members as they were without the held-out fold. Raises ValueError
    for members of different classes, in different folders, or measured on other clips.
    """
    checkpoint.check_name(name)
    _check(members)
    found: dict[str, Any] = {"results": [], "calibration": None}
    if held_out is not None:
        before = [
            holdout.load_run((one.evaluation or {}).get("kept_as", "none")) for one in members
        ]
        found = _measured(before, held_out, progress)
        found["results"][0]["network"] = "its members, trained without that fold"
    folder = members[0].folder.parent / name
    card = {**_described(members), **found, "members": [member.name for member in members]}
    return checkpoint.write_card(folder, card)


def evaluate_ensemble(
    members: Sequence[Checkpoint], held_out: Dataset, progress: Progress
) -> dict[str, Any]:
    """The result of members that never saw these clips; one entry as in a card's results."""
    _check_classes(members)
    result: dict[str, Any] = _measured(members, held_out, progress)["results"][0]
    return result


def _measured(
    members: Sequence[Checkpoint], held_out: Dataset, progress: Progress
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        for number, member in enumerate(members):
            os.symlink(member.folder, Path(folder, f"member-{number}"))
        names = [f"member-{number}" for number in range(len(members))]
        card = {**_described(members), "members": names}
        together = checkpoint.write_card(Path(folder, "ensemble"), card)
        return holdout.evaluate_holdout(together, held_out, progress)


def _described(members: Sequence[Checkpoint]) -> dict[str, Any]:
    """What follows from the members."""
    cards = [member.card for member in members]
    attributions = dict.fromkeys(card.get("attribution", "") for card in cards)
    return {
        "format": 1,
        "architecture": "ensemble",
        "description": f"The mean opinion of {', '.join(one.name for one in members)}.",
        "citation": "Dietterich (2000), “Ensemble Methods in Machine Learning”.",
        "recipe": None,
        "classes": list(members[0].classes),
        "n_params": sum(card.get("n_params") or 0 for card in cards),
        "multiply_adds": sum(card.get("multiply_adds") or 0 for card in cards),
        "training": {
            "data": cards[0].get("training", {}).get("data"),
            "folds": cards[0].get("training", {}).get("folds", []),
        },
        "attribution": " ".join(text for text in attributions if text),
        "licence": cards[0].get("licence"),
    }


def _check(members: Sequence[Checkpoint]) -> None:
    """Raise ValueError where these cannot vote together."""
    if len(members) < 2 or len({member.name for member in members}) < len(members):
        raise ValueError("An ensemble needs two different networks or more: name another.")
    if len({member.folder.parent for member in members}) > 1:
        raise ValueError("The members of an ensemble lie in one folder: copy them together first.")
    if any(member.is_ensemble for member in members):
        raise ValueError("An ensemble cannot be a member of another: name its members instead.")
    _check_classes(members)


def _check_classes(members: Sequence[Checkpoint]) -> None:
    other = next((one for one in members if one.classes != members[0].classes), None)
    if other is not None:
        raise ValueError(
            f"“{other.name}” and “{members[0].name}” do not know the same classes: choose networks "
            "that do."
        )
