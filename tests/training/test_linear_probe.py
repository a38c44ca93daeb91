"""Heads: new classes on what a trained network hears, in kilobytes, and never without it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io
from audioclf.cli import main
from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.inference.evaluation import evaluate
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths
from audioclf.training import ensemble, linear_probe
from audioclf.training.linear_probe import LinearProbeSettings
from audioclf.ui.classify import heatmap
from audioclf.ui.models import latency
from audioclf.ui.page import model_lists
from tests import sounds
from tests.conftest import ROOT
from tests.sentences import refusal


def silent(words: str, things: object) -> object:
    return things


@pytest.fixture(scope="module")
def new_sounds(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two classes that the network was not trained on: rising tones, and hum, which is rarer."""
    folder = tmp_path_factory.mktemp("data") / "new_sounds"
    for i in range(10):
        rising = sounds.chirp(200.0 + 40 * i, 3_000.0, 3.5)
        _write(folder / "rising" / f"{i}.wav", rising)
        if i < 5:
            _write(folder / "hum" / f"{i}.wav", sounds.sine(60.0 + 3 * i, 3.5))
    return dataset.load(folder)


def _write(path: Path, samples: io.Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    io.write(path, samples, sounds.RATE_HZ)


@pytest.fixture(scope="module")
def head(trained_model: Checkpoint, new_sounds: Dataset) -> Checkpoint:
    """Beside its backbone, measured on a fold that it never saw."""
    settings = LinearProbeSettings(holdout_folds=(1,), attribution="Made by a program.")
    return linear_probe.train_linear_probe(
        trained_model, new_sounds, trained_model.folder.parent / "new_head", settings, silent
    )


@pytest.mark.slow
def test_a_head_tells_apart_what_its_backbone_was_not_trained_on(
    head: Checkpoint, trained_model: Checkpoint, new_sounds: Dataset
) -> None:
    assert head.classes == ("hum", "rising") and head.evaluation
    assert head.evaluation["accuracy"] == 1 and "fold 1 held out" in head.evaluation["data"]
    assert evaluate(head, new_sounds).accuracy == 1
    for clip in new_sounds.clips[:2]:
        prediction = predict_file(clip.path, head)
        assert prediction.ranking()[0][0] == clip.label
        assert prediction.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert (
            prediction.starts_s.tolist() == predict_file(clip.path, trained_model).starts_s.tolist()
        )


@pytest.mark.slow
def test_its_own_files_are_kilobytes_and_its_card_names_what_it_reads(
    head: Checkpoint, trained_model: Checkpoint
) -> None:
    files = {"card.json", "model.onnx", "familiarity.npz"}
    assert {path.name for path in head.folder.iterdir()} == files
    assert sum(path.stat().st_size for path in head.folder.iterdir()) < 300_000
    assert head.card["backbone"] == {
        "name": trained_model.name,
        "sha256": [trained_model.weights_sha256()],
    }
    assert head.count_bytes() > trained_model.count_bytes()
    assert "Made by a program." in head.card["attribution"]
    assert str(ROOT.parent) not in json.dumps(head.card)
    checkpoint.verify(head)


@pytest.mark.slow
def test_without_its_backbone_a_head_says_what_is_missing_and_stands_last(
    head: Checkpoint, new_sounds: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    alone = tmp_path / "alone"
    shutil.copytree(head.folder, alone)
    other = tmp_path / "worse"
    shutil.copytree(head.folder.parent / head.card["backbone"]["name"], other)
    card = json.loads((other / "card.json").read_text())
    (other / "card.json").write_text(json.dumps({**card, "results": []}))
    message = refusal(lambda: predict_file(new_sounds.clips[0].path, checkpoint.find("alone")))
    assert "“three_sounds”, which is not here" in message
    assert [model.name for model in ranking.best_first()] == ["worse", "alone"]
    *_, (option, name) = model_lists.model_choices()
    assert name == "alone" and option == f"Unavailable · alone: {message}"
    assert latency.measure(checkpoint.find("alone")) is None
    assert checkpoint.find("alone").count_bytes() < 100_000


@pytest.mark.slow
def test_another_network_under_the_backbone_s_name_is_not_taken_for_it(
    head: Checkpoint, trained_model: Checkpoint, new_sounds: Dataset, tmp_path: Path
) -> None:
    shutil.copytree(head.folder, tmp_path / "new_head")
    shutil.copytree(trained_model.folder, tmp_path / trained_model.name)
    card = json.loads((tmp_path / trained_model.name / "card.json").read_text())
    card["source"] = {"sha256": "0" * 64}
    (tmp_path / trained_model.name / "card.json").write_text(json.dumps(card))
    copied = checkpoint.read(tmp_path / "new_head")
    assert "trained on another" in refusal(lambda: predict_file(new_sounds.clips[0].path, copied))


@pytest.mark.slow
def test_a_head_votes_in_an_ensemble_and_is_measured_there(
    head: Checkpoint, trained_model: Checkpoint, new_sounds: Dataset
) -> None:
    again = linear_probe.train_linear_probe(
        trained_model, new_sounds, head.folder.parent / "other_head",
        LinearProbeSettings(holdout_folds=(1,), C=1.0), silent,
    )  # fmt: skip
    averaged = ensemble.make("two_heads", (head, again), new_sounds.of_folds({1}), silent)
    assert averaged.evaluation and averaged.evaluation["accuracy"] == 1
    clip = new_sounds.clips[0].path
    expected = (
        predict_file(clip, head).probabilities + predict_file(clip, again).probabilities
    ) / 2
    plain = predict_file(clip, averaged.uncalibrated())
    assert plain.probabilities == pytest.approx(expected, abs=1e-5)
    assert "is an ensemble" in refusal(
        lambda: linear_probe.train_linear_probe(
            averaged, new_sounds, head.folder.parent / "x", LinearProbeSettings(), silent
        )
    )


@pytest.mark.slow
def test_the_command_line_trains_a_head_and_embeds_every_clip_once(
    trained_model: Checkpoint,
    new_sounds: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(trained_model.folder.parent))
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))
    folder = new_sounds.clips[0].path.parent.parent
    command = ["fine-tune", str(folder), "--checkpoint", trained_model.name, "--name", "by_hand"]
    assert (
        main.main([*command, "--freeze", "--holdout-fold", "2", "--output-dir", str(tmp_path)]) == 0
    )
    output = capsys.readouterr().out
    assert "100.00 % (43.8 to 100.0) on new_sounds, fold 2 held out" in output
    cached = list((paths.cache_dir() / "embeddings").glob("*/*.npz"))
    assert len(cached) == len(new_sounds.clips)
    assert checkpoint.read(tmp_path / "by_hand").load_backbone()


