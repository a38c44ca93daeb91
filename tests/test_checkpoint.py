"""Reading checkpoints: what is whole is found, what was changed is refused."""

import json
import shutil
from pathlib import Path

import pytest

from audioclf import checkpoint
from audioclf.checkpoint import Checkpoint


@pytest.fixture
def copy(taught: Checkpoint, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taught.folder, tmp_path / "copy"))


def test_a_folder_of_checkpoints_is_listed_by_name(copy: Path) -> None:
    shutil.copytree(copy, copy.parent / "another")
    (copy.parent / "half-written").mkdir()
    (copy.parent / "half-written" / "card.json").write_text("{")
    assert [found.name for found in checkpoint.find_all(copy.parent)] == ["another", "copy"]


def test_the_most_accurate_comes_first(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, accuracy in (("a", 0.5), ("b", 0.9)):
        card = json.loads((copy / "card.json").read_text())
        card["results"][0]["accuracy"] = accuracy
        (Path(shutil.copytree(copy, copy.parent / name)) / "card.json").write_text(json.dumps(card))
    shutil.rmtree(copy)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(copy.parent))
    assert [found.name for found in checkpoint.best_first()] == ["b", "a"]


def test_a_checkpoint_is_found_by_its_folder(copy: Path) -> None:
    assert checkpoint.find(copy).classes == ("clicks", "noise", "sine")


def test_the_recipe_comes_back_as_it_was_trained(taught: Checkpoint) -> None:
    assert taught.recipe.feature == "mel"
    assert taught.recipe.normalisation is not None
    assert len(taught.recipe.normalisation.mean) == 128


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


@pytest.mark.parametrize("found", checkpoint.find_all(), ids=lambda found: found.name)
def test_what_ships_is_whole_measured_and_attributed(found: Checkpoint) -> None:
    checkpoint.verify(found)
    assert found.measured is not None
    assert "held out" in found.measured["data"]
    assert found.measured["accuracy"] >= 0.8
    assert "Piczak" in found.card["attribution"]
    assert sum(path.stat().st_size for path in found.folder.iterdir()) < 20_000_000
    assert all(path.stat().st_size < 10_000_000 for path in found.folder.iterdir())


def test_two_networks_ship() -> None:
    assert {"separable_cnn-mel", "cldnn-mel"} <= {found.name for found in checkpoint.find_all()}
