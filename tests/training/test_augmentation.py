"""Variations of training clips: what they change, by how much, and what they leave alone."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from audioclf.datasets import dataset
from audioclf.features import feature
from audioclf.features.config import FrontendConfig
from audioclf.training import augmentation, feature_cache, waveform_augmentation
from audioclf.training import data as training_data
from audioclf.training.augmentation import Augmentation
from audioclf.training.data import TrainingSet
from audioclf.training.waveform_augmentation import WaveformAugmentation
from tests import sounds

RATE_HZ = sounds.RATE_HZ


@pytest.fixture(scope="module")
def training_set(three_sounds: Path) -> TrainingSet:
    data = dataset.load(three_sounds)
    return training_data.build_training_set(
        data, FrontendConfig(), data.classes, WaveformAugmentation(count=1)
    )


def test_the_same_seed_gives_the_same_windows(training_set: TrainingSet) -> None:
    def varied(seed: int) -> np.ndarray:
        plan = augmentation.plan(Augmentation(), feature("mel"), 128)
        rng = np.random.default_rng([seed, 1])
        return augmentation.augment_batch(
            training_set.clips, training_set.targets, np.arange(8), plan, rng
        )[0]

    assert np.array_equal(varied(0), varied(0))
    assert not np.array_equal(varied(0), varied(1))


def test_mixed_targets_still_sum_to_one(training_set: TrainingSet) -> None:
    plan = augmentation.plan(Augmentation(mix_prob=1.0), feature("mel"), 64)
    rows = np.arange(len(training_set.clips))
    rng = np.random.default_rng(0)
    batch, targets = augmentation.augment_batch(
        training_set.clips, training_set.targets, rows, plan, rng
    )
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert ((targets > 0).sum(axis=1) == 2).any()
    assert np.isfinite(batch).all()


def test_powers_of_mixed_windows_add_up() -> None:
    quiet, loud = (np.full((1, 4, 3, 1), level, np.float32) for level in (-40.0, -20.0))
    half, levels = np.array([0.5]), np.array([True])
    mixed = augmentation.mix_classes(loud, loud, half, levels)
    np.testing.assert_allclose(mixed, -20, atol=1e-3)  # shares sum to one
    # Equally loud to the ear: the soft one is raised by 20 dB against the loud one, t = 10 / 11.
    share = (10 / 11) ** 2 / ((10 / 11) ** 2 + (1 / 11) ** 2)
    expected = 10 * np.log10(share * 1e-4 + (1 - share) * 1e-2)
    np.testing.assert_allclose(
        augmentation.mix_classes(quiet, loud, half, levels), expected, atol=1e-3
    )


def test_modulations_are_mixed_by_the_level_that_they_are_of() -> None:
    is_level = np.array([True, False])
    still = np.stack([np.full((4, 3), -20.0), np.full((4, 3), -45.0)], axis=-1)
    moving = np.stack([np.full((4, 3), -20.0), np.full((4, 3), -5.0)], axis=-1)
    pair = [values[None].astype(np.float32) for values in (still, moving)]
    mixed = augmentation.mix_classes(*pair, np.array([0.5]), is_level)
    np.testing.assert_allclose(mixed[..., 0], -20, atol=1e-3)
    np.testing.assert_allclose(mixed[..., 1], -5 + 20 * np.log10(0.5), atol=1e-2)
    louder = augmentation.equalise(
        pair[0], Augmentation(gain_db=6, equaliser_db=0), is_level, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(louder[..., 1], pair[0][..., 1])
    assert np.abs(louder[..., 0] - pair[0][..., 0]).max() > 0.01


def test_masks_cover_at_most_their_share(training_set: TrainingSet) -> None:
    ones = np.ones((4, 100, 50, 1), np.float32)
    settings = Augmentation(n_freq_masks=1, freq_mask_share=0.1, n_time_masks=1)
    masked = augmentation.mask(ones, settings, np.random.default_rng(3))
    hidden = (masked == 0).mean(axis=(1, 2, 3))
    assert (hidden > 0).any()
    assert hidden.max() <= 0.1 + 0.2


def test_no_variation_leaves_the_clip_as_it_is(training_set: TrainingSet) -> None:
    clip = training_set.clips[0][0]
    rng = np.random.default_rng(0)
    nothing = Augmentation(gain_db=0, equaliser_db=0, mix_prob=0, n_freq_masks=0, n_time_masks=0)
    batch = clip[None, :64]
    assert np.array_equal(augmentation.equalise(batch, nothing, np.array([True]), rng), batch)
    assert np.array_equal(augmentation.mask(batch, nothing, rng), batch)
    crop = augmentation.random_crop(clip, 64, 0.0, rng)
    assert crop.min() >= clip.min() - 1e-3 and crop.max() <= clip.max() + 1e-3


def test_phases_and_waves_are_neither_averaged_nor_made_louder() -> None:
    usual = Augmentation()
    assert augmentation.restrict_to_feature(usual, feature("mel+cqt")) == usual
    modulation = augmentation.restrict_to_feature(usual, feature("modulation"))
    assert modulation.stretch == 0 and modulation.gain_db == usual.gain_db
    mixed = augmentation.restrict_to_feature(usual, feature("mfcc"))
    assert mixed.gain_db == mixed.equaliser_db == 0 and not mixed.as_levels
    assert mixed.stretch == usual.stretch and mixed.mix_prob == usual.mix_prob
    wave = augmentation.restrict_to_feature(usual, feature("waveform"))
    assert wave.stretch == wave.equaliser_db == 0 and wave.gain_db == usual.gain_db
    phases = augmentation.restrict_to_feature(usual, feature("polar"))
    assert phases.stretch == phases.mix_prob == 0


def test_values_are_mixed_in_the_ratio_of_their_targets() -> None:
    zeros, ones = (np.full((2, 3, 2, 1), value, np.float32) for value in (0, 1))
    mixed = augmentation.mix_values(zeros, ones, np.array([0.25, 1.0]))
    np.testing.assert_allclose(mixed[:, 0, 0, 0], [0.75, 0.0])


def test_waves_get_louder_and_softer() -> None:
    wave = np.ones((50, 4, 1, 1), np.float32)
    louder = augmentation.random_gain(wave, Augmentation(gain_db=6), np.random.default_rng(0))[
        :, 0, 0, 0
    ]
    assert 10 ** (-6 / 20) <= louder.min() < 0.8 and 1.25 < louder.max() <= 10 ** (6 / 20)


def test_a_crop_without_stretch_is_the_clip_itself() -> None:
    clip = np.arange(50, dtype=np.float32)[:, None, None]
    crop = augmentation.random_crop(clip, 20, 0.0, np.random.default_rng(0))[:, 0, 0]
    np.testing.assert_array_equal(np.diff(crop) % 50, 1)


def strongest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[spectrum.argmax()])


def test_a_faster_tape_is_shorter_and_higher() -> None:
    faster = waveform_augmentation.speed(sounds.sine(440.0, 2.0), 1.25)
    assert len(faster) == pytest.approx(2 * RATE_HZ / 1.25, abs=2)
    assert strongest_hz(faster) == pytest.approx(550, abs=2)


def test_time_is_stretched_without_the_pitch_and_the_pitch_without_the_time() -> None:
    sine = sounds.sine(440.0, 2.0)
    faster = waveform_augmentation.time_stretch(sine, 1.25)
    assert len(faster) == pytest.approx(len(sine) / 1.25, abs=2)
    assert strongest_hz(faster) == pytest.approx(440, abs=3)
    higher = waveform_augmentation.pitch_shift(sine, RATE_HZ, 12)
    assert len(higher) == len(sine)
    assert strongest_hz(higher) == pytest.approx(880, abs=6)


def test_noise_lies_as_far_below_the_clip_as_asked() -> None:
    sine = sounds.sine(440.0, 2.0)
    added = waveform_augmentation.noise(sine, 20.0, np.random.default_rng(0)) - sine
    ratio_db = 10 * np.log10(np.mean(sine**2) / np.mean(added**2))
    assert ratio_db == pytest.approx(20, abs=0.2)
    assert not waveform_augmentation.noise(
        np.zeros(100, np.float32), 20.0, np.random.default_rng(0)
    ).any()


def test_gain_and_shift_change_level_and_order_alone() -> None:
    ramp = np.arange(5, dtype=np.float32)
    np.testing.assert_allclose(waveform_augmentation.gain(ramp, 20), 10 * ramp, rtol=1e-6)
    np.testing.assert_array_equal(waveform_augmentation.shift(ramp, 2), [3, 4, 0, 1, 2])


def test_a_variant_is_always_the_same_and_never_another_ones() -> None:
    sound, settings = sounds.noise(1.0), WaveformAugmentation(count=3)
    first = [
        waveform_augmentation.augment_waveform(sound, RATE_HZ, settings, number)
        for number in range(4)
    ]
    assert np.array_equal(first[0], sound)
    again = waveform_augmentation.augment_waveform(sound, RATE_HZ, settings, 2)
    assert np.array_equal(first[2], again)
    assert len({len(one) for one in first}) == 4  # other speeds
    assert all(np.isfinite(one).all() and one.dtype == np.float32 for one in first)
    for tiny in (np.zeros(1, np.float32), np.zeros(300, np.float32)):
        assert np.isfinite(waveform_augmentation.augment_waveform(tiny, RATE_HZ, settings, 1)).all()


def test_variants_are_kept_apart_on_disk(three_sounds: Path, own_cache: Path) -> None:
    path, frontend = three_sounds / "sine" / "1.wav", FrontendConfig(window_frames=101)
    settings = WaveformAugmentation(count=2)
    variants = next(iter(feature_cache.FileFeatures(frontend, [path], settings)))
    assert len(variants) == 3
    assert len(list((own_cache / "features" / frontend.key()).glob("*.npy"))) == 3
    other = feature_cache.load_or_compute(
        frontend, path, WaveformAugmentation(count=2, speed=0.1), 1
    )
    assert other.shape != variants[1].shape or not np.array_equal(other, variants[1])


def test_the_resampler_and_librosa_agree_on_a_faster_tape() -> None:
    sound = sounds.sine(440.0, 1.0)
    ours = waveform_augmentation.speed(sound, 1.1)
    theirs = librosa.resample(sound, orig_sr=110, target_sr=100, res_type="soxr_hq")
    assert np.abs(ours[100:-100] - theirs[100 : len(ours) - 100]).max() < 1e-3
