"""Convolutions on the raw waveform, from 30,000 samples to six steps of 1,024.

Aytar, Vondrick and Torralba (2016), "SoundNet: Learning Sound Representations from Unlabeled
Video", NeurIPS 2016, arXiv:1610.09001; kernels and strides of Hebbar and Srinivasa (2017),
"music2vec". Their last convolution of two million weights is separable here, and the mean over the
steps stands for a Flatten of three million, so that the network keeps under 10 MB. SoundNet itself
was trained on two million videos; from a few hundred clips it learns less than networks on
spectrograms do.
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
    (32, 32, 8, (8, 2)),  # 114 x 32
    (64, 16, 2, None),  # 57 x 64
    (128, 8, 2, None),  # 29 x 128
    (256, 4, 2, (4, 2)),  # 6 x 256
    (512, 4, 1, None),  # 6 x 512
    (1024, 4, 1, None),  # 6 x 1024
)


def build(input_shape: tuple[int, int, int], n_classes: int) -> keras.Model:
    """(n, samples, 1, 1) -> label (n, classes), embedding (n, 128)."""
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling1D()(hear(inputs, LAYERS))  # (n, 1024)
    return keras.Model(inputs, label_head(decide(x), n_classes, dropout=0.2), name="soundnet_cnn")
