"""What a model has learnt from, as statistics beside its weights: see `inference.familiarity`.

The embedding is the general-purpose model's where it is installed: a small network's own is weaker.
"""

import numpy as np

from audioclf.datasets.dataset import Dataset
from audioclf.inference import embedding_cache, familiarity
from audioclf.models import checkpoint, download
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress


def add_statistics(model: Checkpoint, data: Dataset, progress: StageProgress) -> Checkpoint:
    """The statistics of these clips in the folder and the card of a model that is trained on them.

    A model of too few clips stays as it is. Raises ValueError for clips that cannot be read.
    """
    embedding = embedding_model(model)
    paths = progress("clips", [clip.path for clip in data.clips])
    values = [one.values.mean(axis=0) for one in embedding_cache.all_embeddings(embedding, paths)]
    labels = [clip.label for clip in data.clips]
    if not familiarity.is_enough(labels):
        return model
    statistics = familiarity.fit(
        np.stack(values),
        labels,
        embedding.name,
        embedding.source_sha256(),
        is_own=embedding is model,
    )
    familiarity.write(statistics, model.folder)
    part = {
        "embedding": embedding.name,
        "n_clips": len(labels),
        "threshold": round(statistics.threshold, 4),
        "auroc": None if np.isnan(statistics.auroc) else round(statistics.auroc, 4),
    }
    return checkpoint.write_card(model.folder, {**model.card, "familiarity": part})


def embedding_model(model: Checkpoint) -> Checkpoint:
    """The general-purpose model where it is installed, else the model itself or its backbone."""
    folder = checkpoint.locate(download.YAMNET.checkpoint_name)
    if folder is not None and (folder / checkpoint.CARD).is_file():
        return checkpoint.read(folder)
    return model.load_backbone() or model
