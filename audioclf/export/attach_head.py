"""A checkpoint's model up to its embedding, with another classifier head."""

import keras
import numpy as np

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.models.linear_head import LinearHead


def with_head(backbone: Checkpoint, head: LinearHead) -> keras.Model:
    """The model of a checkpoint up to its embedding, and a head: label and embedding.

    Its further outputs (attention, reconstruction) stay. Raises ValueError.
    """
    checkpoint.verify(backbone)
    if not (backbone.folder / checkpoint.KERAS).is_file():
        raise ValueError(
            f"“{backbone.name}” is here without {checkpoint.KERAS}, which holds all layers: copy "
            "it here, or train a new classifier head only."
        )
    old = keras.saving.load_model(backbone.folder / checkpoint.KERAS)
    kept_outputs = {name: x for name, x in old.output.items() if not name.startswith("label")}
    label = keras.layers.Dense(head.kernel.shape[1], activation="softmax", name="label")
    embedding = kept_outputs["embedding"]
    model = keras.Model(old.input, {"label": label(embedding), **kept_outputs}, name=old.name)
    label.set_weights([np.asarray(head.kernel), np.asarray(head.bias)])
    return model
