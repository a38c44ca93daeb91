"""A deep network on MFCC, GFCC, constant-Q and chroma as four channels, with flat kernels.

The main path of Sharma, Granmo and Goodwin (2020), "Environment Sound Classification using
Multiple Feature Channels and Attention based Deep Convolutional Neural Network", Interspeech 2020,
1186-1190, arXiv:1908.11219, figure 2: two convolutions along one axis, one of 1 x 1, one
normalisation and one LeakyReLU at the end of a block. Filters follow an earlier public code;
the paper's table 1 (v1) has 512 and would not fit into 10 MB. Frames are pooled by 4 as in the
paper from 256 frames on, by 2 below, where nothing would be left; global pooling stands for
Flatten and Dense.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import Pair, Tensor, label_head, max_pool

RECIPE = FrontendConfig(feature="multichannel")

LAYERS = (
    # filters, kernel, pool    output of 128 x 128
    (32, (1, 3), (1, 2)),  # 128 x 64 x 32
    (32, (5, 1), (4, 1)),  # 64 x 64 x 32
    (64, (1, 3), (1, 2)),  # 64 x 32 x 64
    (64, (5, 1), (4, 1)),  # 32 x 32 x 64
    (128, (5, 3), (4, 2)),  # 16 x 16 x 128
    (256, (5, 3), (4, 2)),  # 8 x 8 x 256
)


def main_path(x: Tensor, n_filters: int, kernel: Pair, pool: Pair) -> Tensor:
    """Two convolutions, one of 1 x 1, batch normalisation, LeakyReLU and pooling."""
    for size in (kernel, kernel, (1, 1)):
        x = layers.Conv2D(n_filters, size, padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(0.01)(layers.BatchNormalization(momentum=0.9)(x))
    return max_pool(x, pool)


def pool_of(pool: Pair, n_frames: int) -> Pair:
    """The table's pooling, or half as much along the frames where a window has few."""
    return (pool[0] if n_frames >= 256 else min(2, pool[0])), pool[1]


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 256)."""
    inputs = x = keras.Input(input_shape)
    for n_filters, kernel, pool in LAYERS:
        x = main_path(x, n_filters, kernel, pool_of(pool, input_shape[0]))
        x = layers.SpatialDropout2D(0.05)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="multichannel_cnn")
