"""From a sound to a Prediction."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io
from audioclf.datasets import dataset as datasets
from audioclf.features import windowing
from audioclf.inference import evaluation, predict
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.classify import sound_input
from tests import sounds

RATE_HZ = sounds.RATE_HZ


@pytest.mark.parametrize(("stem", "name"), sound_input.NAMED.items())
def test_both_default_models_name_the_examples(stem: str, name: str) -> None:
    usable = (m for m in ranking.best_first() if m.unavailable_reason() is None)
    path = next(path for path in sound_input.find_examples() if path.stem == stem)
    for model in (next(usable), checkpoint.find("separable_cnn-mel")):
        best, probability = predict_file(path, model).ranking()[0]
        assert best == name and probability >= 0.6, (model.name, best, probability)


def test_the_right_class_is_predicted_in_every_window(trained_model: Checkpoint) -> None:
    prediction = predict.predict(0.4 * sounds.noise(8, seed=99), RATE_HZ, trained_model)
    assert prediction.ranking()[0][0] == "noise"
    labels = [prediction.classes[i] for i in prediction.probabilities.argmax(axis=1)]
    assert labels == ["noise"] * len(labels)


def test_what_changes_within_a_clip_is_predicted_window_by_window(
    trained_model: Checkpoint,
) -> None:
    parts = [0.4 * sounds.noise(9, seed=5), 0.4 * sounds.sine(700, 9)]
    prediction = predict.predict(np.concatenate(parts), RATE_HZ, trained_model)
    labels = [prediction.classes[i] for i in prediction.probabilities.argmax(axis=1)]
    assert labels[0] == "noise" and labels[-1] == "sine"


def test_windows_cover_the_clip_and_the_clip_is_their_mean(trained_model: Checkpoint) -> None:
    prediction = predict.predict(0.4 * sounds.noise(7, seed=1), RATE_HZ, trained_model)
    assert prediction.starts_s[0] == pytest.approx(0, abs=0.01)
    assert prediction.ends_s[-1] == pytest.approx(7, abs=0.01)
    assert (np.diff(prediction.starts_s) > 0).all()
    assert prediction.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert prediction.clip == pytest.approx(prediction.probabilities.mean(axis=0))


@pytest.mark.parametrize("n_samples", [1, 100, 5_000])
def test_a_tiny_sound_gives_one_window(trained_model: Checkpoint, n_samples: int) -> None:
    prediction = predict.predict(sounds.noise(1, seed=2)[:n_samples], RATE_HZ, trained_model)
    assert prediction.probabilities.shape == (1, 3)
    assert np.isfinite(prediction.probabilities).all()
    assert prediction.ends_s[0] <= n_samples / RATE_HZ + 1e-6


def test_silence_gives_finite_probabilities(trained_model: Checkpoint) -> None:
    for cleaning in (None, "denoised", "silence_removed"):
        prediction = predict.predict(sounds.silence(4), RATE_HZ, trained_model, cleaning)
        assert np.isfinite(prediction.probabilities).all()


def test_another_rate_is_resampled(trained_model: Checkpoint) -> None:
    sound = io.resample(0.4 * sounds.sine(600, 5), RATE_HZ, 48_000)
    assert predict.predict(sound, 48_000, trained_model).ranking()[0][0] == "sine"


def test_removed_silence_keeps_the_times_of_the_original(trained_model: Checkpoint) -> None:
    parts = [0.4 * sounds.noise(4, seed=3), sounds.silence(6), 0.4 * sounds.sine(500, 4)]
    prediction = predict.predict(np.concatenate(parts), RATE_HZ, trained_model, "silence_removed")
    assert prediction.ends_s[-1] == pytest.approx(14, abs=0.15)
    assert len(prediction.starts_s) < 8


def test_a_long_file_in_blocks_says_what_it_says_as_a_whole(
    trained_model: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    io.write(path, 0.4 * sounds.noise(70, seed=4), RATE_HZ)
    whole = predict.predict_file(path, trained_model)
    monkeypatch.setattr(windowing, "LONG_S", 10.0)
    blocks = predict.predict_file(path, trained_model)
    assert blocks.starts_s == pytest.approx(whole.starts_s)
    assert blocks.ends_s == pytest.approx(whole.ends_s, abs=0.01)
    assert blocks.probabilities == pytest.approx(whole.probabilities, abs=1e-4)


def test_a_replaced_network_is_not_answered_from_the_old_session(
    trained_model: Checkpoint, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(trained_model.folder, tmp_path / "copy"))
    sound = 0.4 * sounds.noise(3, seed=6)
    predict.predict(sound, RATE_HZ, checkpoint.read(copy))
    (copy / "model.onnx").write_bytes(b"not a network")
    card = (copy / "card.json").read_text()
    (copy / "card.json").write_text(card.replace(trained_model.weights_sha256(), "0" * 64))
    with pytest.raises(ValueError, match="“copy” is not the file that its card describes"):
        predict.predict(sound, RATE_HZ, checkpoint.read(copy))
    stamp = checkpoint.sha256(copy / "model.onnx")
    (copy / "card.json").write_text(card.replace(trained_model.weights_sha256(), stamp))
    with pytest.raises(ValueError, match="“copy” cannot be opened"):
        predict.predict(sound, RATE_HZ, checkpoint.read(copy))


def prediction_of(*clip: float) -> Prediction:
    return Prediction(
        "net", ("rain", "sea_waves", "dog"), np.zeros(1), np.ones(1), np.array([clip], np.float32)
    )


def test_the_answer_is_in_words() -> None:
    assert prediction_of(0.87, 0.1, 0.03).summary() == "Rain, quite sure (87 %)"
    assert prediction_of(0.02, 0.95, 0.03).summary() == "Sea waves, almost certain (95 %)"
    assert prediction_of(0.999, 0.001, 0).summary() == "Rain, almost certain (over 99 %)"
    assert prediction_of(0.55, 0.4, 0.05).summary() == "Rain, probably (55 %)"
    assert prediction_of(0.45, 0.4, 0.15).summary() == "Not sure: rain or sea waves"


def test_evaluation_counts_clips_and_not_windows(
    trained_model: Checkpoint, three_sounds: Path
) -> None:
    result = evaluation.evaluate(trained_model, datasets.load(three_sounds).of_folds({5}))
    assert result.n_clips == 3
    assert result.confusion.sum() == 3
    assert result.accuracy == pytest.approx(np.trace(result.confusion) / 3)


def test_scores_follow_from_the_confusion() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.0, 1.0]])
    result = evaluation.score(
        np.array([0, 0, 1, 1]), probabilities, ("a", "b"), probabilities, probabilities
    )
    assert result.accuracy == 0.75
    assert result.confusion.tolist() == [[1, 1], [0, 2]]
    assert result.per_class["a"]["recall"] == 0.5
    assert result.per_class["b"]["precision"] == pytest.approx(2 / 3)
    assert result.macro_f1 == pytest.approx((2 / 3 + 0.8) / 2)
    assert result.nll == pytest.approx(-np.log([0.9, 0.2, 0.6, 1.0]).mean())
    # Bins of one clip each: |0.9 - 1|, |0.8 - 0|, |0.6 - 1|, and 1.0 is right.
    assert result.ece == pytest.approx((0.1 + 0.8 + 0.4) / 4)


@pytest.mark.parametrize("name", ["separable_cnn-mel", "cldnn-mel"])
def test_real_recordings_are_predicted(esc10: Path, name: str) -> None:
    """These clips were in the training of what ships; its card has the held-out figure."""
    network = checkpoint.find(name)
    clips = datasets.load(esc10).of_folds({4}).clips[::8]
    right = [
        predict.predict_file(clip.path, network).ranking()[0][0] == clip.label for clip in clips
    ]
    assert np.mean(right) >= 0.8
