"""The folder of a training run: its last saved epoch, from which an interrupted run goes on.

The model with the optimizer's state and the average of its weights lie in files of their own; the
state names them and is replaced last, so the folder is whole at any moment.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.storage.files import write_json
from audioclf.storage.format import FORMAT, METRICS, NewerFormatError, rename
from audioclf.storage.format import check as check_format

STATE = "state.json"
HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy")

Weights = list[NDArray[Any]]


class _Snapshot(NamedTuple):
    """The variables between two epochs."""

    variables: Weights
    ema_weights: Weights
    n_steps: int


@dataclass
class RunState:
    """The state of a run except its model: the epochs' reports, and the average of the weights.

    The average moves by a tenth at first, and ever less, down to 1 - `decay` of a step; the
    statistics of batch normalisations are averaged like the weights.
    """

    decay: float
    reports: list[dict[str, Any]]
    ema_weights: Weights
    n_steps: int
    last_saved_epoch: int = 0
    last_saved_at: float = field(default_factory=time.monotonic)

    @property
    def epoch(self) -> int:
        """The last epoch, from 1; 0 before the first."""
        return len(self.reports)

    def step(self, model: keras.Model) -> None:
        """Update the moving average with the weights after a step."""
        if not self.decay:
            return
        self.n_steps += 1
        weights = model.get_weights()
        retained = min(self.decay, self.n_steps / (9 + self.n_steps))
        if not self.ema_weights:
            self.ema_weights = [weight.copy() for weight in weights]
        for mean, weight in zip(self.ema_weights, weights, strict=True):
            mean *= retained
            mean += (1 - retained) * weight

    def snapshot(self, model: keras.Model) -> _Snapshot:
        """The variables as they are now, for `restore`."""
        values = [np.array(keras.ops.convert_to_numpy(one)) for one in _variables(model)]
        return _Snapshot(values, [mean.copy() for mean in self.ema_weights], self.n_steps)

    def restore(self, model: keras.Model, to: _Snapshot) -> None:
        """Put model, optimizer and average back."""
        for variable, value in zip(_variables(model), to.variables, strict=True):
            variable.assign(value)
        self.ema_weights, self.n_steps = to.ema_weights, to.n_steps

    def save(self, model: keras.Model, run: Path) -> None:
        """Write the model and the average first, then the state that names them, in one piece."""
        run.mkdir(parents=True, exist_ok=True)
        old = [path for path in run.iterdir() if path.name != STATE]
        model.save(_model_file(run, self.epoch))
        np.savez(_ema_file(run, self.epoch), *self.ema_weights)
        values = {
            "format": FORMAT, "epoch": self.epoch, "n_steps": self.n_steps, "reports": self.reports
        }  # fmt: skip
        write_json(run / STATE, values)
        new = {_model_file(run, self.epoch), _ema_file(run, self.epoch)}
        for path in set(old) - new:
            path.unlink(missing_ok=True)
        self.last_saved_epoch, self.last_saved_at = self.epoch, time.monotonic()


def load_state(run: Path, decay: float = 0.0) -> RunState:
    """The run's state as it was last saved; a new one where there is none."""
    if not (run / STATE).is_file():
        return RunState(decay, [], [], 0)
    values = json.loads((run / STATE).read_text())
    try:
        check_format(values)
    except NewerFormatError as error:
        raise ValueError(f"The saved epoch of this training {error}: update audioclf.") from error
    with np.load(_ema_file(run, values["epoch"])) as arrays:
        ema_weights = [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
    reports = [rename(report, METRICS) for report in values["reports"]]
    return RunState(decay, reports, ema_weights, values["n_steps"], values["epoch"])


def load_last(run: Path, state: RunState) -> keras.Model:
    """The model of the last saved epoch, with its optimizer."""
    return keras.saving.load_model(_model_file(run, state.epoch))


def load_averaged(run: Path) -> keras.Model:
    """The model of the last saved epoch, with the average of its weights.

    Raises ValueError where no epoch was saved.
    """
    state = load_state(run)
    if not state.epoch:
        raise ValueError("No epoch was finished, so there is nothing to save: resume the training.")
    model = load_last(run, state)
    if state.ema_weights:
        model.set_weights(state.ema_weights)
    return model


def history(run: Path) -> dict[str, list[float]]:
    """Loss and accuracy of every saved epoch, on training and validation clips, for cards."""
    reports = load_state(run).reports
    return {
        name: [round(report[name], 4) for report in reports]
        for name in HISTORY
        if all(report.get(name) is not None for report in reports)
    }


def n_epochs_done(run: Path) -> int:
    """Epochs that are saved, and not trained again."""
    return load_state(run).epoch


def seconds(run: Path) -> float:
    """How long a run's epochs took, together."""
    return sum(report["seconds"] for report in load_state(run).reports)


def _variables(model: keras.Model) -> list[Any]:
    """Weights, the optimizer's and the seeds of dropout."""
    return [*model.variables, *model.optimizer.variables]


def _model_file(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.keras"


def _ema_file(run: Path, epoch: int) -> Path:
    return run / f"epoch-{epoch}.npz"
