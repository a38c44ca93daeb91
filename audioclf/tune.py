"""A trained network with a new classifier, ready to be taught other classes as a whole.

The new classifier starts as the logistic regression on what the network hears already, so that the
old layers are not torn about by a random one: Kumar et al. (2022), "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054.
"""

import keras
import numpy as np

from audioclf import checkpoint, heads
from audioclf.checkpoint import Checkpoint
from audioclf.dataset import Dataset
from audioclf.head_file import Head
from audioclf.heads import HeadSettings
from audioclf.measure import Progress
from audioclf.settings import Settings

# Chosen on folds 1 to 3 of ESC-10, see benchmarks/teach.md; old layers are not decayed.
SETTINGS = Settings(epochs=60, learning_rate=1e-3, weight_decay=0.0, old_rate=0.5)


def start(
    network: Checkpoint, data: Dataset, classes: tuple[str, ...], progress: Progress
) -> keras.Model:
    """The network with a classifier for these classes, as the clips teach it at once.

    Classifiers of its parts are left behind. Raises ValueError for an ensemble, and for a network
    whose Keras file is missing.
    """
    ears = heads.readable(network)
    shown = heads.examples(ears, data, classes, progress)
    return with_head(ears, heads.fit(shown, len(classes), HeadSettings()))


def with_head(ears: Checkpoint, head: Head) -> keras.Model:
    """The network of a checkpoint up to its embedding, and a head on it: label and embedding.

    What it tells beside them (attention, reconstruction) stays. Raises ValueError.
    """
    checkpoint.verify(ears)
    if not (ears.folder / checkpoint.KERAS).is_file():
        raise ValueError(
            f"“{ears.name}” is here without {checkpoint.KERAS}, which a whole network is made of: "
            "copy it here, or teach a new head only."
        )
    old = keras.saving.load_model(ears.folder / checkpoint.KERAS)
    stays = {name: x for name, x in old.output.items() if not name.startswith("label")}
    label = keras.layers.Dense(head.kernel.shape[1], activation="softmax", name="label")
    embedding = stays["embedding"]
    made = keras.Model(old.input, {"label": label(embedding), **stays}, name=old.name)
    label.set_weights([np.asarray(head.kernel), np.asarray(head.bias)])
    return made
