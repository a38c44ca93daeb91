"""The convolutions that both SoundNets share, on raw samples."""

from collections.abc import Iterable

from keras import layers

from audioclf.models.architectures._blocks import Tensor

Row = tuple[int, int, int, tuple[int, int] | None]  # filters, kernel, stride, (pool, its stride)


def hear(x: Tensor, table: Iterable[Row]) -> Tensor:
    """Rows of convolution, batch normalisation, ReLU and pooling, (n, samples, 1, 1) -> (n, t, c).

    Convolutions are padded and poolings are not: that alone gives 6 x 1024 and 13 x 256. The first
    convolution, over one channel in strides, is one over as many channels as a stride has samples.
    """
    (width, length, fold, first_pool), *rest = table
    x = layers.Reshape((x.shape[1], 1))(x)
    x = layers.ZeroPadding1D((0, -x.shape[1] % fold))(x)
    x = layers.Reshape((x.shape[1] // fold, fold))(x)
    for n_filters, kernel, stride, pool in [(width, length // fold, 1, first_pool), *rest]:
        conv = layers.SeparableConv1D if n_filters > 512 else layers.Conv1D
        x = conv(n_filters, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))
        if pool:
            x = layers.MaxPooling1D(*pool)(x)
    return x


def decide(x: Tensor) -> Tensor:
    """The two dense layers before the head, (n, d) -> (n, 128)."""
    for n_units in (512, 128):
        x = layers.Dropout(0.2)(layers.Dense(n_units, activation="relu")(x))
    return x
