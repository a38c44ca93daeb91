"""Dense layers on a window's classical features, no sense of time: the quickest of all.

The classical baseline: zero crossings, level, MFCC, mel, STFT and chroma, their means and
deviations over the window as one vector, and six dense layers, as Piczak (2015), "ESC: Dataset for
Environmental Sound Classification", ACM Multimedia, 1015-1018, gives such statistics to a forest.
Widths are those of an earlier public code, which fed it one linear spectrum and no
statistics.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import dense_bn_relu, label_head

RECIPE = FrontendConfig(feature="summary")

WIDTHS = (256, 256, 128, 128, 64, 32)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, 1, values, channels) -> label (n, classes), embedding (n, 32)."""
    inputs = keras.Input(input_shape)
    x = layers.Dropout(0.2)(layers.Flatten()(inputs))  # (n, 620)
    for n_units in WIDTHS:
        x = dense_bn_relu(x, n_units)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="mlp")
