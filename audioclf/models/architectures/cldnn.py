"""Convolutions hear what, two stacked LSTMs hear when, a dense layer decides.

Sainath, Vinyals, Senior and Sak (2015), "Convolutional, Long Short-Term Memory, Fully Connected
Deep Neural Networks", ICASSP 2015, 4580-4584; in the form of Hebbar and Srinivasa (2017),
"music2vec": convolutions along frequency, along time and along both, with poolings that halve
each axis twice, bring 128 x 128 to 32 x 32 x 64, read as a sequence of 32 steps of 2,048 by two
LSTMs of 128. Batch normalisation and dropout are ours: the original had 158,000 segments.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import Tensor, convolutions, label_head, sequence

RECIPE = FrontendConfig(feature="mel")

LAYERS = (
    # filters, kernel, pool      output of 128 x 128
    (32, (1, 3), (1, 2)),  # 128 x 64 x 32
    (32, (3, 1), (2, 1)),  # 64 x 64 x 32
    (64, (3, 3), (2, 2)),  # 32 x 32 x 64
)


def recurrent_steps(x: Tensor) -> Tensor:
    """Convolutions and two LSTMs over what they hear, (n, frames, bins, c) -> (n, steps, 128)."""
    x = sequence(convolutions(x, LAYERS))  # (n, 32, 2048)
    x = layers.LSTM(128, return_sequences=True, dropout=0.1)(x)
    return layers.LSTM(128, return_sequences=True, dropout=0.1)(x)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 64)."""
    inputs = keras.Input(input_shape)
    x = recurrent_steps(inputs)
    x = layers.Cropping1D((x.shape[1] - 1, 0))(x)  # (n, 1, 128): what was heard in the end
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="cldnn")