@pytest.mark.slow
def test_rare_classes_and_long_clips_weigh_as_much_as_others(
    trained_model: Checkpoint, new_sounds: Dataset
) -> None:
    shown = linear_probe.embed_examples(trained_model, new_sounds, new_sounds.classes, silent)
    per_class = [shown.weights[shown.numbers == number].sum() for number in (0, 1)]
    assert per_class == pytest.approx([7.5, 7.5])  # 5 clips of one and 10 of the other
    assert len(shown.values) == len(shown.weights) > len(new_sounds.clips)


@pytest.mark.slow
def test_a_head_cannot_take_its_backbone_s_place_nor_lose_it(
    trained_model: Checkpoint, new_sounds: Dataset, tmp_path: Path
) -> None:
    def fit_in_process(folder: Path, settings: LinearProbeSettings) -> str:
        return refusal(
            lambda: linear_probe.train_linear_probe(
                trained_model, new_sounds, folder, settings, silent
            )
        )

    beside = trained_model.folder.parent
    assert "choose a new name" in fit_in_process(beside / trained_model.name, LinearProbeSettings())
    assert "would not find “three_sounds”" in fit_in_process(
        tmp_path / "lost", LinearProbeSettings()
    )
    one_fold = LinearProbeSettings(folds=(1,), holdout_folds=(1,))
    assert "Fewer than two classes" in fit_in_process(beside / "nothing", one_fold)
    checkpoint.verify(trained_model)
    assert not (tmp_path / "lost").exists()


