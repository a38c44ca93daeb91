"""The time per window of a model on this machine, measured once per set of weights."""

import statistics
import threading
import time
from typing import Any

import numpy as np

from audioclf.inference.onnx_session import InferenceFn, load_classifier, open_session
from audioclf.models.checkpoint import Checkpoint

N_RUNS = 5
MS = 1_000
_measured_ms: dict[str, float] = {}  # by checkpoint.weights_sha256
_one_at_a_time = threading.Lock()  # two models at a time would slow each other down


def known_ms(model: Checkpoint) -> float | None:
    """Milliseconds per window as measured before, or None; an ensemble's is its members' sum."""
    measured = [_measured_ms.get(member.weights_sha256()) for member in model.load_members()]
    return sum(ms for ms in measured if ms is not None) if None not in measured else None


def measure(model: Checkpoint) -> float | None:
    """Milliseconds per window, the median of a few runs, or None where it cannot be opened.

    The window holds noise: the model alone is timed, without the features.
    """
    with _one_at_a_time:
        try:
            for member in model.load_members():
                if member.weights_sha256() not in _measured_ms:
                    _measured_ms[member.weights_sha256()] = _run_ms(member)
        except Exception:  # ONNX Runtime's errors have no common base but Exception
            return None
        return known_ms(model)


def _run_ms(model: Checkpoint) -> float:
    """The median of one model, with its backbone; its sessions are not kept."""
    classify = load_classifier(model, open_session)
    window = _noise((1, *model.frontend.input_shape))
    classify(window)  # the first run is slower: it allocates
    return MS * statistics.median(_seconds(classify, window) for _ in range(N_RUNS))


def _seconds(classify: InferenceFn, window: Any) -> float:
    started = time.perf_counter()
    classify(window)
    return time.perf_counter() - started


def _noise(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
