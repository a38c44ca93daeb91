"""Labelled clips as features, and the augmented windows that a model is trained on."""

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.datasets.dataset import Dataset
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig, Normalisation
from audioclf.features.windowing import Features
from audioclf.progress import Progress
from audioclf.training import augmentation, feature_cache
from audioclf.training.config import Hyperparameters
from audioclf.training.waveform_augmentation import WaveformAugmentation

MIN_STD, MIN_SHARE = 1e-9, 1e-4
MIN_STD_DB = 1.0
N_PREFETCH = 2  # batches that are prepared while the model computes

# Of a clip and of its augmented copies: (frames, bins, channels) each.
ClipFeatures = tuple[Features, ...]


@dataclass(frozen=True)
class TrainingSet:
    """Clips as features, not normalised, and the front end with their normalisation."""

    clips: tuple[ClipFeatures, ...]
    targets: NDArray[np.float32]  # (clips, classes)
    classes: tuple[str, ...]
    frontend: FrontendConfig

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Frames, bins and channels of a window."""
        return self.frontend.input_shape

    def sample_input(self, n_windows: int = 7) -> Features:
        """The first window of the first clips, normalised, (windows, frames, bins, channels)."""
        parts = [clip[0][: self.frontend.window_frames] for clip in self.clips[:n_windows]]
        return windowing.to_model_input(self.frontend, np.stack(parts))


class Batch(NamedTuple):
    """The input and the targets of one training step."""

    inputs: Features  # (windows, frames, bins, channels), augmented and normalised
    targets: NDArray[np.float32]  # (windows, classes), smoothed and weighted
    waited_s: float = 0.0  # how long the training waited for it


def build_training_set(
    data: Dataset,
    frontend: FrontendConfig,
    classes: tuple[str, ...],
    waveform_augmentation: WaveformAugmentation | None = None,
    progress: Progress[ClipFeatures] = iter,
) -> TrainingSet:
    """The clips' features; mean and deviation per bin are fitted on them, unless they are given.

    Raises ValueError (AudioError) for a clip that cannot be read.
    """
    paths = [clip.path for clip in data.clips]
    features = feature_cache.FileFeatures(
        frontend, paths, waveform_augmentation or WaveformAugmentation(count=0)
    )
    clips = tuple(progress(features))
    indices = [classes.index(clip.label) for clip in data.clips]
    targets = np.eye(len(classes), dtype=np.float32)[indices]
    if frontend.normalisation is None:
        frontend = replace(
            frontend, normalisation=_fit_normalisation(frontend, (clip[0] for clip in clips))
        )
    return TrainingSet(clips, targets, classes, frontend)


def _fit_normalisation(frontend: FrontendConfig, clips: Iterable[Features]) -> Normalisation:
    """Mean and deviation per bin and channel of the clips' model inputs."""
    parts = []
    for clip in clips:
        inputs = clip[None]
        if frontend.definition.summarise:
            starts = windowing.window_starts(frontend, len(clip))
            inputs = windowing.cut_windows(frontend, clip, starts)
        inputs = windowing.add_deltas_or_summarize(frontend, inputs)
        parts.append(inputs.reshape(-1, *inputs.shape[2:]))
    frames = np.concatenate(parts).astype(np.float64)
    std = frames.std(axis=0)
    # A bin that never changes stays quiet; measured by the whole channel, whatever its unit.
    std = np.maximum(std, np.maximum(MIN_SHARE * frames.std(axis=(0, 1)), _min_std(frontend)))
    return Normalisation(_rounded(frames.mean(axis=0)), _rounded(std))


def _min_std(frontend: FrontendConfig) -> NDArray[np.float64]:
    """The least deviation of each channel, (channels,): levels are augmented by decibels."""
    units = [channel.unit for channel in frontend.definition.channels]
    min_std = [MIN_STD_DB if unit in ("dB", "ratio") else MIN_STD for unit in units]
    n_deltas = frontend.input_shape[2] - len(min_std)
    return np.array(min_std + [MIN_STD] * n_deltas)


def _rounded(values: NDArray[np.floating]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{v:.7g}") for v in row) for row in values)


def n_batches(data: TrainingSet, settings: Hyperparameters) -> int:
    """Batches of an epoch; every clip gives one window."""
    return math.ceil(len(data.clips) / settings.batch_size)


def batches(data: TrainingSet, settings: Hyperparameters, epoch: int) -> Iterator[Batch]:
    """One epoch's batches, the same for the same seed and epoch, prepared ahead in a thread."""
    feature, n_frames = data.frontend.definition, data.frontend.window_frames
    plan = augmentation.plan(settings.augmentation, feature, n_frames)
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(data.clips))
    weights = class_weights(data.targets) if settings.class_weights else np.float32(1)

    def make(number: int) -> Batch:
        rng = np.random.default_rng([settings.seed, epoch, number])
        indices = order[number * settings.batch_size :][: settings.batch_size]
        inputs, targets = augmentation.augment_batch(data.clips, data.targets, indices, plan, rng)
        smooth = settings.label_smoothing
        targets = (1 - smooth) * targets + smooth / targets.shape[1]
        masked = augmentation.mask(
            windowing.to_model_input(data.frontend, inputs), plan.settings, rng
        )
        return Batch(masked, (targets * weights).astype(np.float32))

    total = n_batches(data, settings)
    with ThreadPoolExecutor(1) as pool:
        prefetched = deque(pool.submit(make, number) for number in range(min(N_PREFETCH, total)))
        for number in range(total):
            started = time.perf_counter()
            batch = prefetched.popleft().result()
            waited_s = time.perf_counter() - started
            if number + N_PREFETCH < total:
                prefetched.append(pool.submit(make, number + N_PREFETCH))
            yield batch._replace(waited_s=waited_s)


def class_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weight of a clip of each class, (clips, classes) -> (classes,); 1 where all are even.

    Clips divided by classes and by the class' own clips, scikit-learn's “balanced”.
    """
    n_clips = np.maximum(targets.sum(axis=0), 1)
    present = (targets.sum(axis=0) > 0).sum()
    weights: NDArray[np.float32] = (len(targets) / (present * n_clips)).astype(np.float32)
    return weights
