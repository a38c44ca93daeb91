"""Training for real, on made sounds: it learns, it goes on where it stopped, it measures."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from audioclf import architectures, augment, dataset, feature_cache, lesson, train
from audioclf.augment import Augmentation
from audioclf.checkpoint import Checkpoint
from audioclf.features import feature
from audioclf.recipe import Recipe, for_feature
from audioclf.train import Settings, TrainingSet

SHORT = Settings(epochs=4, batch_size=8)


@pytest.fixture(scope="module")
def made(three_sounds: Path) -> TrainingSet:
    data = dataset.load(three_sounds)
    return train.training_set(data, Recipe(), data.classes)


def test_a_network_learns_to_tell_sine_noise_and_clicks_apart(taught: Checkpoint) -> None:
    assert taught.measured is not None
    assert taught.measured["accuracy"] >= 0.95
    assert taught.measured["data"] == "three_sounds, fold 5 held out"


def test_a_card_tells_what_how_and_from_what(taught: Checkpoint) -> None:
    card = taught.card
    assert card["architecture"] == "separable_cnn"
    assert card["classes"] == ["clicks", "noise", "sine"]
    assert card["training"]["folds"] == [1, 2, 3, 4]
    assert card["training"]["settings"]["epochs"] == 30
    assert card["attribution"] == "Made by a program."
    assert card["calibrated"] is False
    assert set(card["sha256"]) == {"model.keras", "model.onnx"}
    assert np.array(card["recipe"]["normalisation"]["mean"]).shape == (128, 1)


def test_normalised_training_clips_have_mean_0_and_deviation_1(made: TrainingSet) -> None:
    normalisation = made.recipe.normalisation
    assert normalisation is not None
    frames = np.concatenate(made.clips)
    normal = (frames - np.array(normalisation.mean)) / np.array(normalisation.std)
    assert np.abs(normal.mean(axis=0)).max() < 1e-3
    assert np.abs(normal.std(axis=0) - 1).max() < 1e-3


@pytest.mark.slow
def test_an_ended_run_goes_on_where_it_stopped(made: TrainingSet, tmp_path: Path) -> None:
    network = architectures.load("separable_cnn")
    settings = replace(SHORT, epochs=7)  # kept after epochs 5 and 7
    whole = [report.loss for report in train.fit(network, made, settings, tmp_path / "whole")]
    first = list(islice(train.fit(network, made, settings, tmp_path / "ended"), 6))
    assert train.n_epochs_done(tmp_path / "ended") == 5
    second = list(train.fit(network, made, settings, tmp_path / "ended"))
    assert [report.epoch for report in first + second] == [1, 2, 3, 4, 5, 6, 6, 7]
    assert [report.loss for report in second] == pytest.approx(whole[5:], rel=0.01)


def test_the_same_seed_gives_the_same_windows(made: TrainingSet) -> None:
    def varied(seed: int) -> np.ndarray:
        rng = np.random.default_rng([seed, 1])
        return augment.vary(made.clips, made.targets, 128, Augmentation(), rng)[0]

    assert np.array_equal(varied(0), varied(0))
    assert not np.array_equal(varied(0), varied(1))


def test_mixed_targets_still_sum_to_one_and_powers_add_up(made: TrainingSet) -> None:
    rng = np.random.default_rng(0)
    batch = np.stack([clip[:64] for clip in made.clips])
    mixed, targets = augment.mix_classes(batch, made.targets, 1.0, rng)
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert ((targets > 0).sum(axis=1) == 2).any()
    assert mixed.max() <= batch.max() + 1e-3
    assert np.isfinite(mixed).all()


def test_masks_cover_at_most_their_share(made: TrainingSet) -> None:
    ones = np.ones((4, 100, 50, 1), np.float32)
    settings = Augmentation(n_bin_masks=1, bin_mask_share=0.1, n_frame_masks=1)
    masked = augment.mask(ones, settings, np.random.default_rng(3))
    hidden = (masked == 0).mean(axis=(1, 2, 3))
    assert (hidden > 0).any()
    assert hidden.max() <= 0.1 + 0.2


def test_no_variation_leaves_the_clip_as_it_is(made: TrainingSet) -> None:
    clip = made.clips[0]
    rng = np.random.default_rng(0)
    nothing = Augmentation(gain_db=0, equaliser_db=0, mix_share=0, n_bin_masks=0, n_frame_masks=0)
    batch = clip[None, :64]
    assert np.array_equal(augment.equalise(batch, nothing, rng), batch)
    assert np.array_equal(augment.mask(batch, nothing, rng), batch)
    crop = augment.random_crop(clip, 64, 0.0, rng)
    assert crop.min() >= clip.min() - 1e-3 and crop.max() <= clip.max() + 1e-3


KINDS = ["mfcc", "complex", "polar", "summary", "summary_grid", "waveform", "multichannel"]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_input_is_scaled_varied_and_finite(three_sounds: Path, name: str) -> None:
    data = dataset.load(three_sounds)
    made = train.training_set(data, for_feature(name), data.classes)
    found = made.real_input(len(made.clips))
    assert found.shape[1:] == made.input_shape
    assert np.isfinite(found).all() and 0.1 < found.std() < 10
    inputs, targets = train._epoch_batches(made, SHORT, 1)
    assert inputs.shape == (len(made.clips), *made.input_shape)
    assert np.isfinite(inputs).all() and 0.1 < inputs.std() < 10
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_phases_and_waves_are_neither_averaged_nor_made_louder() -> None:
    usual = Augmentation()
    assert augment.suited(usual, feature("mel+cqt")) == usual
    mixed = augment.suited(usual, feature("mfcc"))
    assert mixed.gain_db == mixed.equaliser_db == 0 and not mixed.as_levels
    assert mixed.stretch == usual.stretch and mixed.mix_share == usual.mix_share
    assert augment.suited(usual, feature("waveform")).stretch == 0
    phases = augment.suited(usual, feature("polar"))
    assert phases.stretch == phases.mix_share == 0


def test_values_are_mixed_in_the_ratio_of_their_targets() -> None:
    batch = np.stack([np.zeros((3, 2, 1)), np.ones((3, 2, 1))]).astype(np.float32)
    rng = np.random.default_rng(1)
    for _ in range(10):
        mixed, targets = augment.mix_values(batch, np.eye(2, dtype=np.float32), 1.0, rng)
        np.testing.assert_allclose(mixed[:, 0, 0, 0], targets[:, 1], atol=1e-6)
        assert targets.sum(axis=1) == pytest.approx(1)


def test_features_are_computed_once_and_found_again(three_sounds: Path, own_cache: Path) -> None:
    path = three_sounds / "sine" / "0.wav"
    recipe = Recipe(window_frames=100)
    first = feature_cache.file_features(recipe, path)
    kept = list((own_cache / "features" / recipe.key()).glob("*.npy"))
    assert len(kept) == 1
    np.save(kept[0], first + 1)
    assert np.array_equal(feature_cache.file_features(recipe, path), first + 1)
    assert list((own_cache / "features" / recipe.key()).glob("*.part")) == []


def test_a_name_that_is_a_path_is_refused(three_sounds: Path, tmp_path: Path) -> None:
    work = lesson.Lesson(three_sounds, "separable_cnn", "../outside", tmp_path)
    with pytest.raises(ValueError, match="cannot name a checkpoint"):
        lesson.teach(work, lambda stage, report: None, lambda words, things: things)


@pytest.mark.parametrize("feature", ["waveform", "summary"])
def test_a_feature_that_a_network_cannot_hear_is_refused_at_once(
    three_sounds: Path, tmp_path: Path, own_cache: Path, feature: str
) -> None:
    work = lesson.Lesson(three_sounds, "separable_cnn", "new", tmp_path, feature=feature)
    with pytest.raises(ValueError, match="“separable_cnn” takes spectrograms"):
        lesson.teach(work, lambda stage, report: None, lambda words, things: things)
    assert list(tmp_path.iterdir()) == []


def test_a_crop_without_stretch_is_the_clip_itself() -> None:
    clip = np.arange(50, dtype=np.float32)[:, None, None]
    crop = augment.random_crop(clip, 20, 0.0, np.random.default_rng(0))[:, 0, 0]
    np.testing.assert_array_equal(np.diff(crop) % 50, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cldnn_attention"])
def test_networks_of_several_outputs_are_taught_and_go_on(
    three_sounds: Path, tmp_path: Path, name: str
) -> None:
    work = lesson.Lesson(three_sounds, name, name, tmp_path, settings=replace(SHORT, epochs=2))
    reports: list[str] = []
    made = lesson.teach(work, lambda stage, report: reports.append(stage), lambda w, things: things)
    assert made.card["outputs"].keys() >= {"label", "embedding"}
    assert len(reports) == 2
    again = lesson.teach(
        work, lambda stage, report: reports.append(stage), lambda w, things: things
    )
    assert len(reports) == 2 and again.card["classes"] == made.card["classes"]


def test_a_state_is_one_json_line(made: TrainingSet, tmp_path: Path) -> None:
    network = architectures.load("separable_cnn")
    list(train.fit(network, made, replace(SHORT, epochs=1), tmp_path))
    assert json.loads((tmp_path / "state.json").read_text())["epoch"] == 1
