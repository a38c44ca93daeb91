"""Variations of training clips, on their features, so that a few hundred clips go a long way.

Levels in dB are mixed as powers and made louder or softer; other features only where that keeps
their meaning (see `suited`). Everything random comes from the generator that is handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audioclf.features import Feature
from audioclf.windows import Features

Batch = NDArray[np.float32]  # (windows, frames, bins, channels)
Targets = NDArray[np.float32]  # (windows, classes)


@dataclass(frozen=True)
class Augmentation:
    """How much of each; zero switches a variation off."""

    stretch: float = 0.15  # playing speed between 1 / (1 + stretch) and 1 + stretch
    gain_db: float = 6.0  # louder or softer by up to this
    equaliser_db: float = 8.0  # a random curve over the bins, up to this
    mix_share: float = 0.5  # windows mixed with one of another class
    n_bin_masks: int = 2
    bin_mask_share: float = 0.12  # widest mask, as a share of the bins
    n_frame_masks: int = 1
    frame_mask_share: float = 0.2
    as_levels: bool = True  # mixed as powers of levels in dB; else value by value


def suited(settings: Augmentation, feature: Feature) -> Augmentation:
    """The settings that a feature allows.

    No gain or equaliser where values are not levels; no other speed where neighbouring frames
    cannot be averaged, and no mixture where values cannot be: the mean of two phases is none.
    """
    if feature.units == {"dB"}:
        return settings
    fixed = replace(settings, gain_db=0.0, equaliser_db=0.0, as_levels=False)
    if feature.units & {"rad", "amplitude"}:
        fixed = replace(fixed, stretch=0.0)
    return replace(fixed, mix_share=0.0) if "rad" in feature.units else fixed


def random_crop(
    features: Features, n_frames: int, stretch: float, rng: np.random.Generator
) -> Features:
    """A window from anywhere in a clip read as a circle, at a random speed.

    Without stretch it starts on a frame, and no two frames are averaged.
    """
    if not stretch:
        first = rng.integers(len(features))
        return features[(first + np.arange(n_frames)) % len(features)]
    speed = (1 + stretch) ** rng.uniform(-1, 1)
    positions = rng.uniform(0, len(features)) + np.arange(n_frames) * speed
    lower = positions.astype(int)
    weight = (positions - lower).astype(np.float32)[:, None, None]
    before, after = features[lower % len(features)], features[(lower + 1) % len(features)]
    return before * (1 - weight) + after * weight


def mix_classes(
    batch: Batch, targets: Targets, share: float, rng: np.random.Generator
) -> tuple[Batch, Targets]:
    """Between-class mixing: the powers of two windows add up, the targets in the heard ratio.

    Tokozume, Ushiku and Harada (2018), "Learning from Between-Class Examples for Deep Sound
    Recognition", ICLR 2018: with loudness g in dB and ratio r, the first sound's amplitude gets
    t = 1 / (1 + 10^((g1 - g2) / 20) (1 - r) / r).
    """
    partners = rng.permutation(len(batch))
    ratio = rng.uniform(0.05, 0.95, len(batch))
    loudness_db = _loudness_db(batch)
    amplitude = 10 ** ((loudness_db - loudness_db[partners]) / 20)
    t = 1 / (1 + amplitude * (1 - ratio) / ratio)
    first = (t**2 / (t**2 + (1 - t) ** 2)).astype(np.float32)[:, None, None, None]
    power = first * _power(batch) + (1 - first) * _power(batch[partners])
    share_of_first = ratio.astype(np.float32)[:, None]
    mixed_targets = share_of_first * targets + (1 - share_of_first) * targets[partners]
    other_class = (targets * targets[partners]).sum(axis=1) < 0.5
    chosen = (rng.random(len(batch)) < share) & other_class
    return (
        np.where(chosen[:, None, None, None], 10 * np.log10(power), batch).astype(np.float32),
        np.where(chosen[:, None], mixed_targets, targets).astype(np.float32),
    )


def mix_values(
    batch: Batch, targets: Targets, share: float, rng: np.random.Generator
) -> tuple[Batch, Targets]:
    """Mixup: the weighted mean of two windows of different classes, and of their targets.

    Zhang et al. (2018), "mixup: Beyond empirical risk minimization", ICLR 2018.
    """
    partners = rng.permutation(len(batch))
    ratio = rng.uniform(0.05, 0.95, len(batch)).astype(np.float32)
    other_class = (targets * targets[partners]).sum(axis=1) < 0.5
    ratio[~((rng.random(len(batch)) < share) & other_class)] = 1
    first = ratio[:, None, None, None]
    mixed = first * batch + (1 - first) * batch[partners]
    return mixed, ratio[:, None] * targets + (1 - ratio[:, None]) * targets[partners]


def equalise(batch: Batch, settings: Augmentation, rng: np.random.Generator) -> Batch:
    """A random gain and a random curve over the bins for each window, as other microphones."""
    n_windows, _, n_bins, _ = batch.shape
    gain_db = rng.uniform(-settings.gain_db, settings.gain_db, (n_windows, 1))
    knots = np.linspace(0, n_bins - 1, 5)
    curves_db = rng.uniform(-settings.equaliser_db, settings.equaliser_db, (n_windows, len(knots)))
    bins = np.arange(n_bins)
    curves = np.stack([np.interp(bins, knots, curve) for curve in curves_db])
    offsets_db = (curves + gain_db).astype(np.float32)
    return batch + offsets_db[:, None, :, None]


def mask(batch: Batch, settings: Augmentation, rng: np.random.Generator) -> Batch:
    """Bands and stretches of normalised windows set to their mean, 0.

    Park et al. (2019), "SpecAugment", Interspeech 2019, arXiv:1904.08779.
    """
    masked = batch.copy()
    plan = (
        (2, settings.n_bin_masks, settings.bin_mask_share),
        (1, settings.n_frame_masks, settings.frame_mask_share),
    )
    for axis, n_masks, share in plan:
        n = batch.shape[axis]
        for window in masked:
            along = np.moveaxis(window, axis - 1, 0)
            for width in rng.integers(0, int(n * share) + 1, n_masks):
                start = rng.integers(0, n - width + 1)
                along[start : start + width] = 0
    return masked


def vary(
    clips: Sequence[Features],
    targets: Targets,
    n_frames: int,
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[Batch, Targets]:
    """One window per clip in random order, cropped, mixed and equalised; not yet normalised."""
    order = rng.permutation(len(clips))
    batch = np.stack([random_crop(clips[i], n_frames, settings.stretch, rng) for i in order])
    mix = mix_classes if settings.as_levels else mix_values
    batch, varied = mix(batch, targets[order], settings.mix_share, rng)
    if not (settings.gain_db or settings.equaliser_db):
        return batch, varied
    return equalise(batch, settings, rng), varied


def _power(decibels: Batch) -> Batch:
    return np.power(np.float32(10), decibels / 10, dtype=np.float32)


def _loudness_db(batch: Batch) -> NDArray[np.floating]:
    """The level of the loudest frame, (windows,) in dB, as the ear takes a mixture's ratio."""
    per_frame = _power(batch).sum(axis=(2, 3))
    return 10 * np.log10(np.maximum(per_frame.max(axis=1), 1e-10))
