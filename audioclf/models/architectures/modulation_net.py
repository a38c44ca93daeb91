"""Three listeners in one: where sound goes up and down, its fine spectrogram, and its statistics.

Own design: a CNN on levels and modulations with attention over time, a CNN on the four times finer
levels, and a dense network on means, deviations and maxima. Each has a loss of its own and they
vote with their probabilities, as the bands do in Phaye, Benetos and Wang (2019), "SubSpectralNet",
ICASSP 2019, arXiv:1810.12642; modulations after Chi, Ru and Shamma (2005), "Multiresolution
spectrotemporal analysis of complex sounds", JASA 118(2).
"""

import keras
from keras import layers, ops

from audioclf.features.config import FEATURE_DEFAULTS
from audioclf.features.modulation import N_LEVELS
from audioclf.models.architectures import _blocks as blocks
from audioclf.models.architectures._blocks import Pair, Tensor

RECIPE = FEATURE_DEFAULTS["modulation"]


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label, three label_..., embedding (n, 384), attention."""
    inputs = keras.Input(input_shape)
    coarse, weights = blocks.additive_attention(_convolved(inputs, stride=(1, 2)))
    fine, _ = blocks.additive_attention(_convolved(_interleaved(inputs), stride=(2, 2)))
    vectors = {"coarse": coarse, "fine": fine, "statistics": _statistics(inputs)}
    votes = {
        f"label_{name}": blocks.label(layers.Dropout(0.3)(vector), n_classes, f"label_{name}")
        for name, vector in vectors.items()
    }
    together = layers.Average(name="label")(list(votes.values()))
    embedding = layers.Concatenate(name="embedding")(list(vectors.values()))
    outputs = {"label": together, "embedding": embedding, **votes}
    outputs["attention"] = blocks.upsample_weights(weights, input_shape[0])
    return keras.Model(inputs, outputs, name="modulation_net")


def _convolved(x: Tensor, stride: Pair) -> Tensor:
    """A map through four convolutions, (n, frames, bins, channels) -> (n, t, 128)."""
    x = blocks.max_pool(blocks.conv_bn_relu(x, 32, (3, 3), stride), (2, 2))
    x = blocks.conv_bn_relu(blocks.conv_bn_relu(x, 64, (3, 3)), 64, (3, 3))
    x = blocks.max_pool(x, (2, 2))
    x = layers.SpatialDropout2D(0.2)(blocks.conv_bn_relu(x, 128, (3, 3)))
    return blocks.frame_means(x)


def _interleaved(x: Tensor) -> Tensor:
    """The levels alone, their quarters in turn, (n, t, bins, channels) -> (n, 4 t, bins, 1)."""
    quarters = layers.Permute((1, 3, 2))(x[..., :N_LEVELS])
    return layers.Reshape((-1, x.shape[2], 1))(quarters)


def _statistics(x: Tensor) -> Tensor:
    """Mean, deviation and maximum over time of neighbouring bins' means, (n, ...) -> (n, 128)."""
    x = layers.AveragePooling2D((1, 2))(x)
    mean, greatest = ops.mean(x, axis=1), ops.max(x, axis=1)
    deviation = ops.sqrt(ops.mean(ops.square(x), axis=1) - ops.square(mean) + 1e-3)
    x = layers.Flatten()(layers.Concatenate()([mean, deviation, greatest]))
    return blocks.dense_bn_relu(layers.Dropout(0.3)(x), 128)
