"""Blocks: functions from tensor to tensor, shared by the networks."""

from typing import Any

from keras import layers

Tensor = Any  # a KerasTensor, on any backend
Pair = tuple[int, int]


def conv_bn_relu(x: Tensor, n_filters: int, kernel: Pair) -> Tensor:
    """Convolution without bias, batch normalisation, ReLU; same height and width.

    The running statistics move by a tenth per step: small data sets have few steps.
    """
    x = layers.Conv2D(
        n_filters, kernel, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation("relu")(x)


def label_head(x: Tensor, n_classes: int, dropout: float) -> dict[str, Tensor]:
    """The vector before the head and the classes' probabilities, from (n, d)."""
    x = layers.Identity(name="embedding")(x)
    logits = layers.Dense(n_classes, name="logits")(layers.Dropout(dropout)(x))
    return {"label": layers.Softmax(name="label")(logits), "embedding": x}
