"""Networks fine-tuned on other classes: they start where a head would, old layers move slowly."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from audioclf.cli import main
from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.inference.evaluation import evaluate
from audioclf.models import architectures as networks
from audioclf.models import checkpoint
from audioclf.training import data as training_data
from audioclf.training import fine_tuning, loop, run_state
from audioclf.training.config import Hyperparameters
from audioclf.training.data import TrainingSet
from audioclf.training.errors import TrainingInterruptedError
from audioclf.training.optimizer import LayeredAdamW
from audioclf.training.validation import Validation
from audioclf.training.waveform_augmentation import WaveformAugmentation
from tests.sentences import refusal

START = "separable_cnn-mel"
PLAIN = Hyperparameters(epochs=2, batch_size=8, learning_rate=1e-3, weight_decay=0.0)
pytestmark = pytest.mark.slow


def silent(words: str, things: object) -> object:
    return things


@pytest.fixture(scope="module")
def data(three_sounds: Path) -> Dataset:
    return dataset.load(three_sounds)


@pytest.fixture(scope="module")
def model(data: Dataset) -> keras.Model:
    return fine_tuning.build_fine_tune_model(checkpoint.find(START), data, data.classes, silent)


@pytest.fixture(scope="module")
def training_set(data: Dataset) -> TrainingSet:
    frontend = checkpoint.find(START).frontend
    return training_data.build_training_set(
        data, frontend, data.classes, WaveformAugmentation(count=0)
    )


def test_a_network_starts_with_the_classifier_that_fits_its_embedding(
    model: keras.Model, training_set: TrainingSet
) -> None:
    assert set(model.output) == {"label", "embedding"}
    assert model.output["label"].shape == (None, 3)
    probabilities = model.predict_on_batch(training_set.sample_input(len(training_set.clips)))[
        "label"
    ]
    assert (probabilities.argmax(axis=1) == training_set.targets.argmax(axis=1)).mean() == 1


def moved(before: list[np.ndarray], model: keras.Model) -> list[float]:
    """How far every trainable variable moved, as a mean."""
    after = [keras.ops.convert_to_numpy(one) for one in model.trainable_variables]
    return [float(np.abs(a - b).mean()) for a, b in zip(after, before, strict=True)]


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_old_layers_learn_at_their_share_of_the_rate(share: float, tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    old = keras.layers.Dense(5, name="old")(inputs)
    label = keras.layers.Dense(3, activation="softmax", name="label")(old)
    model = keras.Model(inputs, {"label": label, "embedding": old})
    settings = Hyperparameters(learning_rate=1e-2, backbone_lr_multiplier=share, weight_decay=0.0)
    optimizer = loop._optimizer(model, settings.learning_rate, settings)
    model.compile(optimizer=optimizer, loss=loop.losses(model))
    before = [keras.ops.convert_to_numpy(one) for one in model.trainable_variables]
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[np.arange(8) % 3]
    model.train_on_batch(x, loop.targets_of(model, x, y))
    kernel, _, head, _ = moved(before, model)
    assert head == pytest.approx(1e-2, rel=0.05)  # Adam's first step is as large as the rate
    assert kernel == pytest.approx(share * 1e-2, rel=0.05, abs=1e-9)
    model.save(tmp_path / "kept.keras")
    again = keras.saving.load_model(tmp_path / "kept.keras").optimizer
    assert isinstance(again, LayeredAdamW)
    assert (again.backbone_lr_multiplier, again.new) == (share, optimizer.new) == (share, (2, 3))


def test_every_epoch_is_validated_on_clips_that_are_not_trained_on(
    data: Dataset, training_set: TrainingSet, model: keras.Model, tmp_path: Path
) -> None:
    unseen = training_data.build_training_set(
        data.of_folds({1}), training_set.frontend, data.classes
    )
    begin = keras.models.clone_model(model)
    begin.set_weights(model.get_weights())
    network = networks.load("separable_cnn")
    reports = list(loop.fit(network, training_set, PLAIN, tmp_path, begin, Validation(unseen)))
    assert [report.val_accuracy for report in reports] == [1, 1]
    for report in reports:
        assert report.val_loss is not None and 0 < report.val_loss < 0.5
    assert set(run_state.history(tmp_path)) == set(run_state.HISTORY)
    # Watching changes nothing: what is learnt is what is learnt without.
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    alone = list(loop.fit(network, training_set, PLAIN, tmp_path / "alone", other))
    assert [one.loss for one in alone] == pytest.approx([one.loss for one in reports], rel=1e-3)
    assert set(run_state.history(tmp_path / "alone")) == {"loss", "accuracy"}


def test_a_training_that_is_stopped_keeps_its_last_whole_epoch(
    training_set: TrainingSet, model: keras.Model, tmp_path: Path
) -> None:
    n_asked = 0

    def should_stop() -> bool:
        nonlocal n_asked
        n_asked += 1
        return n_asked > 7  # three batches an epoch: in the middle of the third

    begin = keras.models.clone_model(model)
    begin.set_weights(model.get_weights())
    network, settings = networks.load("separable_cnn"), replace(PLAIN, epochs=4)
    watch = Validation(should_stop=should_stop)
    reports = []
    with pytest.raises(TrainingInterruptedError):
        for report in loop.fit(network, training_set, settings, tmp_path / "stopped", begin, watch):
            reports.append(report.loss)
    assert len(reports) == run_state.n_epochs_done(tmp_path / "stopped") == 2
    went_on = list(loop.fit(network, training_set, settings, tmp_path / "stopped"))
    assert [report.epoch for report in went_on] == [3, 4]

    begin.set_weights(model.get_weights())
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    whole = list(loop.fit(network, training_set, settings, tmp_path / "whole", other))
    assert reports + [report.loss for report in went_on] == pytest.approx(
        [report.loss for report in whole], rel=0.02
    )


def test_the_command_line_tunes_a_whole_network(
    three_sounds: Path, data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fine-tune", str(three_sounds), "--checkpoint", START, "--name", "whole"]
    command += ["--folds", "1,2,3,4", "--epochs", "3", "--validate", "--output-dir", str(tmp_path)]
    assert main.main([*command, "--set", "augmentation.waveform.count=0", "--skip-unusable"]) == 0
    assert "100.00 % (43.8 to 100.0) on three_sounds, fold 5 held out" in capsys.readouterr().out
    tuned = checkpoint.read(tmp_path / "whole")
    card = tuned.card
    assert card["training"]["base_model"] == START and not tuned.is_head
    assert (
        card["training"]["hyperparameters"]["backbone_lr_multiplier"]
        == fine_tuning.SETTINGS.backbone_lr_multiplier
    )
    assert len(card["training"]["history"]["val_loss"]) == 3
    assert "K. J. Piczak" in card["attribution"]  # whose clips the network learnt from before
    assert card["training"]["previous"]["n_clips"] == 320
    assert evaluate(tuned, data.of_folds({5})).accuracy == 1
    assert str(tmp_path) not in json.dumps(card)


def test_what_cannot_be_tuned_is_refused(three_sounds: Path, tmp_path: Path) -> None:
    ensemble = next(one for one in checkpoint.find_all() if one.is_ensemble)
    data = dataset.load(three_sounds)
    message = refusal(
        lambda: fine_tuning.build_fine_tune_model(ensemble, data, data.classes, silent)
    )
    assert "is an ensemble" in message
