"""Fine-tuning: a trained model with a new classifier head, ready to train all its layers.

The new head starts as the logistic regression on the model's embeddings, so that a random one does
not distort the backbone: Kumar et al. (2022), "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054.
"""

import keras

from audioclf.datasets.dataset import Dataset
from audioclf.export.attach_head import with_head
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress
from audioclf.training import linear_probe
from audioclf.training.config import Hyperparameters
from audioclf.training.linear_probe import LinearProbeSettings

# Chosen on folds 1 to 3 of ESC-10, see benchmarks/few_clips.md; without weight decay.
SETTINGS = Hyperparameters(
    epochs=60, learning_rate=1e-3, weight_decay=0.0, backbone_lr_multiplier=0.5
)


def build_fine_tune_model(
    base_model: Checkpoint, data: Dataset, classes: tuple[str, ...], progress: StageProgress
) -> keras.Model:
    """The model with a head for these classes, fitted to the clips as a linear probe.

    Heads of its parts are dropped. Raises ValueError for an ensemble, and for a model whose Keras
    file is missing.
    """
    backbone = linear_probe.resolve_backbone(base_model)
    examples = linear_probe.embed_examples(backbone, data, classes, progress)
    return with_head(backbone, linear_probe.fit(examples, len(classes), LinearProbeSettings()))
