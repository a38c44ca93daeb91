"""Layers that see all layers before them, and an LSTM that reads the map both ways.

Huang, Liu, van der Maaten and Weinberger (2017), "Densely Connected Convolutional Networks", CVPR
2017, 4700-4708, arXiv:1608.06993: in a block every layer's 12 channels join those before it;
between blocks a 1 x 1 convolution halves the channels and a pooling the map. Four blocks of three
layers in place of 6 to 24; frames are pooled until 16 to 32 steps are left.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import Tensor, bilstm_head, conv_bn_relu, frame_pools

RECIPE = FrontendConfig(feature="mel")

GROWTH, N_LAYERS, N_BLOCKS = 12, 3, 4


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    shrinks = frame_pools(input_shape[0], N_BLOCKS + 1)
    x = conv_bn_relu(inputs, 2 * GROWTH, (3, 3), (shrinks[0], 2))  # 64 x 64 x 24
    for shrink in shrinks[1:]:
        for _ in range(N_LAYERS):
            x = layers.Concatenate()([x, _layer(x)])
        x = _transition(x, (shrink, 2))  # 32 x 32 x 30, ..., 32 x 4 x 35
    x = conv_bn_relu(x, 96, (1, 1))
    return keras.Model(inputs, bilstm_head(x, n_classes), name="densenet_bilstm")


def _activated(x: Tensor) -> Tensor:
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))


def _layer(x: Tensor) -> Tensor:
    """Twelve more channels: normalise first, narrow to 48, look at 3 x 3."""
    x = layers.Conv2D(4 * GROWTH, (1, 1), use_bias=False)(_activated(x))
    return layers.Conv2D(GROWTH, (3, 3), padding="same", use_bias=False)(_activated(x))


def _transition(x: Tensor, pool: tuple[int, int]) -> Tensor:
    x = layers.Conv2D(x.shape[3] // 2, (1, 1), use_bias=False)(_activated(x))
    return layers.AveragePooling2D(pool, padding="same")(x)
