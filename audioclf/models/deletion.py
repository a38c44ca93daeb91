"""Deletion of a trained model, which is refused while others are made of it."""

import os
import shutil
import tempfile

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.files import oserror_as_valueerror


def delete(model: Checkpoint) -> None:
    """Delete a model's folder; it is gone from every list at once.

    Raises ValueError for one that a head or an ensemble here is made of, and for a folder that
    cannot be written.
    """
    if users := used_by(model):
        raise ValueError(
            f"“{model.name}” is part of {', '.join(users)}: delete what is made of it first."
        )
    with oserror_as_valueerror(model.folder):
        away = tempfile.mkdtemp(prefix=".deleted-", dir=model.folder.parent)
        os.replace(model.folder, os.path.join(away, model.name))
        shutil.rmtree(away, ignore_errors=True)


def used_by(model: Checkpoint) -> list[str]:
    """The names of the heads and ensembles here that are made of a model."""
    return [
        other.name
        for other in checkpoint.find_all()
        if other.folder != model.folder and model.folder in _parts(other)
    ]


def _parts(model: Checkpoint) -> set[object]:
    try:
        if model.is_ensemble:
            return {member.folder for member in model.load_members()}
        backbone = model.load_backbone()
    except ValueError:  # its part is gone already
        return set()
    return {backbone.folder} if backbone else set()
