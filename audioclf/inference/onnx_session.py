"""Networks as functions of windows, with ONNX Runtime: opened once each and kept.

A head hears through the checkpoint whose embedding it reads.
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
MOST_THREADS = 4  # of one network: several are asked at once, and they are small

InferenceFn = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # of windows, batch by batch
SessionFactory = Callable[[str, str], Any]  # a file and its SHA-256, as an ONNX Runtime session


def load_classifier(network: Checkpoint, opened: SessionFactory | None = None) -> InferenceFn:
    """The network as a function, (windows, frames, bins, channels) -> (windows, classes).

    A head hears through its backbone. `opened`: how sessions are opened; kept unless given.
    """
    opened = opened or _session
    session = _open(network, opened)
    name = session.get_inputs()[0].name
    backbone = network.backbone
    ears = load_embedder(backbone, opened) if backbone else None

    def hear(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32]
        (probabilities,) = session.run(["label"], {name: ears(inputs) if ears else inputs})
        return probabilities

    return hear


def load_embedder(network: Checkpoint, opened: SessionFactory | None = None) -> InferenceFn:
    """The network up to its embedding, (windows, ...) -> (windows, d)."""
    session = _open(network, opened or _session)
    name = session.get_inputs()[0].name
    return lambda inputs: session.run(["embedding"], {name: inputs})[0]


def through(
    hear: InferenceFn, parts: Iterable[Windows]
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.float32]]:
    """Starts and ends in seconds, (windows,), and what is heard, a batch at a time.

    Raises ValueError where that is no number.
    """
    starts_s, ends_s, found = [], [], []
    for part in parts:
        starts_s.append(part.starts_s)
        ends_s.append(part.ends_s)
        for first in range(0, len(part.inputs), MAX_BATCH):
            found.append(hear(part.inputs[first : first + MAX_BATCH]))
    heard = np.concatenate(found)
    if not np.isfinite(heard).all():
        raise ValueError(
            "This sound is so far beyond full scale that the network finds no number for it: "
            "export it with a lower level."
        )
    return np.concatenate(starts_s), np.concatenate(ends_s), heard


def _open(network: Checkpoint, opened: SessionFactory) -> Any:
    return opened(str(network.folder / checkpoint.ONNX), network.weights_sha256)


@lru_cache(maxsize=32)
def _session(path: str, stamp: str) -> Any:
    """A session that is kept; `stamp` opens a new one when the file was replaced."""
    return open_session(path, stamp)


def open_session(path: str | Path, stamp: str) -> Any:
    """An ONNX Runtime session of a file that must be `stamp`. Raises ValueError."""
    import onnxruntime

    path = Path(path)
    checkpoint.verify_file(path, stamp)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = min(threads.n_cores(), MOST_THREADS)
    # Idle threads that spin take the cores from the next sound's decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise ValueError(
            f"The network “{path.parent.name}” cannot be opened: copy or publish it again."
        ) from error
