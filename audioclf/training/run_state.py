"""The folder of a training: its last kept epoch, from which an ended run goes on.

The network with the optimizer's state and the average of its weights lie in files of their own;
the state names them and is replaced last, so the folder is whole at any moment.
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

STATE = "state.json"
MEASURES = ("loss", "accuracy", "unseen_loss", "unseen_accuracy")

Weights = list[NDArray[Any]]


class _Snapshot(NamedTuple):
    """A network between two epochs, and what goes with it."""

    variables: Weights
    average: Weights
    n_steps: int


@dataclass
class RunState:
    """What a run has behind it, beside its network: reports, and the average of the weights.

    The average moves by a tenth at first, and ever less, down to 1 - `decay` of a step; the
    statistics of batch normalisations are averaged like the weights.
    """

    decay: float
    reports: list[dict[str, Any]]
    average: Weights
    n_steps: int
    last_saved_epoch: int = 0
    last_saved_at: float = field(default_factory=time.monotonic)

    @property
    def epoch(self) -> int:
        """The last epoch, from 1; 0 before the first."""
        return len(self.reports)

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

    def snapshot(self, model: keras.Model) -> _Snapshot:
        """The network as it is now, to come back to."""
        values = [np.array(keras.ops.convert_to_numpy(one)) for one in _variables(model)]
        return _Snapshot(values, [mean.copy() for mean in self.average], self.n_steps)

    def restore(self, model: keras.Model, to: _Snapshot) -> None:
        """The network, its optimizer and the average as they were."""
        for variable, value in zip(_variables(model), to.variables, strict=True):
            variable.assign(value)
        self.average, self.n_steps = to.average, to.n_steps

    def save(self, model: keras.Model, run: Path) -> None:
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
        new = {_network(run, self.epoch), _average(run, self.epoch)}
        for path in set(old) - new:
            path.unlink(missing_ok=True)
        self.last_saved_epoch, self.last_saved_at = self.epoch, time.monotonic()


def load_state(run: Path, decay: float = 0.0) -> RunState:
    """As it was last kept in the folder; a new one where there is none."""
    if not (run / STATE).is_file():
        return RunState(decay, [], [], 0)
    kept = json.loads((run / STATE).read_text())
    with np.load(_average(run, kept["epoch"])) as arrays:
        average = [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
    return RunState(decay, kept["reports"], average, kept["n_steps"], kept["epoch"])


def load_last(run: Path, state: RunState) -> keras.Model:
    """The network of the last kept epoch, with its optimizer."""
    return keras.saving.load_model(_network(run, state.epoch))


def load_averaged(run: Path) -> keras.Model:
    """The network of a run as it was last kept, with the average of its weights.

    Raises ValueError where no epoch was kept.
    """
    state = load_state(run)
    if not state.epoch:
        raise ValueError("No epoch was finished, so there is nothing to publish: train on.")
    model = load_last(run, state)
    if state.average:
        model.set_weights(state.average)
    return model


def history(run: Path) -> dict[str, list[float]]:
    """Loss and accuracy of every epoch of a run, as it was last kept; also on unseen clips."""
    reports = load_state(run).reports
    return {
        name: [round(one[name], 4) for one in reports]
        for name in MEASURES
        if all(one.get(name) is not None for one in reports)
    }


def n_epochs_done(run: Path) -> int:
    """Epochs that a run has behind it and would not repeat."""
    return load_state(run).epoch


def seconds(run: Path) -> float:
    """How long a run's epochs took, together."""
    return sum(one["seconds"] for one in load_state(run).reports)


def _variables(model: keras.Model) -> list[Any]:
    """Weights, the optimizer's and the seeds of dropout."""
    return [*model.variables, *model.optimizer.variables]


def _network(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.keras"


def _average(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.npz"
