"""The CLDNN with attention: it learns which moments count, and shows them.

The convolutions and LSTMs of Sainath, Vinyals, Senior and Sak (2015), "Convolutional, Long
Short-Term Memory, Fully Connected Deep Neural Networks", ICASSP 2015, 4580-4584, as in `cldnn`. All
their steps are weighed, in place of the last one alone, by the additive attention of Bahdanau, Cho
and Bengio (2015), "Neural Machine Translation by Jointly Learning to Align and Translate", ICLR
2015, arXiv:1409.0473. An earlier public code tied its weights to a window's length, and used them
nowhere.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import additive_attention, label_head, upsample_weights
from audioclf.models.architectures.cldnn import recurrent_steps

RECIPE = FrontendConfig(feature="mel")


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, embedding (n, 64), attention (n, frames)."""
    inputs = keras.Input(input_shape)
    pooled, weights = additive_attention(recurrent_steps(inputs))
    x = layers.Dense(64, activation="relu")(pooled)
    outputs = label_head(x, n_classes, dropout=0.3)
    outputs["attention"] = upsample_weights(weights, input_shape[0])
    return keras.Model(inputs, outputs, name="cldnn_attention")
