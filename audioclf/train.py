"""Training: from a labelled folder to a trained network, epoch by epoch.

`fit` is a generator of EpochReport; its run is a folder that holds the last kept epoch's network
with the optimizer's state and the average of its weights, so a run that was ended goes on where it
stopped when it is started again. Loss and target follow from an output's name: `label...` is a
classifier, `reconstruction` has the input as its target, everything else has none.
"""

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.random import SeedGenerator
from numpy.typing import NDArray

from audioclf.architectures import Architecture
from audioclf.settings import Settings
from audioclf.training_set import Batch, TrainingSet, batches, n_batches
from audioclf.windows import Features

STATE = "state.json"
SAVE_EVERY = 5  # epochs

Weights = list[NDArray[Any]]


@dataclass(frozen=True)
class EpochReport:
    """One epoch, as it ended. Accuracy is on the varied training windows, mixtures included."""

    epoch: int  # from 1
    n_epochs: int
    loss: float
    accuracy: float
    seconds: float
    waited_s: float  # of these, for batches


def fit(
    architecture: Architecture,
    data: TrainingSet,
    settings: Settings,
    run: Path,
    from_weights: Weights | None = None,
) -> Iterator[EpochReport]:
    """Train in the folder `run`, or go on there; the trained network is `trained(run)`.

    `from_weights`: of the same network, to start from. Raises ValueError where the loss is lost.
    """
    if architecture.multi_label:  # a weighted target would be another probability
        settings = replace(settings, class_weights=False)
    keras.utils.set_random_seed(settings.seed)
    state = _State.of(run, settings.average)
    if state.epoch == 0:
        model = _compiled(architecture, data, settings)
        if from_weights is not None:
            model.set_weights(from_weights)
    else:
        model = keras.saving.load_model(_network(run, state.epoch))
    for epoch in range(state.epoch + 1, settings.epochs + 1):
        _seed_dropout(model, settings.seed, epoch)
        report = _epoch(model, batches(data, settings, epoch), state, (epoch, settings.epochs))
        if epoch % SAVE_EVERY == 0 or epoch == settings.epochs:
            state.keep(model, run)
        yield report


def trained(run: Path) -> keras.Model:
    """The network of a run as it was last kept, with the average of its weights."""
    state = _State.of(run, 0.0)
    model = keras.saving.load_model(_network(run, state.epoch))
    if state.average:
        model.set_weights(state.average)
    return model


def history(run: Path) -> dict[str, list[float]]:
    """Loss and accuracy of every epoch of a run, as it was last kept."""
    reports = json.loads((run / STATE).read_text())["reports"]
    return {name: [round(one[name], 4) for one in reports] for name in ("loss", "accuracy")}


def n_epochs_done(run: Path) -> int:
    """Epochs that a run has behind it and would not repeat."""
    return _State.of(run, 0.0).epoch


def seconds(run: Path) -> float:
    """How long a run's epochs took, together."""
    return sum(one["seconds"] for one in json.loads((run / STATE).read_text())["reports"])


def _epoch(
    model: keras.Model, shown: Iterator[Batch], state: "_State", number: tuple[int, int]
) -> EpochReport:
    """One pass over the clips; raises ValueError where the loss is no number any more."""
    started, waited_s = time.perf_counter(), 0.0
    found, n_windows = [], []
    for batch in shown:
        waited_s += batch.waited_s
        targets = targets_of(model, batch.inputs, batch.targets)
        logs = model.train_on_batch(batch.inputs, targets, return_dict=True)
        accuracy = logs.get("label_accuracy", logs.get("accuracy", math.nan))
        found.append((float(logs["loss"]), float(accuracy)))
        n_windows.append(len(batch.inputs))
        state.step(model)
    loss, accuracy = np.average(found, axis=0, weights=n_windows).tolist()
    if not math.isfinite(loss):
        raise ValueError(
            f"The loss is no number after epoch {number[0]}: train again with a lower rate."
        )
    passed_s = time.perf_counter() - started
    report = EpochReport(*number, loss, accuracy, passed_s, waited_s)
    state.reports.append(asdict(report))
    return report


def _compiled(architecture: Architecture, data: TrainingSet, settings: Settings) -> keras.Model:
    model = architecture.build(data.input_shape, len(data.classes))
    n_steps = n_batches(data, settings) * settings.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=settings.learning_rate / 100,
        decay_steps=n_steps,
        warmup_target=settings.learning_rate,
        warmup_steps=max(1, n_steps // 20),
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, clipnorm=1.0),
        loss=losses(model),
        metrics={"label": "accuracy"},
        jit_compile=False,  # compiling costs more than it gains on the processor
    )
    return model


def losses(model: keras.Model) -> dict[str, str | None]:
    """The loss of every output, from its name; they are summed as they are."""
    return {name: _loss(model, name) for name in model.output}


def _loss(model: keras.Model, output: str) -> str | None:
    if output.startswith("label"):
        activation = getattr(model.get_layer(output), "activation", None)
        is_independent = activation is keras.activations.sigmoid
        return "binary_crossentropy" if is_independent else "categorical_crossentropy"
    return "mean_squared_error" if output == "reconstruction" else None


def targets_of(model: keras.Model, inputs: Features, labels: NDArray) -> dict[str, Any]:
    """One target per output; outputs without a loss get one that nothing reads."""
    return {name: inputs if name == "reconstruction" else labels for name in model.output}


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Dropout of the same seed and epoch is the same: a saved network forgets where it was."""
    rng = np.random.default_rng([seed, epoch, 1])
    for layer in model._flatten_layers():
        if isinstance(generator := getattr(layer, "seed_generator", None), SeedGenerator):
            generator.state.assign(np.array([rng.integers(2**31), 0], np.uint32))


@dataclass
class _State:
    """What a run has behind it, beside its network: reports, and the average of the weights.

    The average moves by a tenth at first, and ever less, down to 1 - `decay` of a step; the
    statistics of batch normalisations are averaged like the weights.
    """

    decay: float
    reports: list[dict[str, Any]]
    average: Weights
    n_steps: int

    @property
    def epoch(self) -> int:
        """The last epoch, from 1; 0 before the first."""
        return len(self.reports)

    @classmethod
    def of(cls, run: Path, decay: float) -> "_State":
        """As it was last kept in the folder; a new one where there is none."""
        if not (run / STATE).is_file():
            return cls(decay, [], [], 0)
        kept = json.loads((run / STATE).read_text())
        with np.load(_average(run, kept["epoch"])) as arrays:
            average = [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
        return cls(decay, kept["reports"], average, kept["n_steps"])

    def step(self, model: keras.Model) -> None:
        """Take the weights after a step into the average."""
        if not self.decay:
            return
        self.n_steps += 1
        weights = model.get_weights()
        stays = min(self.decay, self.n_steps / (9 + self.n_steps))
        if not self.average:
            self.average = [weight.copy() for weight in weights]
        for mean, weight in zip(self.average, weights, strict=True):
            mean *= stays
            mean += (1 - stays) * weight

    def keep(self, model: keras.Model, run: Path) -> None:
        """The network and the average first, then the state that names them, whole or not."""
        run.mkdir(parents=True, exist_ok=True)
        old = [path for path in run.iterdir() if path.name != STATE]
        model.save(_network(run, self.epoch))
        np.savez(_average(run, self.epoch), *self.average)
        part = run / f"part-{STATE}"
        part.write_text(
            json.dumps({"epoch": self.epoch, "n_steps": self.n_steps, "reports": self.reports})
        )
        os.replace(part, run / STATE)
        for path in old:
            path.unlink(missing_ok=True)


def _network(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.keras"


def _average(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.npz"
