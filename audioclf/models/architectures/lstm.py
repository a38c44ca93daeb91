"""An LSTM of 256 over the frames, whose last state goes to a dense layer of 64.

Text and figure of music2vec agree on this; an earlier public code had three smaller LSTMs.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import label_head, sequence

DESCRIPTION = "LSTM over the frames of a spectrogram, without convolutions."
REFERENCE = (
    'Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), '
    '1735-1780; Hebbar and Srinivasa (2017), "music2vec".'
)
FRONTEND = FrontendConfig(feature="mel")


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 64)."""
    inputs = keras.Input(input_shape)
    x = layers.LSTM(256, dropout=0.2)(sequence(inputs))  # (n, 128, 128) -> (n, 256)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="lstm")
