"""The deep network on four features, each block times a gate that says where to listen.

Sharma, Granmo and Goodwin (2020), "Environment Sound Classification using Multiple Feature
Channels and Attention based Deep Convolutional Neural Network", Interspeech 2020, 1186-1190,
arXiv:1908.11219, figure 2: a block's output is its main path times an attention branch of pooling,
depthwise and 1 x 1 convolution, batch normalisation and ReLU (not a sigmoid). Reported: 94.75 % on
ESC-10, 87.45 % on ESC-50. `attention` is the last gate's mean over bins and filters, which says
little of its shape.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    Pair,
    Tensor,
    frame_means,
    label_head,
    max_pool,
    upsample_weights,
)
from audioclf.models.architectures.multichannel_cnn import LAYERS, main_path, pool_of

RECIPE = FrontendConfig(feature="multichannel")


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, embedding (n, 256), attention (n, frames)."""
    inputs = x = keras.Input(input_shape)
    for n_filters, kernel, pool in LAYERS:
        fitting = pool_of(pool, input_shape[0])
        gates = _gates(x, n_filters, kernel, fitting)
        x = layers.Multiply()([main_path(x, n_filters, kernel, fitting), gates])
        x = layers.SpatialDropout2D(0.05)(x)
    listened = keras.ops.mean(frame_means(gates), axis=2, keepdims=True)  # (n, t, 1)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = label_head(x, n_classes, dropout=0.3)
    outputs["attention"] = upsample_weights(listened, input_shape[0])
    return keras.Model(inputs, outputs, name="multichannel_attention")


def _gates(x: Tensor, n_filters: int, kernel: Pair, pool: Pair) -> Tensor:
    """Factors of zero or more for the block's output, place by place, at first around 1."""
    size = (min(3, kernel[0]), kernel[1])
    x = layers.DepthwiseConv2D(size, padding="same", use_bias=False)(max_pool(x, pool))
    x = layers.Conv2D(n_filters, (1, 1), use_bias=False)(x)
    nearly = keras.initializers.Constant(0.1)
    x = layers.BatchNormalization(momentum=0.9, beta_initializer="ones", gamma_initializer=nearly)(
        x
    )
    return layers.Activation("relu")(x)
