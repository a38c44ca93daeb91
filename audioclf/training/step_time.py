"""How long a step of training takes on this machine: a few are made, and timed."""

import json
import statistics
import time

import keras
import numpy as np

from audioclf.models.checkpoint import KERAS, Checkpoint
from audioclf.storage import paths
from audioclf.storage.atomic import atomic_file
from audioclf.training import loop
from audioclf.training.config import Hyperparameters

START_S = 12.0  # a process, its libraries, the export
N_STEPS = 3  # after a first one that compiles


def training_seconds(
    model: Checkpoint, n_clips: int, settings: Hyperparameters, n_epochs: int | None = None
) -> float:
    """Seconds of training all layers on so many clips, one window of each per epoch.

    n_epochs: other than the settings say. Raises ValueError, as `step_seconds` does.
    """
    n_steps = -(-n_clips // settings.batch_size) * (n_epochs or settings.epochs)
    return START_S + n_steps * step_seconds(model, settings.batch_size)


def step_seconds(model: Checkpoint, batch_size: int) -> float:
    """Seconds of a step on so many windows; measured once per model, then cached.

    Raises ValueError for a model whose Keras file is missing or cannot be read.
    """
    cached = paths.cache_dir() / "step_times" / f"{model.weights_sha256()[:16]}-{batch_size}.json"
    if cached.is_file():
        return float(json.loads(cached.read_text())["seconds"])
    seconds = _measure(model, batch_size)
    cached.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(cached) as part:
        part.write_text(json.dumps({"seconds": seconds}))
    return seconds


def _measure(model: Checkpoint, batch_size: int) -> float:
    path = model.folder / KERAS
    if not path.is_file():
        raise ValueError(f"“{model.name}” lacks {KERAS}: save the checkpoint again.")
    network = keras.saving.load_model(path, compile=False)
    optimizer = keras.optimizers.AdamW(1e-6)
    network.compile(optimizer=optimizer, loss=loop.losses(network), jit_compile=False)
    shape = (batch_size, *model.frontend.input_shape)
    windows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    labels = np.eye(len(model.classes), dtype=np.float32)[np.zeros(batch_size, int)]
    targets = loop.targets_of(network, windows, labels)
    network.train_on_batch(windows, targets)
    seconds = []
    for _ in range(N_STEPS):
        started = time.perf_counter()
        network.train_on_batch(windows, targets)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
