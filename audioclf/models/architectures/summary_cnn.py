"""A small image of five classical features side by side, through 5 x 5 convolutions.

MFCC, mel and three chromagrams, each the mean over the window, stand as columns of 40 in an image
of 40 x 5. The layers are those of an earlier public code (whose reshape scrambled the
columns); a kernel of 5 sees all columns at once, and their order means nothing. Compared in Piczak
(2015), "Environmental sound classification with convolutional neural networks", MLSP 2015.
"""

import keras
from keras import layers

from audioclf.features.config import for_feature
from audioclf.models.architectures._blocks import conv_bn_relu, dense_bn_relu, label_head, max_pool

RECIPE = for_feature("summary_grid")


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, 1, bins, columns) -> label (n, classes), embedding (n, 512)."""
    _, n_bins, n_columns = input_shape
    inputs = keras.Input(input_shape)
    x = layers.Reshape((n_bins, n_columns, 1))(inputs)  # (n, 40, 5, 1)
    for n_filters in (64, 128):
        x = max_pool(conv_bn_relu(x, n_filters, (5, 5)), (2, 2))  # 20 x 3 x 64, 10 x 2 x 128
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    for n_units in (256, 512):
        x = dense_bn_relu(x, n_units)
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.3), name="summary_cnn")
