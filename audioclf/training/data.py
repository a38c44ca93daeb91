"""Labelled clips as features, and the varied windows that a network is trained on."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.datasets.dataset import Dataset
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig, Normalisation
from audioclf.features.windowing import Features
from audioclf.training import augmentation, feature_cache
from audioclf.training.config import Settings
from audioclf.training.waveform_augmentation import Variants

MIN_STD, MIN_SHARE = 1e-9, 1e-4
MIN_STD_DB = 1.0
N_AHEAD = 2  # batches that are prepared while the network computes

Made = tuple[Features, ...]  # a clip as it is, and its variants: (frames, bins, channels) each


@dataclass(frozen=True)
class TrainingSet:
    """Clips as features, not normalised, with the recipe that has learnt to normalise them."""

    clips: tuple[Made, ...]
    targets: NDArray[np.float32]  # (clips, classes)
    classes: tuple[str, ...]
    recipe: FrontendConfig

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Frames, bins and channels of a window."""
        return self.recipe.input_shape

    def sample_input(self, n_windows: int = 7) -> Features:
        """The first window of the first clips, normalised, (windows, frames, bins, channels)."""
        parts = [clip[0][: self.recipe.window_frames] for clip in self.clips[:n_windows]]
        return windowing.finish(self.recipe, np.stack(parts))


class Batch(NamedTuple):
    """What a network is shown in one step."""

    inputs: Features  # (windows, frames, bins, channels), varied and normalised
    targets: NDArray[np.float32]  # (windows, classes), smoothed and weighted
    waited_s: float = 0.0  # how long the network had nothing to do


def training_set(
    data: Dataset,
    recipe: FrontendConfig,
    classes: tuple[str, ...],
    variants: Variants | None = None,
    progress: Callable[[Iterable[Made]], Iterable[Made]] = iter,
) -> TrainingSet:
    """The clips' features; mean and deviation per bin are learnt on them, unless they are given.

    Raises ValueError (AudioError) for a clip that cannot be read.
    """
    paths = [clip.path for clip in data.clips]
    made = feature_cache.AllFeatures(recipe, paths, variants or Variants(count=0))
    clips = tuple(progress(made))
    indices = [classes.index(clip.label) for clip in data.clips]
    targets = np.eye(len(classes), dtype=np.float32)[indices]
    if recipe.normalisation is None:
        recipe = replace(recipe, normalisation=_learn(recipe, (clip[0] for clip in clips)))
    return TrainingSet(clips, targets, classes, recipe)


def _learn(recipe: FrontendConfig, clips: Iterable[Features]) -> Normalisation:
    """Mean and deviation per bin and channel of what a network would see of the clips."""
    parts = []
    for clip in clips:
        inputs = clip[None]
        if recipe.definition.summarise:
            starts = windowing.window_starts(recipe, len(clip))
            inputs = windowing.cut_windows(recipe, clip, starts)
        seen = windowing.expand(recipe, inputs)
        parts.append(seen.reshape(-1, *seen.shape[2:]))
    frames = np.concatenate(parts).astype(np.float64)
    std = frames.std(axis=0)
    # A bin that never changes stays quiet; measured by the whole channel, whatever its unit.
    std = np.maximum(std, np.maximum(MIN_SHARE * frames.std(axis=(0, 1)), _least(recipe)))
    return Normalisation(_rounded(frames.mean(axis=0)), _rounded(std))


def _least(recipe: FrontendConfig) -> NDArray[np.float64]:
    """The least deviation of each channel, (channels,): levels are varied by decibels."""
    units = [channel.unit for channel in recipe.definition.channels]
    least = [MIN_STD_DB if unit in ("dB", "ratio") else MIN_STD for unit in units]
    n_deltas = recipe.input_shape[2] - len(least)
    return np.array(least + [MIN_STD] * n_deltas)


def _rounded(values: NDArray[np.floating]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{v:.7g}") for v in row) for row in values)


def n_batches(data: TrainingSet, settings: Settings) -> int:
    """Batches of an epoch; every clip gives one window."""
    return math.ceil(len(data.clips) / settings.batch_size)


def batches(data: TrainingSet, settings: Settings, epoch: int) -> Iterator[Batch]:
    """One epoch's batches, the same for the same seed and epoch, prepared ahead in a thread."""
    feature, n_frames = data.recipe.definition, data.recipe.window_frames
    plan = augmentation.plan(settings.augmentation, feature, n_frames)
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(data.clips))
    weights = class_weights(data.targets) if settings.class_weights else np.float32(1)

    def make(number: int) -> Batch:
        rng = np.random.default_rng([settings.seed, epoch, number])
        chosen = order[number * settings.batch_size :][: settings.batch_size]
        inputs, targets = augmentation.vary(data.clips, data.targets, chosen, plan, rng)
        smooth = settings.label_smoothing
        targets = (1 - smooth) * targets + smooth / targets.shape[1]
        finished = augmentation.mask(windowing.finish(data.recipe, inputs), plan.settings, rng)
        return Batch(finished, (targets * weights).astype(np.float32))

    total = n_batches(data, settings)
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(make, number) for number in range(min(N_AHEAD, total)))
        for number in range(total):
            started = time.perf_counter()
            batch = coming.popleft().result()
            waited_s = time.perf_counter() - started
            if number + N_AHEAD < total:
                coming.append(pool.submit(make, number + N_AHEAD))
            yield batch._replace(waited_s=waited_s)


def class_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a clip of each class counts for, (clips, classes) -> (classes,); 1 where all are even.

    Clips divided by classes and by the class' own clips, scikit-learn's “balanced”.
    """
    n_clips = np.maximum(targets.sum(axis=0), 1)
    present = (targets.sum(axis=0) > 0).sum()
    weights: NDArray[np.float32] = (len(targets) / (present * n_clips)).astype(np.float32)
    return weights
