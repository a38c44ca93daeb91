"""Inverted residuals with depthwise convolutions: few weights, few multiplications.

Sandler, Howard, Zhu, Zhmoginov and Chen (2018), "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", CVPR 2018, 4510-4520, arXiv:1801.04381: a 1 x 1 convolution widens, a depthwise 3 x 3
looks, a 1 x 1 narrows without activation; the input goes around where the shape allows. A table of
seven blocks, widened four times in place of six, for maps of 128 x 128 in place of 224 x 224.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    Tensor,
    conv_bn,
    conv_bn_relu,
    depthwise_bn,
    label_head,
)

RECIPE = FrontendConfig(feature="mel")

WIDER = 4
BLOCKS = (
    # filters, stride   output of 128 x 128
    (16, 1),  # 64 x 64 x 16
    (24, 2),  # 32 x 32 x 24
    (24, 1),
    (40, 2),  # 16 x 16 x 40
    (40, 1),
    (80, 2),  # 8 x 8 x 80
    (80, 1),
)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 256)."""
    inputs = keras.Input(input_shape)
    x = conv_bn_relu(inputs, 16, (3, 3), (2, 2))
    for n_filters, stride in BLOCKS:
        x = _inverted(x, n_filters, stride)
    x = layers.GlobalAveragePooling2D()(conv_bn_relu(x, 256, (1, 1)))
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.2), name="mobilenet")


def _inverted(x: Tensor, n_filters: int, stride: int) -> Tensor:
    wide = conv_bn_relu(x, WIDER * x.shape[3], (1, 1))
    seen = layers.Activation("relu")(depthwise_bn(wide, (3, 3), (stride, stride)))
    narrow = conv_bn(seen, n_filters, (1, 1))
    return layers.Add()([x, narrow]) if narrow.shape == x.shape else narrow
