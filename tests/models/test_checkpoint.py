"""Reading checkpoints: what is whole is found, what was changed is refused."""

import json
import shutil
from pathlib import Path

import pytest
from scipy.stats import binomtest

from audioclf.models import architectures, checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint


@pytest.fixture
def copy(trained_model: Checkpoint, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_model.folder, tmp_path / "copy"))


def test_a_folder_of_checkpoints_is_listed_by_name(copy: Path) -> None:
    shutil.copytree(copy, copy.parent / "another")
    (copy.parent / "half-written").mkdir()
    (copy.parent / "half-written" / "card.json").write_text("{")
    assert [model.name for model in checkpoint.find_all(copy.parent)] == ["another", "copy"]


def test_the_most_accurate_comes_first(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, accuracy in (("a", 0.5), ("b", 0.9)):
        card = json.loads((copy / "card.json").read_text())
        card["results"][0]["accuracy"] = accuracy
        (Path(shutil.copytree(copy, copy.parent / name)) / "card.json").write_text(json.dumps(card))
    shutil.rmtree(copy)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(copy.parent))
    assert [model.name for model in ranking.best_first()] == ["b", "a"]


def test_a_checkpoint_is_found_by_its_folder(copy: Path) -> None:
    assert checkpoint.find(copy).classes == ("clicks", "noise", "sine")


def test_the_recipe_comes_back_as_it_was_trained(trained_model: Checkpoint) -> None:
    assert trained_model.frontend.feature == "mel"
    assert trained_model.frontend.normalisation is not None
    assert len(trained_model.frontend.normalisation.mean) == 128


def test_an_unknown_name_is_refused(copy: Path) -> None:
    with pytest.raises(ValueError, match="no checkpoint “nonesuch”"):
        checkpoint.find("nonesuch")


def test_a_changed_file_is_noticed(copy: Path) -> None:
    checkpoint.verify(checkpoint.read(copy))
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="model.onnx of “copy” is not the file"):
        checkpoint.verify(checkpoint.read(copy))


def test_a_card_without_classes_is_refused(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text())
    del card["classes"]
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="“copy” lacks classes"):
        checkpoint.read(copy)


# What was fetched here is no part of the project.
SHIPPED = [model for model in checkpoint.find_all() if "source" not in model.card]
FIVE_TIMES_CHANCE = 0.5


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.name)
def test_what_ships_is_whole_measured_and_attributed(model: Checkpoint) -> None:
    checkpoint.verify(model)
    assert model.evaluation is not None
    assert "ESC-10, fold 4 held out" in model.evaluation["data"]
    assert model.evaluation["accuracy"] >= FIVE_TIMES_CHANCE
    assert "Piczak" in model.card["attribution"] and "CC" in model.card["attribution"]
    assert all(path.stat().st_size < 10_000_000 for path in model.folder.iterdir())
    if not model.is_ensemble:
        assert model.card["training"]["folds"] == [1, 2, 3, 4]


def test_every_architecture_ships_on_each_of_its_features() -> None:
    shipped = {(model.card["architecture"], model.feature_names()) for model in SHIPPED}
    wanted = set(architectures.names()) - {"yamnet"}  # which is fetched
    assert wanted <= {architecture for architecture, _ in shipped}
    features = {feature for architecture, feature in shipped if architecture == "separable_cnn"}
    assert features == {"mel", "stft", "gammatone", "complex", "polar"}
    n_bytes = sum(path.stat().st_size for model in SHIPPED for path in model.folder.iterdir())
    assert n_bytes < 150_000_000


def test_most_spectrogram_networks_are_as_good_as_they_should_be() -> None:
    plain = [one for one in SHIPPED if not one.is_ensemble and not one.is_head]
    spectrogram_models = [one for one in plain if not one.frontend.definition.is_waveform]
    good = [one for one in spectrogram_models if (one.evaluation or {})["accuracy"] >= 0.85]
    assert len(good) > 0.6 * len(spectrogram_models)
    assert all((one.evaluation or {})["accuracy"] >= 0.75 for one in spectrogram_models)


def test_two_clips_out_of_two_do_not_stand_before_seventy_seven_out_of_eighty() -> None:
    assert ranking.wilson_interval(1.0, 2)[0] == pytest.approx(0.342, abs=1e-3)
    assert ranking.wilson_interval(0.9625, 80)[0] == pytest.approx(0.895, abs=1e-3)
    assert ranking.wilson_interval(1.0, 80)[0] > ranking.wilson_interval(0.9875, 80)[0]
    assert ranking.wilson_interval(0.0, 1)[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("n_right", "n_clips"), [(0, 1), (2, 2), (77, 80), (305, 320)])
def test_an_accuracy_has_the_interval_of_wilson(n_right: int, n_clips: int) -> None:
    expected = binomtest(n_right, n_clips).proportion_ci(method="wilson")
    interval = ranking.wilson_interval(n_right / n_clips, n_clips)
    assert interval == pytest.approx((expected.low, expected.high), abs=1e-4)
    text = ranking.format_accuracy(n_right / n_clips, n_clips)
    assert text.endswith(f"({100 * expected.low:.1f} to {100 * expected.high:.1f})")
