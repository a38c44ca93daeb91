"""A trained network with a new classifier, ready to be taught other classes as a whole.

The new classifier starts as the logistic regression on what the network hears already, so that the
old layers are not torn about by a random one: Kumar et al. (2022), "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054.
"""

import keras

from audioclf.datasets.dataset import Dataset
from audioclf.export.attach_head import with_head
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import linear_probe
from audioclf.training.config import Settings
from audioclf.training.holdout import Progress
from audioclf.training.linear_probe import LinearProbeSettings

# Chosen on folds 1 to 3 of ESC-10, see benchmarks/teach.md; old layers are not decayed.
SETTINGS = Settings(epochs=60, learning_rate=1e-3, weight_decay=0.0, old_rate=0.5)


def build_fine_tune_model(
    network: Checkpoint, data: Dataset, classes: tuple[str, ...], progress: Progress
) -> keras.Model:
    """The network with a classifier for these classes, as the clips teach it at once.

    Classifiers of its parts are left behind. Raises ValueError for an ensemble, and for a network
    whose Keras file is missing.
    """
    backbone = linear_probe.resolve_backbone(network)
    shown = linear_probe.embed_examples(backbone, data, classes, progress)
    return with_head(backbone, linear_probe.fit(shown, len(classes), LinearProbeSettings()))
