"""Training for real, on made sounds: it learns, it goes on where it stopped, it measures."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from audioclf.datasets import dataset
from audioclf.features.config import FrontendConfig, for_feature
from audioclf.models import architectures
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import data as training_data
from audioclf.training import feature_cache, loop, pipeline, run_state
from audioclf.training.augmentation import Augmentation
from audioclf.training.config import Hyperparameters, TrainingConfig
from audioclf.training.data import TrainingSet
from audioclf.training.waveform_augmentation import WaveformAugmentation

ONE_COPY = Augmentation(waveform=WaveformAugmentation(count=1))
SHORT = Hyperparameters(epochs=4, batch_size=8, augmentation=ONE_COPY)


@pytest.fixture(scope="module")
def training_set(three_sounds: Path) -> TrainingSet:
    data = dataset.load(three_sounds)
    return training_data.build_training_set(
        data, FrontendConfig(), data.classes, WaveformAugmentation(count=1)
    )


def test_a_network_learns_to_tell_sine_noise_and_clicks_apart(trained_model: Checkpoint) -> None:
    assert trained_model.evaluation is not None
    assert trained_model.evaluation["accuracy"] >= 0.95
    assert trained_model.evaluation["data"] == "three_sounds, fold 5 held out"


def test_a_card_tells_what_how_and_from_what(trained_model: Checkpoint) -> None:
    card = trained_model.card
    assert card["architecture"] == "separable_cnn"
    assert card["classes"] == ["clicks", "noise", "sine"]
    assert card["training"]["folds"] == [1, 2, 3, 4]
    assert card["training"]["hyperparameters"]["epochs"] == 30
    assert card["attribution"] == "Made by a program."
    assert card["calibration"] is None  # four held-out clips say nothing about a temperature
    assert len(card["training"]["history"]["loss"]) == 30
    assert card["layers"][-1]["n_params"] >= 0 and len(card["layers"]) > 10
    assert sum(layer["n_params"] for layer in card["layers"]) == card["n_params"]
    assert set(card["sha256"]) == {"model.keras", "model.onnx"}
    assert np.array(card["frontend"]["normalisation"]["mean"]).shape == (128, 1)


def test_normalised_training_clips_have_mean_0_and_deviation_1(training_set: TrainingSet) -> None:
    normalisation = training_set.frontend.normalisation
    assert normalisation is not None
    frames = np.concatenate([clip[0] for clip in training_set.clips])
    normal = (frames - np.array(normalisation.mean)) / np.array(normalisation.std)
    assert np.abs(normal.mean(axis=0)).max() < 1e-3
    assert np.abs(normal.std(axis=0) - 1).max() < 1e-3


@pytest.mark.slow
def test_an_interrupted_run_goes_on_from_its_last_saved_epoch(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 5)
    network = architectures.load("separable_cnn")
    settings = replace(SHORT, epochs=7)  # saved after epochs 5 and 7
    whole = [
        report.loss for report in loop.fit(network, training_set, settings, tmp_path / "whole")
    ]
    first = list(islice(loop.fit(network, training_set, settings, tmp_path / "ended"), 6))
    assert run_state.n_epochs_done(tmp_path / "ended") == 5
    second = list(loop.fit(network, training_set, settings, tmp_path / "ended"))
    assert [report.epoch for report in first + second] == [1, 2, 3, 4, 5, 6, 6, 7]
    assert [report.loss for report in second] == pytest.approx(whole[5:], rel=0.01)


KINDS = [
    "mfcc",
    "modulation",
    "complex",
    "polar",
    "summary",
    "summary_grid",
    "waveform",
    "multichannel",
]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_input_is_scaled_varied_and_finite(three_sounds: Path, name: str) -> None:
    data = dataset.load(three_sounds)
    inputs_of = training_data.build_training_set(data, for_feature(name), data.classes)
    sample = inputs_of.sample_input(len(inputs_of.clips))
    assert sample.shape[1:] == inputs_of.input_shape
    assert np.isfinite(sample).all() and 0.1 < sample.std() < 10
    shown = list(training_data.batches(inputs_of, SHORT, 1))
    inputs = np.concatenate([batch.inputs for batch in shown])
    targets = np.concatenate([batch.targets for batch in shown])
    assert inputs.shape == (len(inputs_of.clips), *inputs_of.input_shape)
    assert np.isfinite(inputs).all() and 0.1 < inputs.std() < 10
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_features_are_computed_once_and_found_again(three_sounds: Path, own_cache: Path) -> None:
    path = three_sounds / "sine" / "0.wav"
    frontend = FrontendConfig(window_frames=100)
    first = feature_cache.load_or_compute(frontend, path)
    cached = list((own_cache / "features" / frontend.key()).glob("*.npy"))
    assert len(cached) == 1
    np.save(cached[0], first + 1)
    assert np.array_equal(feature_cache.load_or_compute(frontend, path), first + 1)
    assert list((own_cache / "features" / frontend.key()).glob("*.part")) == []


def test_a_name_that_is_a_path_is_refused(three_sounds: Path, tmp_path: Path) -> None:
    work = TrainingConfig(three_sounds, "separable_cnn", "../outside", tmp_path)
    with pytest.raises(ValueError, match="cannot name a model"):
        pipeline.train_and_evaluate(work, lambda stage, report: None, lambda words, things: things)


@pytest.mark.parametrize("feature", ["waveform", "summary"])
def test_a_feature_that_a_network_does_not_take_is_refused_at_once(
    three_sounds: Path, tmp_path: Path, own_cache: Path, feature: str
) -> None:
    work = TrainingConfig(three_sounds, "separable_cnn", "new", tmp_path, feature=feature)
    with pytest.raises(ValueError, match="“separable_cnn” takes spectrograms"):
        pipeline.train_and_evaluate(work, lambda stage, report: None, lambda words, things: things)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cldnn_attention"])
def test_networks_of_several_outputs_are_trained_and_go_on(
    three_sounds: Path, tmp_path: Path, name: str
) -> None:
    work = TrainingConfig(three_sounds, name, name, tmp_path, settings=replace(SHORT, epochs=2))
    reports: list[str] = []
    model = pipeline.train_and_evaluate(
        work, lambda stage, report: reports.append(stage), lambda w, things: things
    )
    assert model.card["outputs"].keys() >= {"label", "embedding"}
    assert len(reports) == 2
    again = pipeline.train_and_evaluate(
        work, lambda stage, report: reports.append(stage), lambda w, things: things
    )
    assert len(reports) == 2 and again.card["classes"] == model.card["classes"]


def test_a_run_keeps_its_last_epoch_and_nothing_else(
    training_set: TrainingSet, tmp_path: Path
) -> None:
    network = architectures.load("separable_cnn")
    list(loop.fit(network, training_set, replace(SHORT, epochs=6), tmp_path))
    assert json.loads((tmp_path / "state.json").read_text())["epoch"] == 6
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch-6.keras", "epoch-6.npz", "state.json"]
    assert len(run_state.history(tmp_path)["loss"]) == 6


def test_what_ships_is_the_average_of_the_weights(
    training_set: TrainingSet, tmp_path: Path
) -> None:
    network = architectures.load("cnn_attention")  # its batch normalisation is averaged too
    list(
        loop.fit(
            network, training_set, replace(SHORT, epochs=3, ema_decay=0.99), tmp_path / "average"
        )
    )
    list(
        loop.fit(network, training_set, replace(SHORT, epochs=3, ema_decay=0.0), tmp_path / "last")
    )
    last = run_state.load_averaged(tmp_path / "last").get_weights()
    average = run_state.load_averaged(tmp_path / "average").get_weights()
    apart = max(float(np.abs(a - b).max()) for a, b in zip(last, average, strict=True))
    assert apart > 1e-4
    assert all(np.isfinite(weights).all() for weights in average)


def test_batches_are_the_same_for_a_seed_and_seldom_waited_for(training_set: TrainingSet) -> None:
    first, again = (list(training_data.batches(training_set, SHORT, 3)) for _ in range(2))
    other = list(training_data.batches(training_set, replace(SHORT, seed=1), 3))
    assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].inputs, other[0].inputs)
    assert sum(len(batch.inputs) for batch in first) == len(training_set.clips)


def test_rare_classes_count_for_more(training_set: TrainingSet) -> None:
    uneven = np.eye(3, dtype=np.float32)[[0, 0, 0, 0, 1, 1]]
    np.testing.assert_allclose(training_data.class_weights(uneven), [0.75, 1.5, 3.0])
    np.testing.assert_allclose(training_data.class_weights(training_set.targets), 1)


def test_targets_are_smoothed(training_set: TrainingSet) -> None:
    plain = replace(ONE_COPY, mix_prob=0.0)
    settings = replace(SHORT, label_smoothing=0.3, augmentation=plain)
    for batch in training_data.batches(training_set, settings, 1):
        np.testing.assert_allclose(np.sort(batch.targets, axis=1)[:, -1], 0.8, atol=1e-6)
        np.testing.assert_allclose(batch.targets.sum(axis=1), 1, atol=1e-6)
