"""Blocks: functions from tensor to tensor, shared by the architectures.

Running statistics of batch normalisations move by a tenth per step: small data sets have few
steps. Poolings keep a last odd row, so that every window and every number of bins fits.
"""

import math
from collections.abc import Iterable
from typing import Any

from keras import layers, ops

Tensor = Any  # a KerasTensor, on any backend
Pair = tuple[int, int]
MIN_STEPS, MAX_STEPS = 16, 32  # of a sequence that is read by recurrent layers


def conv_bn(x: Tensor, n_filters: int, kernel: Pair, stride: Pair = (1, 1)) -> Tensor:
    """Convolution without bias and batch normalisation; same height and width at stride 1."""
    x = layers.Conv2D(
        n_filters, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def conv_bn_relu(x: Tensor, n_filters: int, kernel: Pair, stride: Pair = (1, 1)) -> Tensor:
    """Convolution without bias, batch normalisation, ReLU; same height and width at stride 1."""
    return layers.Activation("relu")(conv_bn(x, n_filters, kernel, stride))


def depthwise_bn(x: Tensor, kernel: Pair, stride: Pair = (1, 1)) -> Tensor:
    """Every channel through a kernel of its own, batch normalisation."""
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def dense_bn_relu(x: Tensor, n_units: int) -> Tensor:
    """Dense layer without bias, batch normalisation, ReLU."""
    x = layers.Dense(n_units, use_bias=False, kernel_initializer="he_normal")(x)
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))


def max_pool(x: Tensor, size: Pair) -> Tensor:
    """The greatest of every size[0] x size[1] values; nothing at the edges is dropped."""
    return layers.MaxPooling2D(size, padding="same")(x)


def convolutions(x: Tensor, table: Iterable[tuple[int, Pair, Pair]]) -> Tensor:
    """Rows of (filters, kernel, pool): convolution, pooling and a little dropout each."""
    for n_filters, kernel, pool in table:
        x = max_pool(conv_bn_relu(x, n_filters, kernel), pool)
        x = layers.SpatialDropout2D(0.05)(x)
    return x


def sequence(x: Tensor) -> Tensor:
    """A map as a sequence of its frames, (n, t, bins, channels) -> (n, t, bins * channels)."""
    return layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)


def frame_means(x: Tensor) -> Tensor:
    """A map's mean over its bins, (n, t, bins, channels) -> (n, t, channels)."""
    return layers.Reshape((x.shape[1], x.shape[3]))(layers.AveragePooling2D((1, x.shape[2]))(x))


def frame_pools(n_frames: int, n_stages: int) -> list[int]:
    """How much each stage shortens the frames, so that 16 to 32 steps are left where possible."""
    n_halvings = max(0, math.ceil(math.log2(n_frames / MAX_STEPS)))
    per_stage, rest = divmod(n_halvings, n_stages)
    return [2 ** (per_stage + (stage < rest)) for stage in range(n_stages)]


def bilstm_head(x: Tensor, n_classes: int) -> dict[str, Tensor]:
    """A map's frames through a bidirectional LSTM of 64, then the head."""
    x = layers.Bidirectional(layers.LSTM(64))(layers.Dropout(0.2)(frame_means(x)))  # (n, 128)
    return label_head(x, n_classes, dropout=0.3)


def additive_attention(x: Tensor) -> tuple[Tensor, Tensor]:
    """Additive attention over time, (n, t, d) -> (n, d) and weights (n, t, 1) that sum to 1.

    Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning to align and
    translate", ICLR 2015, arXiv:1409.0473, with a learnt query.
    """
    scores = layers.Dense(1, use_bias=False)(layers.Dense(64, activation="tanh")(x))
    weights = layers.Softmax(axis=1)(scores)
    pooled = layers.Dot(axes=1)([weights, x])  # (n, 1, d)
    return layers.Reshape((x.shape[2],))(pooled), weights


def upsample_weights(weights: Tensor, n_frames: int) -> Tensor:
    """Weights of t steps as weights of the window's frames that sum to 1, (n, t, 1) -> (n, frames).

    Step i stands for the frames that were pooled into it.
    """
    each = math.ceil(n_frames / weights.shape[1])
    x = layers.UpSampling1D(each)(weights)
    x = layers.Cropping1D((0, x.shape[1] - n_frames))(x)
    x = layers.Reshape((n_frames,))(x)
    total = ops.sum(x, axis=1, keepdims=True)
    return layers.Identity(name="attention")(x / ops.maximum(total, 1e-20))


def label_head(x: Tensor, n_classes: int, dropout: float) -> dict[str, Tensor]:
    """The vector before the head and the classes' probabilities, from (n, d)."""
    x = layers.Identity(name="embedding")(x)
    return {"label": label(layers.Dropout(dropout)(x), n_classes), "embedding": x}


def label(x: Tensor, n_classes: int, name: str = "label") -> Tensor:
    """The classes' probabilities, (n, d) -> (n, classes)."""
    logits = layers.Dense(n_classes, name="logits" + name.removeprefix("label"))(x)
    return layers.Softmax(name=name)(logits)
