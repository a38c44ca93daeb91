"""Pairs of 3 x 3 convolutions, ever more of them, and an LSTM that reads the map both ways.

Simonyan and Zisserman (2015), "Very Deep Convolutional Networks for Large-Scale Image
Recognition", ICLR 2015, arXiv:1409.1556: two 3 x 3 convolutions and a pooling per block, here 16
to 96 filters in place of 64 to 512, with batch normalisation, which is younger. Frames are pooled
until 16 to 32 steps are left, bins by two in every block.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    bilstm_head,
    conv_bn_relu,
    frame_pools,
    max_pool,
)

RECIPE = FrontendConfig(feature="mel")

FILTERS = (16, 32, 64, 96)  # 64 x 64 x 16, 32 x 32 x 32, 32 x 16 x 64, 32 x 8 x 96


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 128)."""
    inputs = x = keras.Input(input_shape)
    for n_filters, shrink in zip(FILTERS, frame_pools(input_shape[0], 4), strict=True):
        for _ in range(2):
            x = conv_bn_relu(x, n_filters, (3, 3))
        x = layers.SpatialDropout2D(0.05)(max_pool(x, (shrink, 2)))
    return keras.Model(inputs, bilstm_head(x, n_classes), name="vgg_bilstm")
