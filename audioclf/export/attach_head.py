"""A checkpoint's network up to its embedding, with another classifier head on it."""

import keras
import numpy as np

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.models.linear_head import Head


def with_head(backbone: Checkpoint, head: Head) -> keras.Model:
    """The network of a checkpoint up to its embedding, and a head on it: label and embedding.

    What it tells beside them (attention, reconstruction) stays. Raises ValueError.
    """
    checkpoint.verify(backbone)
    if not (backbone.folder / checkpoint.KERAS).is_file():
        raise ValueError(
            f"“{backbone.name}” is here without {checkpoint.KERAS}, which a whole network is made of: "
            "copy it here, or teach a new head only."
        )
    old = keras.saving.load_model(backbone.folder / checkpoint.KERAS)
    stays = {name: x for name, x in old.output.items() if not name.startswith("label")}
    label = keras.layers.Dense(head.kernel.shape[1], activation="softmax", name="label")
    embedding = stays["embedding"]
    made = keras.Model(old.input, {"label": label(embedding), **stays}, name=old.name)
    label.set_weights([np.asarray(head.kernel), np.asarray(head.bias)])
    return made
