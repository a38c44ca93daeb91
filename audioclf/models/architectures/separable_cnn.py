"""Convolutions along time and along frequency in turn, then together: small and quick.

Kernels of 1 x m and n x 1 as in the single-channel network of Sharma, Granmo and Goodwin (2020),
"Environment Sound Classification using Multiple Feature Channels and Attention based Deep
Convolutional Neural Network", Interspeech 2020, 1186-1190, arXiv:1908.11219. One convolution per
block with batch normalisation, and global average pooling in place of a Dense layer of eight
million weights behind a Flatten. Axes are (frames, bins): 1 x 3 looks along frequency.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import convolutions, label_head

RECIPE = FrontendConfig(feature="mel")

LAYERS = (
    # filters, kernel, pool      output of 128 x 128
    (32, (1, 3), (1, 2)),  # 128 x 64 x 32
    (32, (3, 1), (2, 1)),  # 64 x 64 x 32
    (64, (1, 3), (1, 2)),  # 64 x 32 x 64
    (64, (3, 1), (2, 1)),  # 32 x 32 x 64
    (128, (3, 3), (2, 2)),  # 16 x 16 x 128
    (256, (3, 3), (2, 2)),  # 8 x 8 x 256
)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 256)."""
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(convolutions(inputs, LAYERS))  # (n, 256)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="separable_cnn")
