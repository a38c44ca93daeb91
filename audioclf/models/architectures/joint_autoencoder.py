"""Convolutional autoencoder with a classifier on its latent vector, trained jointly.

With four poolings as the text of music2vec has it (its figure shows five): convolutions of 16 to
128 filters to 8 x 8 x 128, a latent vector of 64, a mirrored decoder, and three dense layers that
classify from the latent vector. The decoder starts from 8 x 8 x 32, its output is linear as the
input is normalised, and larger windows are pooled more in the first block, so that the latent layer
stays small.
"""

import math

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import Pair, Tensor, conv_bn, label, max_pool

DESCRIPTION = "Convolutional autoencoder trained jointly with a classifier."
REFERENCE = 'Hebbar and Srinivasa (2017), "music2vec".'
FRONTEND = FrontendConfig(feature="mel")

FILTERS = (16, 32, 64, 128)
N_SIDE = 8  # of the map before the latent vector


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, embedding (n, 64), reconstruction like the input."""
    inputs = x = keras.Input(input_shape)
    pools = [_first_pool(input_shape), *[(2, 2)] * 3]
    for n_filters, pool in zip(FILTERS, pools, strict=True):
        x = max_pool(_conv(x, n_filters), pool)  # 64 x 64 x 16, ..., 8 x 8 x 128
    rows, columns = x.shape[1:3]
    latent = layers.Dense(64, name="embedding")(layers.Flatten()(x))
    x = layers.Dense(rows * columns * 32)(latent)
    x = layers.Reshape((rows, columns, 32))(x)
    for n_filters, pool in zip(FILTERS[::-1], pools[::-1], strict=True):
        x = layers.UpSampling2D(pool)(_conv(x, n_filters))
    x = layers.Conv2D(input_shape[2], (3, 3), padding="same")(x)
    too_many = [
        (0, size - expected) for size, expected in zip(x.shape[1:3], input_shape, strict=False)
    ]
    drawn = layers.Cropping2D(tuple(too_many), name="reconstruction")(x)
    x = layers.Dense(64, activation="relu")(layers.Dropout(0.2)(latent))
    x = layers.Dense(32, activation="relu")(x)
    outputs = {"label": label(x, n_classes), "embedding": latent, "reconstruction": drawn}
    return keras.Model(inputs, outputs, name="joint_autoencoder")


def _conv(x: Tensor, n_filters: int) -> Tensor:
    return layers.LeakyReLU(0.1)(conv_bn(x, n_filters, (3, 3)))


def _first_pool(input_shape: tuple[int, int, int]) -> Pair:
    n_frames, n_bins, _ = input_shape
    return max(2, math.ceil(n_frames / 8 / N_SIDE)), max(2, math.ceil(n_bins / 8 / N_SIDE))
