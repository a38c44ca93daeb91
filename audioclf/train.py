"""Training: from a labelled folder to a trained network, epoch by epoch.

`fit` is a generator of EpochReport; its run is a folder that holds the last epoch's network with
the optimizer's state, so a run that was ended goes on where it stopped when it is started again.
Loss and target follow from an output's name: `label...` is a classifier, `reconstruction` has the
input as its target, everything else has none.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.random import SeedGenerator
from numpy.typing import NDArray

from audioclf import augment, feature_cache, windows
from audioclf.architectures import Architecture
from audioclf.augment import Augmentation
from audioclf.dataset import Dataset
from audioclf.recipe import Normalisation, Recipe
from audioclf.windows import Features

LAST, STATE = "last.keras", "state.json"
SAVE_EVERY = 5  # epochs
MIN_STD, MIN_SHARE = 1e-9, 1e-4


@dataclass(frozen=True)
class Settings:
    """How a network is trained; stands in its card."""

    epochs: int = 80
    batch_size: int = 16
    learning_rate: float = 2e-3  # the peak, after 5 % of the steps; then a cosine down to 0
    weight_decay: float = 0.02
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("Training needs at least one epoch and one window per batch.")


@dataclass(frozen=True)
class EpochReport:
    """One epoch, as it ended. Accuracy is on the varied training windows, mixtures included."""

    epoch: int  # from 1
    n_epochs: int
    loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class TrainingSet:
    """Clips as features, not normalised, with the recipe that has learnt to normalise them."""

    clips: tuple[Features, ...]  # (frames, bins, channels) each
    targets: NDArray[np.float32]  # (clips, classes)
    classes: tuple[str, ...]
    recipe: Recipe

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Frames, bins and channels of a window."""
        return self.recipe.input_shape

    def real_input(self, n_windows: int = 7) -> Features:
        """The first window of the first clips, normalised, (windows, frames, bins, channels)."""
        parts = [clip[: self.recipe.window_frames] for clip in self.clips[:n_windows]]
        return windows.finish(self.recipe, np.stack(parts))


def training_set(
    data: Dataset,
    recipe: Recipe,
    classes: tuple[str, ...],
    progress: Callable[[Iterable[Features]], Iterable[Features]] = iter,
) -> TrainingSet:
    """The clips' features, and the recipe with mean and deviation per bin learnt on them.

    Raises ValueError (AudioError) for a clip that cannot be read.
    """
    clips = tuple(progress(feature_cache.all_features(recipe, (c.path for c in data.clips))))
    indices = [classes.index(clip.label) for clip in data.clips]
    targets = np.eye(len(classes), dtype=np.float32)[indices]
    return TrainingSet(
        clips, targets, classes, replace(recipe, normalisation=_learn(recipe, clips))
    )


def _learn(recipe: Recipe, clips: Iterable[Features]) -> Normalisation:
    """Mean and deviation per bin and channel of what a network would see of the clips."""
    parts = []
    for clip in clips:
        inputs = clip[None]
        if recipe.definition.summarise:
            starts = windows.window_starts(recipe, len(clip))
            inputs = windows.cut_windows(recipe, clip, starts)
        seen = windows.expand(recipe, inputs)
        parts.append(seen.reshape(-1, *seen.shape[2:]))
    frames = np.concatenate(parts).astype(np.float64)
    std = frames.std(axis=0)
    # A bin that never changes stays quiet; measured by the whole channel, whatever its unit.
    std = np.maximum(std, np.maximum(MIN_SHARE * frames.std(axis=(0, 1)), MIN_STD))
    return Normalisation(_rounded(frames.mean(axis=0)), _rounded(std))


def _rounded(values: NDArray[np.floating]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{v:.7g}") for v in row) for row in values)


def fit(
    architecture: Architecture, data: TrainingSet, settings: Settings, run: Path
) -> Iterator[EpochReport]:
    """Train in the folder `run`, or go on there; the trained network is `trained(run)`."""
    keras.utils.set_random_seed(settings.seed)
    first_epoch, model = _start(architecture, data, settings, run)
    for epoch in range(first_epoch, settings.epochs + 1):
        started = time.perf_counter()
        _seed_dropout(model, settings.seed, epoch)
        inputs, targets = _epoch_batches(data, settings, epoch)
        history = model.fit(
            inputs,
            targets_of(model, inputs, targets),
            batch_size=settings.batch_size,
            shuffle=False,
            verbose=0,
        ).history
        if not math.isfinite(history["loss"][0]):
            raise ValueError(
                f"The loss is no number after epoch {epoch}: train again with a lower rate."
            )
        report = EpochReport(
            epoch,
            settings.epochs,
            float(history["loss"][0]),
            float(history.get("label_accuracy", history.get("accuracy", [math.nan]))[0]),
            time.perf_counter() - started,
        )
        if epoch % SAVE_EVERY == 0 or epoch == settings.epochs:
            _keep(model, report, run)
        yield report


def trained(run: Path) -> keras.Model:
    """The network of a run, as its last kept epoch left it, with the optimizer's state."""
    return keras.saving.load_model(run / LAST)


def n_epochs_done(run: Path) -> int:
    """Epochs that a run has behind it and would not repeat."""
    state = run / STATE
    return int(json.loads(state.read_text())["epoch"]) if state.is_file() else 0


def _start(
    architecture: Architecture, data: TrainingSet, settings: Settings, run: Path
) -> tuple[int, keras.Model]:
    run.mkdir(parents=True, exist_ok=True)
    if done := n_epochs_done(run):
        return done + 1, trained(run)
    model = architecture.build(data.input_shape, len(data.classes))
    n_steps = math.ceil(len(data.clips) / settings.batch_size) * settings.epochs
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
    return 1, model


def losses(model: keras.Model) -> dict[str, str | None]:
    """The loss of every output, from its name; they are summed as they are."""
    return {name: _loss(name) for name in model.output}


def _loss(output: str) -> str | None:
    if output.startswith("label"):
        return "categorical_crossentropy"
    return "mean_squared_error" if output == "reconstruction" else None


def targets_of(model: keras.Model, inputs: Features, labels: NDArray) -> dict[str, Any]:
    """One target per output; outputs without a loss get one that nothing reads."""
    return {name: inputs if name == "reconstruction" else labels for name in model.output}


def _epoch_batches(
    data: TrainingSet, settings: Settings, epoch: int
) -> tuple[Features, NDArray[np.float32]]:
    """The varied, normalised windows of one epoch: the same for the same seed and epoch."""
    rng = np.random.default_rng([settings.seed, epoch])
    recipe = data.recipe
    how = augment.suited(settings.augmentation, recipe.definition)
    batch, targets = augment.vary(data.clips, data.targets, recipe.window_frames, how, rng)
    return augment.mask(windows.finish(recipe, batch), how, rng), targets


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Dropout of the same seed and epoch is the same: a saved network forgets where it was."""
    rng = np.random.default_rng([seed, epoch, 1])
    for layer in model._flatten_layers():
        if isinstance(generator := getattr(layer, "seed_generator", None), SeedGenerator):
            generator.state.assign(np.array([rng.integers(2**31), 0], np.uint32))


def _keep(model: keras.Model, report: EpochReport, run: Path) -> None:
    """The network first, then the state that names it: what is read is always whole."""
    part = run / f"part-{LAST}"
    model.save(part)
    os.replace(part, run / LAST)
    state = run / f"part-{STATE}"
    state.write_text(json.dumps(asdict(report)))
    os.replace(state, run / STATE)
