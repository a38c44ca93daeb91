"""Separable convolutions of MobileNet for sounds of all kinds, each class for itself.

Plakal and Ellis (2020), "YAMNet", github.com/tensorflow/models, research/audioset/yamnet, after
Howard et al. (2017), "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv:1704.04861. Batch normalisations are folded into weights and biases, as in the
published file, so `audioclf download yamnet` can fill this network with Google's weights, trained on
AudioSet (Gemmeke et al. (2017), "Audio Set: An ontology and human-labeled dataset for audio
events", ICASSP 2017). Its probabilities are independent: several classes may be heard at once.
"""

import keras
from keras import layers

from audioclf.features.config import FEATURE_DEFAULTS
from audioclf.models.architectures._blocks import Tensor

RECIPE = FEATURE_DEFAULTS["yamnet_mel"]
MULTI_LABEL = True
MAX_BYTES = 20_000_000  # it is fetched, and no part of a repository

TABLE = (
    # filters, stride   output of 96 x 64
    (32, 2),  # 48 x 32, a plain convolution; the others are separable
    (64, 1),
    (128, 2),  # 24 x 16
    (128, 1),
    (256, 2),  # 12 x 8
    (256, 1),
    (512, 2),  # 6 x 4
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),  # 3 x 2
    (1024, 1),
)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 1024)."""
    inputs = keras.Input(input_shape)
    nine = keras.initializers.RandomNormal(stddev=(2 / 9) ** 0.5)  # he_normal of one 3 x 3 kernel
    x = _relu(layers.Conv2D(TABLE[0][0], 3, TABLE[0][1], "same", kernel_initializer="he_normal"))(
        inputs
    )
    for n_filters, stride in TABLE[1:]:
        x = _relu(layers.DepthwiseConv2D(3, stride, "same", depthwise_initializer=nine))(x)
        x = _relu(layers.Conv2D(n_filters, 1, kernel_initializer="he_normal"))(x)
    x = layers.Identity(name="embedding")(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(n_classes, name="logits")(x)
    label = layers.Activation("sigmoid", name="label")(logits)
    return keras.Model(inputs, {"label": label, "embedding": x}, name="yamnet")


def _relu(layer: Tensor) -> Tensor:
    return lambda x: layers.Activation("relu")(layer(x))
