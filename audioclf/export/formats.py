"""A network in the formats of other tools, each read back and compared before it is offered.

TensorFlow's SavedModel, and LiteRT (with a batch of one where the network is recurrent: with any
other, LiteRT needs operations that only TensorFlow has).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-4
SAVED_MODEL, LITERT = "saved_model", "litert"
RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)

Outputs = dict[str, NDArray[np.floating]]
Reader = Callable[[NDArray[np.float32]], Outputs]  # of one window


def export(model: keras.Model, form: str, folder: Path, inputs: NDArray[np.float32]) -> Path:
    """Write the model into `folder` in one of `FORMATS`; the file or folder that it made.

    `inputs` (windows, frames, bins, channels) is compared, window by window. Raises ValueError
    where the two differ, and for an unknown format.
    """
    if form not in FORMATS:
        raise ValueError(f"There is no format “{form}”: choose {' or '.join(FORMATS)}.")
    path, read = FORMATS[form](model, folder)
    for window in inputs:
        expected, found = model(window[None], training=False), read(window[None])
        for name, values in expected.items():
            worst = float(np.abs(keras.ops.convert_to_numpy(values) - found[name]).max())
            if not worst <= TOLERANCE:
                raise ValueError(
                    f"Keras and its {form} differ by {worst:.1e}, more than {TOLERANCE:.0e}: it is "
                    "not offered."
                )
    return path


def _saved_model(model: keras.Model, folder: Path) -> tuple[Path, Reader]:
    import tensorflow as tf

    path = folder / SAVED_MODEL
    model.export(path, format="tf_saved_model", verbose=False)
    kept = tf.saved_model.load(str(path))  # lives as long as the reader
    return path, lambda window: {k: v.numpy() for k, v in kept.serve(window).items()}


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
            "This network cannot be written for LiteRT, which lacks one of its operations: take "
            "model.onnx instead."
        ) from error
    (name,) = runner.get_input_details()
    return path, lambda window: dict(runner(**{name: window}))


def _is_recurrent(model: keras.Model) -> bool:
    return any(isinstance(layer, RECURRENT) for layer in model.layers)


FORMATS: dict[str, Callable[[keras.Model, Path], tuple[Path, Any]]] = {
    SAVED_MODEL: _saved_model,
    LITERT: _litert,
}
