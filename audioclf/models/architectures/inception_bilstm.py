"""Small and large kernels side by side in every block, and an LSTM that reads the map both ways.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), "Rethinking the Inception Architecture for
Computer Vision", CVPR 2016, 2818-2826, arXiv:1512.00567: four branches per block (1 x 1, 3 x 3, 5
x 5 as two of 3 x 3, pooling), each behind a 1 x 1 that narrows it, joined as channels. Four blocks
of 32 to 128 channels; frames are pooled until 16 to 32 steps are left, bins by two in every block.
"""

import keras
from keras import layers

from audioclf.features.config import FrontendConfig
from audioclf.models.architectures._blocks import (
    Tensor,
    bilstm_head,
    conv_bn_relu,
    frame_pools,
    max_pool,
)

RECIPE = FrontendConfig(feature="mel")

WIDTHS = (8, 16, 24, 32)  # of each branch


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, frames, bins, channels) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    shrinks = frame_pools(input_shape[0], len(WIDTHS) + 1)
    x = max_pool(conv_bn_relu(inputs, 16, (3, 3)), (shrinks[0], 2))  # 64 x 64 x 16
    for width, shrink in zip(WIDTHS, shrinks[1:], strict=True):
        x = max_pool(_branches(x, width), (shrink, 2))  # 32 x 32 x 32, ..., 32 x 4 x 128
        x = layers.SpatialDropout2D(0.05)(x)
    return keras.Model(inputs, bilstm_head(x, n_classes), name="inception_bilstm")


def _branches(x: Tensor, width: int) -> Tensor:
    """1 x 1, 3 x 3, 5 x 5 and pooled, (n, t, f, c) -> (n, t, f, 4 * width)."""
    point = conv_bn_relu(x, width, (1, 1))
    small = conv_bn_relu(conv_bn_relu(x, width, (1, 1)), width, (3, 3))
    large = conv_bn_relu(conv_bn_relu(x, width, (1, 1)), width, (3, 3))
    large = conv_bn_relu(large, width, (3, 3))
    pooled = layers.AveragePooling2D((3, 3), (1, 1), padding="same")(x)
    pooled = conv_bn_relu(pooled, width, (1, 1))
    return layers.Concatenate()([point, small, large, pooled])
