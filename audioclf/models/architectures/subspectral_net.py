"""Overlapping bands of bins, each with a network and a loss of its own, and one that joins them.

Phaye, Benetos and Wang (2019), "SubSpectralNet: Using sub-spectrogram based convolutional neural
networks for acoustic scene classification", ICASSP 2019, 825-829, arXiv:1810.12642: per band two
convolutions of 7 x 7, a dense layer of 32 and a classifier; their 32 numbers joined, dense layers
that halve to 64, and the global classifier. Bands are a quarter of the bins, at least 20, and half
overlap: the best of the paper for 40 bins. The authors' Keras code gave every band the last slice.
"""

import math

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import Tensor, conv_bn_relu, label, label_head, max_pool

RECIPE = FrontendConfig(feature="mel")


def bands(n_bins: int) -> list[tuple[int, int]]:
    """First and last bin (exclusive) of every band, from the lowest to the highest bin."""
    size = min(n_bins, max(20, n_bins // 4))
    n_bands = math.ceil((n_bins - size) / (size // 2)) + 1
    steps = [round(i * (n_bins - size) / max(1, n_bands - 1)) for i in range(n_bands)]
    return [(first, first + size) for first in steps]


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, label_band_0..., embedding (n, 64)."""
    n_bins = input_shape[1]
    inputs = keras.Input(input_shape)
    heard, outputs = [], {}
    for number, (first, end) in enumerate(bands(n_bins)):
        band = layers.Cropping2D(((0, 0), (first, n_bins - end)), name=f"band_{number}")(inputs)
        heard.append(_hear(band, end - first))
        name = f"label_band_{number}"
        outputs[name] = label(layers.Dropout(0.3)(heard[-1]), n_classes, name)
    x = layers.Concatenate()(heard) if len(heard) > 1 else heard[0]  # (n, 32 * bands)
    width = 2 ** int(math.log2(32 * len(heard)))
    while width >= 64:
        x = layers.Dense(width, activation="relu")(layers.Dropout(0.3)(x))
        width //= 2
    outputs |= label_head(x, n_classes, dropout=0.3)
    return keras.Model(inputs, outputs, name="subspectral_net")


def _hear(x: Tensor, size: int) -> Tensor:
    """One band, (n, frames, size, channels) -> (n, 32)."""
    x = max_pool(conv_bn_relu(x, 32, (7, 7)), (5, max(1, size // 10)))
    x = conv_bn_relu(layers.Dropout(0.3)(x), 64, (7, 7))
    x = max_pool(x, (x.shape[1], 4))  # (n, 1, 3, 64)
    return layers.Dense(32, activation="relu")(layers.Flatten()(layers.Dropout(0.3)(x)))
