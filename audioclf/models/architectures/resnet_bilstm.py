"""A small residual network, and an LSTM that reads its map both ways.

He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition", CVPR 2016, 770-778,
arXiv:1512.03385: two 3 x 3 convolutions per block and a way around them, eight blocks shrunk to
five. Bins are halved in every stage, frames only until 16 to 32 steps are left: the original
code's ResNet-50 left four steps and 23 million weights.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    Pair,
    Tensor,
    bilstm_head,
    conv_bn,
    conv_bn_relu,
    frame_pools,
)

RECIPE = FrontendConfig(feature="mel")

FILTERS = (24, 32, 48, 64, 96)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    shrinks = frame_pools(input_shape[0], len(FILTERS))
    x = conv_bn_relu(inputs, FILTERS[0], (3, 3), (shrinks[0], 2))  # 64 x 64 x 24
    for n_filters, shrink in zip(FILTERS, [1, *shrinks[1:]], strict=True):
        x = _residual(x, n_filters, (shrink, 1 if n_filters == FILTERS[0] else 2))
    outputs = bilstm_head(x, n_classes)  # 32 x 4 x 96
    return keras.Model(inputs, outputs, name="resnet_bilstm")


def _residual(x: Tensor, n_filters: int, stride: Pair) -> Tensor:
    """Two convolutions, and around them the input, brought to their shape where it differs."""
    around = x if stride == (1, 1) else conv_bn(x, n_filters, (1, 1), stride)
    x = conv_bn(conv_bn_relu(x, n_filters, (3, 3), stride), n_filters, (3, 3))
    return layers.Activation("relu")(layers.Add()([x, around]))
