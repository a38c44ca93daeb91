"""One LSTM reads the frames in their order; no convolution.

Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), 1735-1780; in
the form of Hebbar and Srinivasa (2017), "music2vec": an LSTM of 256 whose last state goes to a
dense layer of 64. Its text and figure agree on this; an earlier public code had three smaller
ones.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import label_head, sequence

RECIPE = FrontendConfig(feature="mel")


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 64)."""
    inputs = keras.Input(input_shape)
    x = layers.LSTM(256, dropout=0.2)(sequence(inputs))  # (n, 128, 128) -> (n, 256)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="lstm")
