"""Convolutions on the raw waveform, then two LSTMs over thirteen steps of 256.

Aytar, Vondrick and Torralba (2016), "SoundNet: Learning Sound Representations from Unlabeled
Video", NeurIPS 2016, arXiv:1610.09001, with the LSTMs of Hebbar and Srinivasa (2017), "music2vec":
the text's 13 x 256 (its figure shows 15 x 512), a second convolution of stride 4, two LSTMs of
256. The mean over the steps stands for their Flatten, so that the network keeps under 10 MB.
"""

import keras
from keras import layers

from audioclf.features.config import for_feature
from audioclf.models.architectures._blocks import label_head
from audioclf.models.architectures._soundnet import decide, hear

RECIPE = for_feature("waveform")

LAYERS = (
    # filters, kernel, stride, pool  output of 30,000
    (16, 64, 8, (8, 2)),  # 1872 x 16
    (32, 32, 4, (8, 2)),  # 231 x 32
    (64, 16, 2, None),  # 116 x 64
    (128, 8, 2, None),  # 58 x 128
    (256, 4, 2, (4, 2)),  # 13 x 256
)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, samples, 1, 1) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    x = hear(inputs, LAYERS)  # (n, 13, 256)
    for _ in range(2):
        x = layers.LSTM(256, return_sequences=True, dropout=0.1)(x)
    x = decide(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, label_head(x, n_classes, dropout=0.2), name="soundnet_lstm")
