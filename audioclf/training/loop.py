"""The training loop: a model is fitted to a training set, epoch by epoch.

`fit` is a generator of EpochReport; the run's folder holds the model of the last saved epoch with
the optimizer's state and the average of the weights, so an interrupted run goes on when it is
started again. Loss and target follow from an output's name: `label...` is a classifier,
`reconstruction` has the input as its target, everything else has none.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.random import SeedGenerator
from numpy.typing import NDArray

from audioclf.features.windowing import Features
from audioclf.models.architectures import Architecture
from audioclf.training.config import Hyperparameters
from audioclf.training.data import Batch, TrainingSet, batches, n_batches
from audioclf.training.errors import TrainingInterruptedError
from audioclf.training.optimizer import LayeredAdamW
from audioclf.training.run_state import RunState, load_last, load_state
from audioclf.training.validation import Validation, validate

SAVE_EVERY, SAVE_AFTER_S = 20, 30.0  # epochs and seconds, whichever comes first


@dataclass(frozen=True)
class EpochReport:
    """One epoch, as it ended. Accuracy is on the augmented training windows, mixtures included."""

    epoch: int  # from 1
    n_epochs: int
    loss: float
    accuracy: float
    seconds: float
    waited_s: float  # of these, for batches
    val_loss: float | None = None  # in nats, on whole clips that are held out
    val_accuracy: float | None = None  # there, of the average of the weights

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as runs, jobs and cards store them."""
        return asdict(self)


def fit(
    architecture: Architecture,
    data: TrainingSet,
    settings: Hyperparameters,
    run: Path,
    initial_model: keras.Model | None = None,
    validation: Validation | None = None,
) -> Iterator[EpochReport]:
    """Train in the folder `run`, or go on there; `run_state.load_averaged(run)` is the result.

    `initial_model`: a model to start from in place of a new one. Raises ValueError where the loss
    is not finite, and TrainingInterruptedError where `validation.should_stop` says so: then the
    last whole epoch is saved.
    """
    if architecture.multi_label:  # a weighted target would be another probability
        settings = replace(settings, class_weights=False)
    keras.utils.set_random_seed(settings.seed)
    validation = validation or Validation()
    state = load_state(run, settings.ema_decay)
    if state.epoch == 0:
        initial_model = initial_model or architecture.build(data.input_shape, len(data.classes))
        model = _compiled(initial_model, data, settings)
    else:
        model = load_last(run, state)
    for epoch in range(state.epoch + 1, settings.epochs + 1):
        _seed_dropout(model, settings.seed, epoch)
        before = state.snapshot(model)
        try:
            batch_iter = _interruptible(batches(data, settings, epoch), validation)
            report = _train_epoch(model, batch_iter, state, (epoch, settings.epochs))
            report = _with_validation(report, model, state, validation)
        except TrainingInterruptedError:
            if state.epoch > state.last_saved_epoch:
                state.restore(model, before)
                state.save(model, run)
            raise
        state.reports.append(report.to_dict())
        if epoch == settings.epochs or _is_save_due(state):
            state.save(model, run)
        yield report


def _is_save_due(state: RunState) -> bool:
    """Whether so many epochs or seconds have passed since the last save."""
    n_epochs = state.epoch - state.last_saved_epoch
    return n_epochs >= SAVE_EVERY or time.monotonic() - state.last_saved_at > SAVE_AFTER_S


def _interruptible(batch_iter: Iterator[Batch], validation: Validation) -> Iterator[Batch]:
    """The batches, until the training should stop; then raises TrainingInterruptedError."""
    for batch in batch_iter:
        if validation.should_stop():
            raise TrainingInterruptedError
        yield batch


def _with_validation(
    report: EpochReport, model: keras.Model, state: RunState, validation: Validation
) -> EpochReport:
    """With loss and accuracy of the averaged weights on the held-out clips."""
    if validation.clips is None:
        return report
    started = time.perf_counter()
    loss, accuracy = validate(model, validation.clips, state.ema_weights, validation.should_stop)
    seconds = report.seconds + time.perf_counter() - started
    return replace(report, seconds=seconds, val_loss=loss, val_accuracy=accuracy)


def _train_epoch(
    model: keras.Model, batch_iter: Iterator[Batch], state: RunState, number: tuple[int, int]
) -> EpochReport:
    """One pass over the clips; raises ValueError where the loss is not finite."""
    started, waited_s = time.perf_counter(), 0.0
    metrics, n_windows = [], []
    for batch in batch_iter:
        waited_s += batch.waited_s
        targets = targets_of(model, batch.inputs, batch.targets)
        logs = model.train_on_batch(batch.inputs, targets, return_dict=True)
        accuracy = logs.get("label_accuracy", logs.get("accuracy", math.nan))
        metrics.append((float(logs["loss"]), float(accuracy)))
        n_windows.append(len(batch.inputs))
        state.step(model)
    loss, accuracy = np.average(metrics, axis=0, weights=n_windows).tolist()
    if not math.isfinite(loss):
        raise ValueError(
            f"The loss is not finite after epoch {number[0]}: train again with a lower learning "
            "rate."
        )
    elapsed_s = time.perf_counter() - started
    return EpochReport(*number, loss, accuracy, elapsed_s, waited_s)


def _compiled(model: keras.Model, data: TrainingSet, settings: Hyperparameters) -> keras.Model:
    n_steps = n_batches(data, settings) * settings.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=settings.learning_rate / 100,
        decay_steps=n_steps,
        warmup_target=settings.learning_rate,
        warmup_steps=max(1, n_steps // 20),
    )
    model.compile(
        optimizer=_optimizer(model, rate, settings),
        loss=losses(model),
        metrics={"label": "accuracy"},
        jit_compile=False,  # compiling costs more than it gains on the processor
    )
    return model


def _optimizer(model: keras.Model, rate: Any, settings: Hyperparameters) -> keras.Optimizer:
    """AdamW; where the backbone has a rate of its own, that is all but the classifier heads."""
    options = {"learning_rate": rate, "weight_decay": settings.weight_decay, "clipnorm": 1.0}
    if settings.backbone_lr_multiplier == 1:
        return keras.optimizers.AdamW(**options)
    heads = [layer for layer in model.layers if layer.name.startswith("label")]
    head_variables = {id(variable) for layer in heads for variable in layer.trainable_variables}
    new = [
        i for i, variable in enumerate(model.trainable_variables) if id(variable) in head_variables
    ]
    return LayeredAdamW(backbone_lr_multiplier=settings.backbone_lr_multiplier, new=new, **options)


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
    """Dropout is the same for a seed and an epoch: a saved model forgets its generators' state."""
    rng = np.random.default_rng([seed, epoch, 1])
    for layer in model._flatten_layers():
        if isinstance(generator := getattr(layer, "seed_generator", None), SeedGenerator):
            generator.state.assign(np.array([rng.integers(2**31), 0], np.uint32))
