"""The CLDNN with self-attention: every moment looks at every other before they are averaged.

The convolutions and LSTMs of `cldnn`, then one layer of multi-head self-attention with a way around
it and layer normalisation, as in Vaswani et al. (2017), "Attention Is All You Need", NeurIPS 2017,
arXiv:1706.03762. `attention` is how much a moment is looked at by the others, the mean over heads
and over who looks.
"""

import keras
from keras import layers, ops

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import label_head, upsample_weights
from audioclf.models.architectures.cldnn import recurrent_steps

RECIPE = FrontendConfig(feature="mel")

N_HEADS, WIDTH = 4, 32


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, embedding (n, 64), attention (n, frames)."""
    inputs = keras.Input(input_shape)
    x = recurrent_steps(inputs)  # (n, t, 128)
    heads = layers.MultiHeadAttention(N_HEADS, WIDTH, dropout=0.1)
    seen, looks = heads(x, x, return_attention_scores=True)  # looks (n, heads, t, t)
    x = layers.LayerNormalization()(layers.Add()([x, seen]))
    x = layers.Dense(64, activation="relu")(layers.GlobalAveragePooling1D()(x))
    outputs = label_head(x, n_classes, dropout=0.3)
    weights = ops.expand_dims(ops.mean(looks, axis=(1, 2)), axis=2)  # (n, t, 1)
    outputs["attention"] = upsample_weights(weights, input_shape[0])
    return keras.Model(inputs, outputs, name="cldnn_self_attention")
