"""Convolutions and attention, no recurrence: which frames of the map count.

To compare with attention after recurrent layers: the flat kernels of `separable_cnn`, frames pooled
until 16 to 32 steps are left, the mean over the bins, and additive attention over the steps, as
Ilse, Tomczak and Welling (2018), "Attention-based Deep Multiple Instance Learning", ICML 2018,
arXiv:1802.04712, pool instances.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    additive_attention,
    conv_bn_relu,
    frame_means,
    frame_pools,
    label_head,
    max_pool,
    upsample_weights,
)

RECIPE = FrontendConfig(feature="mel")

FILTERS = (32, 64, 96, 128)  # 64 x 64 x 32, 32 x 32 x 64, 32 x 16 x 96, 32 x 8 x 128


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, embedding (n, 128), attention (n, frames)."""
    inputs = x = keras.Input(input_shape)
    for n_filters, shrink in zip(FILTERS, frame_pools(input_shape[0], 4), strict=True):
        x = max_pool(conv_bn_relu(x, n_filters, (1, 3)), (1, 2))
        x = max_pool(conv_bn_relu(x, n_filters, (3, 1)), (shrink, 1))
        x = layers.SpatialDropout2D(0.05)(x)
    pooled, weights = additive_attention(frame_means(x))
    outputs = label_head(pooled, n_classes, dropout=0.3)
    outputs["attention"] = upsample_weights(weights, input_shape[0])
    return keras.Model(inputs, outputs, name="cnn_attention")
