"""A model in the formats of other tools, each read back and compared before it is saved.

TensorFlow's SavedModel, and LiteRT (with a batch of one where the model is recurrent: with any
other, LiteRT needs operations that only TensorFlow has).
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.models.equivalence import check_same_outputs

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)

Outputs = dict[str, NDArray[np.floating]]
Reader = Callable[[NDArray[np.float32]], Outputs]  # of one window


class ModelFormat(StrEnum):
    """The format of another tool."""

    SAVED_MODEL = "saved_model"
    LITERT = "litert"


def export(model: keras.Model, format_name: str, folder: Path, inputs: NDArray[np.float32]) -> Path:
    """Write the model into `folder` in one of `FORMATS`; the file or folder that it made.

    `inputs` (windows, frames, bins, channels) is compared, window by window. Raises ValueError
    where the two differ, and for an unknown format.
    """
    if format_name not in FORMATS:
        raise ValueError(f"There is no format “{format_name}”: choose {' or '.join(FORMATS)}.")
    path, read = FORMATS[format_name](model, folder)
    for window in inputs:
        expected = model(window[None], training=False)
        check_same_outputs(expected, read(window[None]), f"Keras and its {format_name}")
    return path


def _saved_model(model: keras.Model, folder: Path) -> tuple[Path, Reader]:
    import tensorflow as tf

    path = folder / ModelFormat.SAVED_MODEL
    model.export(path, format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(str(path))  # lives as long as the reader
    return path, lambda window: {k: v.numpy() for k, v in loaded.serve(window).items()}


def _litert(model: keras.Model, folder: Path) -> tuple[Path, Reader]:
    import tensorflow as tf

    path = folder / "model.tflite"
    n_windows = 1 if _is_recurrent(model) else None
    spec = keras.InputSpec(shape=(n_windows, *model.input_shape[1:]), dtype="float32")
    try:
        model.export(path, format="litert", input_signature=[spec], verbose=False)
        graph = tf.lite.Interpreter(str(path))
        runner = graph.get_signature_runner("serving_default")
    except Exception as error:  # TensorFlow's converter raises whatever it meets
        raise ValueError(
            "This model cannot be written for LiteRT, which lacks one of its operations: take "
            "model.onnx instead."
        ) from error
    (name,) = runner.get_input_details()
    return path, lambda window: dict(runner(**{name: window}))


def _is_recurrent(model: keras.Model) -> bool:
    return any(isinstance(layer, RECURRENT) for layer in model.layers)


FORMATS: dict[str, Callable[[keras.Model, Path], tuple[Path, Any]]] = {
    ModelFormat.SAVED_MODEL: _saved_model,
    ModelFormat.LITERT: _litert,
}
