"""Residual blocks of many narrow paths, and an LSTM that reads the map both ways.

Xie, Girshick, Dollár, Tu and He (2017), "Aggregated Residual Transformations for Deep Neural
Networks", CVPR 2017, 1492-1500, arXiv:1611.05431, in the form of its figure 3b: 1 x 1 narrows, each
path convolves its own share, 1 x 1 widens, and the input goes around. Eight paths in place of 32.
They are written out: TensorFlow compiles a grouped convolution into what ONNX cannot hold.
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

FILTERS = (32, 64, 96, 128)
N_PATHS = 8


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    shrinks = frame_pools(input_shape[0], len(FILTERS) + 1)
    x = conv_bn_relu(inputs, 24, (3, 3), (shrinks[0], 2))  # 64 x 64 x 24
    for n_filters, shrink in zip(FILTERS, shrinks[1:], strict=True):
        x = _aggregated(x, n_filters, (shrink, 2))  # 32 x 32 x 32, ..., 32 x 4 x 128
    return keras.Model(inputs, bilstm_head(x, n_classes), name="resnext_bilstm")


def _aggregated(x: Tensor, n_filters: int, stride: Pair) -> Tensor:
    """Paths beside each other, and around them the input, brought to their shape."""
    around = conv_bn(x, n_filters, (1, 1), stride)
    narrow = n_filters // 2 // N_PATHS
    paths = [
        layers.Conv2D(narrow, (3, 3), stride, padding="same", use_bias=False)(part)
        for part in keras.ops.split(conv_bn_relu(x, n_filters // 2, (1, 1)), N_PATHS, axis=3)
    ]
    x = layers.BatchNormalization(momentum=0.9)(layers.Concatenate()(paths))
    x = conv_bn(layers.Activation("relu")(x), n_filters, (1, 1))
    return layers.Activation("relu")(layers.Add()([x, around]))
