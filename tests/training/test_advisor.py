"""Which start is recommended, on made sounds where it is known."""

import shutil
from pathlib import Path

import pytest

from audioclf.datasets import dataset
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import advisor
from tests.sentences import refusal


def as_they_come(_: str, things: object) -> object:
    return things


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> list[Checkpoint]:
    """Two that are quick; one has its Keras file, from which all layers can be trained."""
    folder = tmp_path_factory.mktemp("starts")
    for name in ("mlp-summary", "mobilenet-mel"):
        shutil.copytree(checkpoint.find(name).folder, folder / name)
    (folder / "mobilenet-mel" / "model.keras").unlink()
    return checkpoint.find_all(folder)


def test_heads_are_compared_and_all_layers_stand_beside(
    three_sounds: Path, starts: list[Checkpoint]
) -> None:
    data = dataset.load(three_sounds)
    advice = advisor.recommend(data, as_they_come, starts, lambda _, n_clips: 10.0 * n_clips)
    heads = [row for row in advice.rows if row.accuracy is not None]
    assert {row.start for row in heads} == {"mlp-summary", "mobilenet-mel"}
    assert heads[0].start == advice.best.name and heads[0].accuracy == 1
    assert heads[0].accuracy >= heads[1].accuracy
    for row in heads:
        low, high = row.interval
        assert 0 <= low <= row.accuracy <= high <= 1 and row.seconds > 0
    assert heads[0].interval[0] == pytest.approx(0.862, abs=0.001)  # 24 of 24, Wilson
    (whole,) = [row for row in advice.rows if row.mode == "fine_tune"]
    assert (whole.start, whole.accuracy, whole.seconds) == ("mlp-summary", None, 240)
    assert whole.expected >= next(r.accuracy for r in heads if r.start == whole.start)
    plain = advice.to_dict()
    assert plain["best"] == advice.best.name and plain["n_clips"] == 24


def test_a_start_that_would_take_too_long_is_named_and_not_tried(
    three_sounds: Path,
    starts: list[Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path))
    advice = advisor.recommend(dataset.load(three_sounds), as_they_come, starts, budget_s=0)
    assert advice.best.name == starts[0].name  # the first is tried whatever it takes
    skipped = next(row for row in advice.rows if row.start == starts[1].name)
    assert skipped.accuracy is None and "not tried" in skipped.note


def test_a_model_that_may_have_learnt_these_clips_counts_with_its_held_out_result(
    three_sounds: Path, tmp_path: Path, starts: list[Checkpoint]
) -> None:
    for old, new in (("sine", "rain"), ("noise", "sea waves"), ("clicks", "clock_tick")):
        shutil.copytree(three_sounds / old, tmp_path / new)
    data = dataset.load(tmp_path)
    assert all(advisor.may_know(model, data) for model in starts)
    assert not advisor.may_know(starts[0], dataset.load(three_sounds))
    advice = advisor.recommend(data, as_they_come, starts[:1])
    assert advice.rows[0].accuracy == starts[0].evaluation["accuracy"] < 1
    assert "knows these classes" in advice.rows[0].note


def test_of_many_clips_every_class_and_fold_gives_its_share(three_sounds: Path) -> None:
    data = dataset.load(three_sounds)
    few = advisor.drawn(data, 15)
    assert len(few.clips) == 15 and few.classes == data.classes and few.folds == data.folds
    assert advisor.drawn(data, 24) is data


def test_candidates_differ_in_their_features() -> None:
    names = [model.feature_names() for model in advisor.candidates()]
    assert 2 <= len(names) == len(set(names)) <= advisor.N_STARTS


def test_without_a_second_class_in_other_folds_there_is_a_sentence(
    three_sounds: Path, starts: list[Checkpoint]
) -> None:
    data = dataset.load(three_sounds).of_folds({1})
    assert "add clips" in refusal(lambda: advisor.recommend(data, as_they_come, starts))
