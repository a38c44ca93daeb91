"""Models as functions of windows, with ONNX Runtime: sessions are opened once and cached.

A linear head is computed on the embedding of its backbone, which is another checkpoint.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf import threads
from audioclf.features.windowing import Windows
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

MAX_BATCH = 64  # windows at a time: bounds memory on long sounds
MAX_THREADS = 4  # of one model: several run at once, and they are small

InferenceFn = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # of a batch of windows
SessionFactory = Callable[[str, str], Any]  # (path, SHA-256) -> ONNX Runtime session


def load_classifier(model: Checkpoint, open_model: SessionFactory | None = None) -> InferenceFn:
    """The model as a function, (windows, frames, bins, channels) -> (windows, classes).

    `open_model`: opens a session; by default sessions are cached.
    """
    open_model = open_model or _cached_session
    session = _open(model, open_model)
    name = session.get_inputs()[0].name
    backbone = model.load_backbone()
    embed = load_embedder(backbone, open_model) if backbone else None

    def classify(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32]
        (probabilities,) = session.run(["label"], {name: embed(inputs) if embed else inputs})
        return probabilities

    return classify


def load_embedder(model: Checkpoint, open_model: SessionFactory | None = None) -> InferenceFn:
    """The model up to its embedding, (windows, ...) -> (windows, d)."""
    return load_output(model, "embedding", open_model)


def load_output(
    model: Checkpoint, output: str, open_model: SessionFactory | None = None
) -> InferenceFn:
    """The model up to one of its outputs, such as `attention`, (windows, ...) -> (windows, ...)."""
    session = _open(model, open_model or _cached_session)
    name = session.get_inputs()[0].name
    return lambda inputs: session.run([output], {name: inputs})[0]


def run_batched(
    infer: InferenceFn, parts: Iterable[Windows]
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.float32]]:
    """Starts and ends in seconds, (windows,), and the model's output, (windows, ...).

    Computed in batches. Raises ValueError where the output is not finite.
    """
    starts_s, ends_s, batches = [], [], []
    for part in parts:
        starts_s.append(part.starts_s)
        ends_s.append(part.ends_s)
        for first in range(0, len(part.inputs), MAX_BATCH):
            batches.append(infer(part.inputs[first : first + MAX_BATCH]))
    outputs = np.concatenate(batches)
    if not np.isfinite(outputs).all():
        raise ValueError(
            "This sound is so far beyond full scale that the model finds no number for it: "
            "export it with a lower level."
        )
    return np.concatenate(starts_s), np.concatenate(ends_s), outputs


def _open(model: Checkpoint, open_model: SessionFactory) -> Any:
    return open_model(str(model.folder / checkpoint.ONNX), model.weights_sha256())


@lru_cache(maxsize=32)
def _cached_session(path: str, sha256: str) -> Any:
    """A cached session; a replaced file has another SHA-256 and gets a new one."""
    return open_session(path, sha256)


def open_session(path: str | Path, sha256: str) -> Any:
    """An ONNX Runtime session of a file with that SHA-256. Raises ValueError."""
    import onnxruntime

    path = Path(path)
    checkpoint.verify_file(path, sha256)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = min(threads.n_cores(), MAX_THREADS)
    # Idle threads that spin take the cores from the next sound's decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise ValueError(
            f"The model “{path.parent.name}” cannot be opened: copy or publish it again."
        ) from error
