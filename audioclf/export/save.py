"""Checkpoints are saved here: Keras and ONNX files, compared, with their card, in one piece.

The only way from a Keras model to a checkpoint. The export is read back and must give the outputs
of Keras, on random and on real input; a folder appears under its name only when it is whole.
"""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.features.config import FrontendConfig
from audioclf.models import checkpoint
from audioclf.models.architectures import MAX_BYTES, Architecture
from audioclf.models.architectures._flops import multiply_adds
from audioclf.models.checkpoint import KERAS, ONNX, Checkpoint
from audioclf.models.equivalence import check_same_outputs
from audioclf.storage.atomic import atomic_folder
from audioclf.storage.format import FORMAT


def build_card(
    architecture: Architecture,
    frontend: FrontendConfig,
    classes: tuple[str, ...],
    model: keras.Model,
) -> dict[str, Any]:
    """The part of a card that follows from the model itself."""
    return {
        "format": FORMAT,
        "architecture": architecture.name,
        "description": architecture.description,
        "citation": architecture.reference,
        "frontend": frontend.to_dict(),
        "classes": list(classes),
        "multi_label": architecture.multi_label,
        "input_shape": list(model.input_shape[1:]),
        "outputs": {name: list(x.shape[1:]) for name, x in model.output.items()},
        "n_params": model.count_params(),
        "multiply_adds": multiply_adds(model),
        "layers": layers(model),
    }


def layers(model: keras.Model) -> list[dict[str, Any]]:
    """Every layer in the order of the model: name, type, output's shape per window, parameters.

    A layer that wraps another counts for both; of several outputs, the first one's shape.
    """
    return [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "output_shape": list(keras.tree.flatten(layer.output)[0].shape[1:]),
            "n_params": layer.count_params(),
        }
        for layer in model.layers
    ]


def save_checkpoint(
    model: keras.Model,
    card: Mapping[str, Any],
    folder: Path,
    sample_input: NDArray[np.float32],
    max_bytes: int = MAX_BYTES,
) -> Checkpoint:
    """Write `model` and `card` as the checkpoint `folder`, replacing one of that name.

    `sample_input` (n, frames, bins, channels) is compared between Keras and ONNX Runtime. Raises
    ValueError where the two differ, where a file is too large, or where the name cannot be used.
    """
    checkpoint.check_name(folder.name)
    if not card["frontend"]["normalisation"]:
        raise ValueError("The front end has no normalisation yet: train the model first.")
    with atomic_folder(folder) as partial:
        bare = _without_optimizer(model)
        _save(bare, partial, max_bytes)
        _compare(bare, partial / ONNX, sample_input)
        full_card = {**card, "sha256": {n: checkpoint.sha256(partial / n) for n in (KERAS, ONNX)}}
        checkpoint.write_card(partial, full_card)
    return checkpoint.read(folder)


def _without_optimizer(model: keras.Model) -> keras.Model:
    """The same model, never compiled: a compiled one is saved with the optimizer's moments."""
    bare = keras.Model.from_config(model.get_config())
    bare.set_weights(model.get_weights())
    return bare


def _save(model: keras.Model, folder: Path, max_bytes: int) -> None:
    """`model.keras` and `model.onnx`, neither larger than that."""
    model.save(folder / KERAS)
    spec = keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32")
    with _quiet():
        model.export(folder / ONNX, format="onnx", input_signature=[spec], verbose=False)
    for name in (KERAS, ONNX):
        n_bytes = (folder / name).stat().st_size
        if n_bytes > max_bytes:
            raise ValueError(
                f"{name} has {n_bytes / 1e6:.1f} MB and may have {max_bytes / 1e6:.0f}: make the "
                "model smaller."
            )


@contextlib.contextmanager
def _quiet() -> Any:
    """tf2onnx and TensorFlow narrate an export at length; only their errors are let through."""
    loggers = [logging.getLogger(name) for name in ("tf2onnx", "tensorflow", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _compare(model: keras.Model, onnx_file: Path, sample_input: NDArray[np.float32]) -> None:
    """Keras and ONNX Runtime on random and real input, one window and several."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    input_name = session.get_inputs()[0].name
    if set(names) != set(model.output):
        raise ValueError(f"The export has the outputs {names}, not {sorted(model.output)}.")
    random = np.random.default_rng(0).normal(size=(7, *model.input_shape[1:])).astype(np.float32)
    for batch in (random[:1], random, sample_input[:1], sample_input[:7]):
        expected = model(batch, training=False)
        outputs = dict(zip(names, session.run(names, {input_name: batch}), strict=True))
        check_same_outputs(expected, outputs, "Keras and ONNX Runtime")
