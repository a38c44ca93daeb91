"""Augmentation of training clips, on their features, so that a few hundred clips suffice.

Levels in dB are mixed as powers and made louder or softer; other features only where that keeps
their meaning (see `restrict_to_feature`). Everything random comes from the generator that is
handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.features import Feature
from audioclf.features.windowing import Features
from audioclf.training.waveform_augmentation import WaveformAugmentation

SILENCE_DB = -99.9  # features are not below -100

Batch = NDArray[np.float32]  # (windows, frames, bins, channels)
Targets = NDArray[np.float32]  # (windows, classes)


@dataclass(frozen=True)
class Augmentation:
    """The strength of each augmentation; zero switches one off."""

    # of the waveform, before training: augmented copies of every clip
    waveform: WaveformAugmentation = field(default_factory=WaveformAugmentation)
    stretch: float = 0.15  # playing speed between 1 / (1 + stretch) and 1 + stretch
    gain_db: float = 6.0  # louder or softer by up to this
    equaliser_db: float = 6.0  # a random curve over the bins, up to this
    mix_prob: float = 0.25  # windows mixed with one of another class
    n_freq_masks: int = 2
    freq_mask_share: float = 0.12  # widest mask, as a share of the bins
    n_time_masks: int = 1
    time_mask_share: float = 0.2
    as_levels: bool = True  # mixed as powers of levels in dB; else value by value

    def __post_init__(self) -> None:
        shares = (self.mix_prob, self.freq_mask_share, self.time_mask_share)
        amounts = (self.stretch, self.gain_db, self.equaliser_db)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("How much is mixed and masked are shares: choose 0 to 1.")
        if min(*amounts, self.n_freq_masks, self.n_time_masks) < 0:
            raise ValueError(
                "The strength of an augmentation cannot be negative: choose 0 or more."
            )


def restrict_to_feature(settings: Augmentation, feature: Feature) -> Augmentation:
    """The settings that a feature allows.

    An equaliser only where values are levels, a gain there and on waves; no other speed where
    neighbouring frames cannot be averaged, and no mixture where values cannot be: the mean of two
    phases is none.
    """
    if feature.units == {"dB"}:
        return settings
    if feature.units == {"dB", "ratio"}:
        return replace(settings, stretch=0.0)
    fixed = replace(settings, equaliser_db=0.0, as_levels=False)
    if feature.units != {"amplitude"}:
        fixed = replace(fixed, gain_db=0.0)
    if feature.units & {"rad", "amplitude"}:
        fixed = replace(fixed, stretch=0.0)
    return replace(fixed, mix_prob=0.0) if "rad" in feature.units else fixed


def level_channels(feature: Feature) -> NDArray[np.bool_]:
    """Which channels are levels in dB, (channels,); the others are relative to them."""
    return np.array([channel.unit == "dB" for channel in feature.channels])


class Plan(NamedTuple):
    """What `augment_batch` needs to know of a front end: see `plan`."""

    settings: Augmentation  # restricted to what the feature allows
    n_frames: int  # of a window
    is_level: NDArray[np.bool_]  # (channels,)


def plan(settings: Augmentation, feature: Feature, n_frames: int) -> Plan:
    """How windows of that feature are augmented."""
    return Plan(restrict_to_feature(settings, feature), n_frames, level_channels(feature))


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
    first: Batch, second: Batch, ratio: NDArray[np.floating], is_level: NDArray[np.bool_]
) -> Batch:
    """Between-class mixing: the powers of two windows add up in the ratio of what is perceived.

    Tokozume, Ushiku and Harada (2018), "Learning from Between-Class Examples for Deep Sound
    Recognition", ICLR 2018: with loudness g in dB and ratio r, (windows,), the first sound's
    amplitude gets t = 1 / (1 + 10^((g1 - g2) / 20) (1 - r) / r). Channels that are relative to the
    levels are averaged as powers, each by its share of the level, squared.
    """
    apart_db = _loudness_db(first, is_level) - _loudness_db(second, is_level)
    t = 1 / (1 + 10 ** (apart_db / 20) * (1 - ratio) / ratio)
    share = (t**2 / (t**2 + (1 - t) ** 2)).astype(np.float32)[:, None, None, None]
    power1, power2 = share * _power(first), (1 - share) * _power(second)
    mixed = power1 + power2
    if not is_level.all():
        level1 = power1[..., is_level].mean(axis=3, keepdims=True)
        level2 = power2[..., is_level].mean(axis=3, keepdims=True)
        share = level1 / (level1 + level2)
        relative = ~is_level
        mixed[..., relative] = share**2 * _power(first[..., relative]) + (1 - share) ** 2 * _power(
            second[..., relative]
        )
    decibels: Batch = 10 * np.log10(mixed)
    return decibels


def mix_values(first: Batch, second: Batch, ratio: NDArray[np.floating]) -> Batch:
    """Mixup: the weighted mean of two windows; `ratio` (windows,) is the first one's weight.

    Zhang et al. (2018), "mixup: Beyond empirical risk minimization", ICLR 2018.
    """
    weight = ratio.astype(np.float32)[:, None, None, None]
    return weight * first + (1 - weight) * second


def equalise(
    batch: Batch, settings: Augmentation, is_level: NDArray[np.bool_], rng: np.random.Generator
) -> Batch:
    """A random gain and a random curve over the bins for each window, as other microphones."""
    n_windows, _, n_bins, _ = batch.shape
    gain_db = rng.uniform(-settings.gain_db, settings.gain_db, (n_windows, 1))
    knots = np.linspace(0, n_bins - 1, 5)
    curves_db = rng.uniform(-settings.equaliser_db, settings.equaliser_db, (n_windows, len(knots)))
    bins = np.arange(n_bins)
    curves = np.stack([np.interp(bins, knots, curve) for curve in curves_db])
    offsets_db = (curves + gain_db).astype(np.float32)[:, None, :, None] * is_level
    return np.where(batch > SILENCE_DB, batch + offsets_db, batch)  # silence stays silent


def random_gain(batch: Batch, settings: Augmentation, rng: np.random.Generator) -> Batch:
    """A random gain for each window of amplitudes."""
    gain_db = rng.uniform(-settings.gain_db, settings.gain_db, len(batch))
    return batch * (10 ** (gain_db / 20)).astype(np.float32)[:, None, None, None]


def mask(batch: Batch, settings: Augmentation, rng: np.random.Generator) -> Batch:
    """Bands of bins and of frames of normalised windows set to their mean, 0.

    Park et al. (2019), "SpecAugment", Interspeech 2019, arXiv:1904.08779.
    """
    masked = batch.copy()
    plan = (
        (2, settings.n_freq_masks, settings.freq_mask_share),
        (1, settings.n_time_masks, settings.time_mask_share),
    )
    for axis, n_masks, share in plan:
        n = batch.shape[axis]
        for window in masked:
            along = np.moveaxis(window, axis - 1, 0)
            for width in rng.integers(0, int(n * share) + 1, n_masks):
                start = rng.integers(0, n - width + 1)
                along[start : start + width] = 0
    return masked


def augment_batch(
    clips: Sequence[Sequence[Features]],
    targets: Targets,
    indices: NDArray[np.int64],
    plan: Plan,
    rng: np.random.Generator,
) -> tuple[Batch, Targets]:
    """One window of each of these clips, cropped, mixed and equalised; not yet normalised.

    `clips`: the features of each clip and of its augmented copies. A window is mixed with one of
    any clip of another class.
    """
    settings = plan.settings
    batch, augmented = _crops(clips, indices, plan, rng), targets[indices]
    partners = rng.integers(len(clips), size=len(indices))
    ratio = rng.uniform(0.05, 0.95, len(indices))
    other_class = (augmented * targets[partners]).sum(axis=1) < 0.5
    mixed = (rng.random(len(indices)) < settings.mix_prob) & other_class
    if mixed.any():
        partner = _crops(clips, partners[mixed], plan, rng)
        if settings.as_levels:
            batch[mixed] = mix_classes(batch[mixed], partner, ratio[mixed], plan.is_level)
        else:
            batch[mixed] = mix_values(batch[mixed], partner, ratio[mixed])
        weight = np.where(mixed, ratio, 1).astype(np.float32)[:, None]
        augmented = weight * augmented + (1 - weight) * targets[partners]
    if settings.as_levels and (settings.gain_db or settings.equaliser_db):
        batch = equalise(batch, settings, plan.is_level, rng)
    elif settings.gain_db:
        batch = random_gain(batch, settings, rng)
    return batch, augmented


def _crops(
    clips: Sequence[Sequence[Features]],
    indices: NDArray[np.int64],
    plan: Plan,
    rng: np.random.Generator,
) -> Batch:
    crops = []
    for number in indices.tolist():
        copies = clips[number]
        features = copies[int(rng.integers(len(copies)))]
        crops.append(random_crop(features, plan.n_frames, plan.settings.stretch, rng))
    return np.stack(crops)


def _power(decibels: Batch) -> Batch:
    return np.power(np.float32(10), decibels / 10, dtype=np.float32)


def _loudness_db(batch: Batch, is_level: NDArray[np.bool_]) -> NDArray[np.floating]:
    """The level of the loudest frame, (windows,) in dB, as the ear takes a mixture's ratio."""
    per_frame = _power(batch[..., is_level]).sum(axis=(2, 3))
    return 10 * np.log10(np.maximum(per_frame.max(axis=1), 1e-10))