@pytest.mark.parametrize("wrong", [{"source": 3}, {"backbone": {"name": "x"}}, {"backbone": [1]}])
def test_a_card_that_says_nonsense_of_its_source_is_not_listed(
    wrong: dict[str, object], tmp_path: Path
) -> None:
    source = checkpoint.find("cldnn-mel")
    shutil.copytree(source.folder, tmp_path / "odd")
    (tmp_path / "odd" / "card.json").write_text(json.dumps({**source.card, **wrong}))
    assert checkpoint.find_all(tmp_path) == []
    assert "save the checkpoint again" in refusal(lambda: checkpoint.read(tmp_path / "odd"))


def test_a_class_without_clips_is_never_predicted() -> None:
    values = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    shown = linear_probe.Examples(values, np.array([0, 0, 0, 1, 1, 1, 2, 2, 2]), np.ones(9))
    head = linear_probe.fit(shown, 4, LinearProbeSettings())
    assert head.kernel.shape == (4, 4)
    assert head.probabilities(values)[:, 3].max() < 1e-6


def many(probabilities: list[list[float]]) -> Prediction:
    values = np.array(probabilities, np.float32)
    starts_s = 0.48 * np.arange(len(values))
    classes = tuple(f"class_{n}" for n in range(values.shape[1]))
    return Prediction("ears", classes, starts_s, starts_s + 0.96, values, is_multi_label=True)


def test_classes_that_occur_at_once_are_summarised_together() -> None:
    assert many([[0.9, 0.1, 0.6]]).summary() == "Class 0 (90 %), class 2 (60 %)"
    assert many([[0.999, 0.1, 0.2]]).summary() == "Class 0 (over 99 %)"
    assert many([[0.3, 0.1, 0.4]]).summary() == "Not sure: class 2 or class 0"


def test_rows_are_the_classes_that_some_window_is_likely_to_hold() -> None:
    values = np.full((50, 40), 0.01)
    values[:, 3] = 0.5
    values[7, 20] = 0.95  # once, and loud: it must not be lost in the mean
    shown = heatmap.heat_lane(many(values.tolist()), "a.wav", 25.0)
    names = [row["class"] for row in shown["rows"]]
    assert names[:2] == ["class_3", "class_20"] and len(names) == heatmap.LEAST_ROWS
    assert len(shown["windows"]) == 50 == len(shown["rows"][0]["probabilities"])
    assert shown["windows"][7]["best"][0] == {"class": "class_20", "probability": 0.95}


def test_an_hour_is_shown_in_as_many_columns_as_fit_and_loses_no_event() -> None:
    values = np.full((7_500, 30), 0.01)
    values[4_321, 8] = 0.9
    prediction = many(values.tolist())
    shown = heatmap.heat_lane(prediction, "a.wav", 3_600.0)
    assert len(shown["windows"]) <= heatmap.MOST_COLUMNS
    assert max(shown["rows"][0]["probabilities"]) == 0.9
    assert shown["windows"][-1]["end_s"] == pytest.approx(float(prediction.ends_s[-1]), abs=1e-3)


def test_long_tables_keep_the_classes_that_are_likely_somewhere() -> None:
    values = np.full((10, 30), 0.001)
    values[3, 5] = 0.2
    prediction = many(values.tolist())
    assert prediction.of_classes_above(0.01, 300) is prediction
    fewer = prediction.of_classes_above(0.01, 299)
    assert fewer.classes == ("class_5",) and fewer.probabilities.shape == (10, 1)
    quiet = replace(prediction, probabilities=np.zeros((10, 30), np.float32))
    assert quiet.of_classes_above(0.01, 299) is quiet
