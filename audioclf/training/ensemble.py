"""Ensembles: the mean probabilities of several checkpoints; a card and nothing else.

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
from audioclf.progress import StageProgress
from audioclf.storage.format import FORMAT
from audioclf.storage.paths import checkpoint_dirs
from audioclf.training import holdout


def make(
    name: str, members: Sequence[Checkpoint], held_out: Dataset | None, progress: StageProgress
) -> Checkpoint:
    """The members, which lie in one folder, as the ensemble `name` there.

    Its result is that of the members as they were without the held-out fold. Raises ValueError
    for members of different classes, in different folders, or evaluated on other clips.
    """
    checkpoint.check_name(name)
    _check(members)
    evaluation: dict[str, Any] = {"results": [], "calibration": None}
    if held_out is not None:
        without_fold = [
            holdout.load_run((member.evaluation or {}).get("run_id", "none")) for member in members
        ]
        evaluation = _evaluate(without_fold, held_out, progress)
        evaluation["results"][0]["model"] = "its members, trained without that fold"
    parent = members[0].folder.parent
    shipped = {folder.resolve() for folder in checkpoint_dirs()}
    folder = (checkpoint.home() if parent in shipped else parent) / name
    card = {**_card(members), **evaluation, "members": [member.name for member in members]}
    return checkpoint.write_card(folder, card)


def evaluate_ensemble(
    members: Sequence[Checkpoint], held_out: Dataset, progress: StageProgress
) -> dict[str, Any]:
    """The result of members trained without these clips; one entry of a card's results."""
    _check_classes(members)
    result: dict[str, Any] = _evaluate(members, held_out, progress)["results"][0]
    return result


def _evaluate(
    members: Sequence[Checkpoint], held_out: Dataset, progress: StageProgress
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        for number, member in enumerate(members):
            os.symlink(member.folder, Path(folder, f"member-{number}"))
        names = [f"member-{number}" for number in range(len(members))]
        card = {**_card(members), "members": names}
        ensemble = checkpoint.write_card(Path(folder, "ensemble"), card)
        return holdout.evaluate_holdout(ensemble, held_out, progress)


def _card(members: Sequence[Checkpoint]) -> dict[str, Any]:
    """The parts of the card that follow from the members."""
    cards = [member.card for member in members]
    attributions = dict.fromkeys(card.get("attribution", "") for card in cards)
    return {
        "format": FORMAT,
        "architecture": "ensemble",
        "description": f"The mean probabilities of {', '.join(member.name for member in members)}.",
        "citation": "Dietterich (2000), “Ensemble Methods in Machine Learning”.",
        "frontend": None,
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
    """Raise ValueError where these cannot form an ensemble."""
    if len(members) < 2 or len({member.name for member in members}) < len(members):
        raise ValueError("An ensemble needs two different models or more: name another.")
    folders = {member.folder.parent for member in members}
    if len(folders) > 1 and not folders <= {folder.resolve() for folder in checkpoint_dirs()}:
        raise ValueError("The members of an ensemble lie in one folder: copy them together first.")
    if any(member.is_ensemble for member in members):
        raise ValueError("An ensemble cannot be a member of another: name its members instead.")
    _check_classes(members)


def _check_classes(members: Sequence[Checkpoint]) -> None:
    other = next((one for one in members if one.classes != members[0].classes), None)
    if other is not None:
        raise ValueError(
            f"“{other.name}” and “{members[0].name}” do not have the same classes: choose models "
            "that do."
        )
