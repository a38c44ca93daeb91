"""Every network's time per window, to predict and to train, beside its arithmetic.

Run it as `python benchmarks/architectures.py [NAME ...]`; it prints a Markdown table of medians.
The alternative in the same run is one large matrix product on the same cores: how long it takes for
as many multiply-adds as the network has. The ratio says how far a network is from its arithmetic.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnxruntime

from audioclf.export.save import _quiet
from audioclf.models import architectures
from audioclf.models.architectures._flops import multiply_adds
from audioclf.training import loop

N_WINDOWS, ROUNDS, N_CLASSES, SIDE = 16, 7, 10, 1_024


def main(names: list[str]) -> None:
    """A row per network."""
    per_second = _multiply_adds_per_second()
    print(
        f"\nOne matrix product of {SIDE} x {SIDE}: {per_second / 1e9:.0f} G multiply-adds a second."
    )
    print(
        f"\n| network, per window in batches of {N_WINDOWS} | multiply-adds, M | arithmetic, ms | "
        "ONNX Runtime, ms | ratio | training, ms | ratio to three times the arithmetic |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in names or architectures.names():
        keras.utils.clear_session()
        network = architectures.load(name)
        shape = network.recipe.input_shape
        model = network.build(shape, N_CLASSES)
        arithmetic_ms = 1_000 * multiply_adds(model) / per_second
        predict_ms, train_ms = _predict_ms(model, shape), _train_ms(model, shape)
        print(
            f"| `{name}` | {multiply_adds(model) / 1e6:.1f} | {arithmetic_ms:.2f} | "
            f"{predict_ms:.2f} | {predict_ms / arithmetic_ms:.1f} | {train_ms:.1f} | "
            f"{train_ms / arithmetic_ms / 3:.1f} |",
            flush=True,
        )


def _windows(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N_WINDOWS, *shape)).astype(np.float32)


def _predict_ms(model: keras.Model, shape: tuple[int, int, int]) -> float:
    """As `audioclf.inference.predict` runs it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        spec = keras.InputSpec(shape=(None, *shape), dtype="float32")
        with _quiet():
            model.export(path, format="onnx", input_signature=[spec], verbose=False)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: _windows(shape)}
    return 1_000 * _median_s(lambda: session.run(["label"], inputs)) / N_WINDOWS


def _train_ms(model: keras.Model, shape: tuple[int, int, int]) -> float:
    """One step of what `audioclf.training.loop` does, its first ones not counted."""
    model.compile(keras.optimizers.AdamW(1e-3), loss=loop.losses(model), jit_compile=False)
    inputs = _windows(shape)
    labels = np.eye(N_CLASSES, dtype=np.float32)[np.arange(N_WINDOWS) % N_CLASSES]
    targets = loop.targets_of(model, inputs, labels)
    return 1_000 * _median_s(lambda: model.train_on_batch(inputs, targets)) / N_WINDOWS


def _multiply_adds_per_second() -> float:
    square = np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32)
    return SIDE**3 / _median_s(lambda: square @ square)


def _median_s(run: Callable[[], object]) -> float:
    run()
    run()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
