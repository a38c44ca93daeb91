"""Networks that vote, measured trainings, and cross-validation: on made sounds, for real."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audioclf.datasets import dataset
from audioclf.inference import evaluation, predict
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import ensemble, holdout, pipeline
from audioclf.training.augmentation import Augmentation
from audioclf.training.config import Hyperparameters, TrainingConfig
from audioclf.training.cross_validation import cross_validate
from audioclf.training.loop import EpochReport
from audioclf.training.waveform_augmentation import WaveformAugmentation
from tests import sounds

pytestmark = pytest.mark.slow

QUICK = Hyperparameters(
    epochs=8, batch_size=8, augmentation=Augmentation(waveform=WaveformAugmentation(count=1))
)


def silent(words: str, things: Iterable[Any]) -> Iterable[Any]:
    return things


def work(folder: Path, out: Path, name: str = "mlp", **changes: Any) -> TrainingConfig:
    return replace(TrainingConfig(folder, "mlp", name, out, settings=QUICK), **changes)


@pytest.fixture(scope="module")
def two(three_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, ...]:
    """Two networks of other seeds and windows, with what they made of fold 2."""
    out = tmp_path_factory.mktemp("voters")
    first = work(three_sounds, out, "first", holdout_fold=2, extra_epochs=2)
    second = work(three_sounds, out, "second", holdout_fold=2, settings=replace(QUICK, seed=1))
    members = [
        pipeline.train_and_evaluate(one, lambda stage, report: None, silent)
        for one in (first, second)
    ]
    return tuple(members)


@pytest.fixture(scope="module")
def together(two: tuple[Checkpoint, ...], three_sounds: Path) -> Checkpoint:
    return ensemble.make("together", two, dataset.load(three_sounds).of_folds({2}), silent)


def test_a_network_that_goes_on_tells_both_of_its_trainings(two: tuple[Checkpoint, ...]) -> None:
    training = two[0].card["training"]
    assert training["folds"] == [1, 2, 3, 4, 5] and training["hyperparameters"]["epochs"] == 2
    assert training["previous"]["folds"] == [1, 3, 4, 5]
    assert training["previous"]["hyperparameters"]["epochs"] == 8
    assert (two[0].evaluation or {})["data"] == "three_sounds, fold 2 held out"
    assert "previous" not in two[1].card["training"]


def test_the_ensemble_is_a_card_that_votes_like_its_members(
    together: Checkpoint, two: tuple[Checkpoint, ...]
) -> None:
    assert [path.name for path in together.folder.iterdir()] == ["card.json"]
    assert together.load_members() == two and together.count_bytes() == sum(
        one.count_bytes() for one in two
    )
    sound = sounds.clicks(6.0, every_s=0.3)
    averaged = predict.predict(sound, sounds.RATE_HZ, together)
    votes = [predict.predict(sound, sounds.RATE_HZ, one) for one in two]
    mean = np.mean([vote.probabilities for vote in votes], axis=0)
    np.testing.assert_allclose(averaged.probabilities, mean, atol=1e-6)
    assert averaged.checkpoint == "together"
    assert len({one.weights_sha256() for one in (*two, together)}) == 3


def test_the_ensemble_is_measured_with_members_that_never_saw_the_fold(
    together: Checkpoint, two: tuple[Checkpoint, ...], three_sounds: Path
) -> None:
    assert together.evaluation is not None
    assert together.evaluation["data"] == "three_sounds, fold 2 held out"
    before = [holdout.load_run((one.evaluation or {})["run_id"]) for one in two]
    assert all(one.card["training"]["folds"] == [1, 3, 4, 5] for one in before)
    again = ensemble.evaluate_ensemble(before, dataset.load(three_sounds).of_folds({2}), silent)
    assert again["accuracy"] == together.evaluation["accuracy"]
    assert again["nll"] == pytest.approx(together.evaluation["nll"])


def test_networks_that_cannot_vote_together_are_refused(
    two: tuple[Checkpoint, ...], together: Checkpoint, trained_model: Checkpoint, tmp_path: Path
) -> None:
    for members, words in (
        ([two[0]], "two different models"),
        ([two[0], two[0]], "two different models"),
        ([two[0], trained_model], "one folder"),
        ([two[0], together], "cannot be a member"),
    ):
        with pytest.raises(ValueError, match=words):
            ensemble.make("new", members, None, silent)
    other = Checkpoint(two[0].folder.parent / "other", {**two[0].card, "classes": ["a", "b"]})
    with pytest.raises(ValueError, match="do not have the same classes"):
        ensemble.make("new", [two[0], other], None, silent)


def test_an_ensemble_without_its_members_is_not_listed(
    together: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "card.json").write_text(json.dumps(together.card))
    assert checkpoint.find_all(tmp_path) == []


def test_what_evaluate_says_is_what_the_card_says_to_the_digit(
    two: tuple[Checkpoint, ...], three_sounds: Path
) -> None:
    before = holdout.load_run((two[0].evaluation or {})["run_id"])
    result = evaluation.evaluate(before, dataset.load(three_sounds).of_folds({2})).to_dict()
    assert result.items() <= (before.evaluation or {}).items()


def test_a_training_is_measured_on_the_fold_that_is_asked_for(
    three_sounds: Path, tmp_path: Path
) -> None:
    messages = [
        pipeline.train_without_folds(
            work(three_sounds, tmp_path, folds=(1, 2, 3), data_name=name),
            (fold,),
            lambda stage, report: None,
            silent,
        ).evaluation
        for name, fold in ((None, 4), (None, 5), ("Three", 5))
    ]
    assert [(one or {})["data"] for one in messages] == [
        "three_sounds, fold 4 held out", "three_sounds, fold 5 held out", "Three, fold 5 held out",
    ]  # fmt: skip
    assert len({(one or {})["n_clips"] for one in messages[1:]}) == 1


def test_cross_validation_measures_every_fold_once(three_sounds: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    lessons = [
        work(three_sounds, tmp_path, "first", folds=(1, 2)),
        work(three_sounds, tmp_path, "second", folds=(1, 2), settings=replace(QUICK, seed=1)),
    ]

    def report(stage: str, epoch: EpochReport) -> None:
        stages.append(stage)

    def rows() -> list[dict[str, Any]]:
        return [row.to_dict() for row in cross_validate(lessons, report, silent)]

    first = rows()
    assert [(row["network"], row["fold"]) for row in first[:3]] == [
        ("first", "1"), ("first", "2"), ("first", "mean"),
    ]  # fmt: skip
    assert [row["network"] for row in first[6:]] == ["first + second"] * 3
    alone, other, mean = first[:3]
    assert mean["accuracy"] == pytest.approx((alone["accuracy"] + other["accuracy"]) / 2, abs=1e-4)
    deviation = abs(alone["accuracy"] - other["accuracy"]) / np.sqrt(2)
    assert mean["accuracy_sd"] == pytest.approx(deviation, abs=1e-4)
    assert all(row["seconds"] > 0 and row["peak_mb"] > 100 for row in first[:3])
    assert len(stages) == 4 * 8
    assert rows() == first
    assert len(stages) == 4 * 8, "what is done is not done again"


def prediction(starts_s: list[float], ends_s: list[float], shares: list[float]) -> Prediction:
    rows = np.array([[share, 1 - share] for share in shares], np.float32)
    return Prediction("a", ("x", "y"), np.array(starts_s), np.array(ends_s), rows)


def test_a_vote_on_other_windows_counts_by_its_overlap() -> None:
    vote = prediction([0.0, 2.0], [2.0, 4.0], [1.0, 0.0])
    starts, ends = np.array([0.0, 1.0, 1.5, 9.0]), np.array([2.0, 3.0, 4.0, 10.0])
    resampled = predict._resampled(vote, starts, ends)
    np.testing.assert_allclose(resampled[:, 0], [1.0, 0.5, 0.2, 0.0], atol=1e-6)
    np.testing.assert_allclose(resampled.sum(axis=1), 1, atol=1e-6)
