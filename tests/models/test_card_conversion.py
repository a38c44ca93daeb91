"""Cards of format 1, as older versions wrote them, are read as those of today."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audioclf.models import card, checkpoint
from audioclf.models.card_conversion import to_format_2
from tests.sentences import refusal

DATA = Path(__file__).parent.parent / "data" / "format_1"
STORED = sorted(DATA.glob("*-*.json"))
OLD = {
    "recipe", "analysis", "cleaning", "before", "kept_as", "learnt_on", "how", "started_from",
    "ended_after", "minutes", "unseen_loss", "unseen_accuracy", "average", "old_rate", "variants",
    "mix_share", "n_bin_masks", "n_frame_masks", "bin_mask_share", "frame_mask_share",
    "inverse_strength", "network", "kind", "output",
}  # fmt: skip


def names(value: Any) -> set[str]:
    """All keys in a value, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


def leaves(value: Any) -> list[Any]:
    """All values that hold no others, in their order."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [leaf for part in parts for leaf in leaves(part)]
    return [value]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_real_card_of_format_1_keeps_every_value_under_todays_names(path: Path) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    read = card.read(path)
    assert read["format"] == 2 and not OLD & names(read)
    old, new = leaves(stored), leaves(read)
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed in ([(1, 2)], [(1, 2), ("head", "linear_probe")])
    assert to_format_2(read) == read  # a second time changes nothing


def test_what_only_other_trainings_store_is_converted_too() -> None:
    """A fine-tuned model with validation, ended early, on one that had its time in minutes."""
    path = DATA / "soundnet_cnn-waveform.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    history = {"loss": [1.0], "accuracy": [0.5], "unseen_loss": [0.9], "unseen_accuracy": [0.25]}
    stored["training"] |= {"started_from": "cldnn-mel", "ended_after": 1, "history": history}
    stored["training"]["settings"] |= {"old_rate": 0.5}
    stored["training"]["before"] = {"minutes": 2.5, "before": {"settings": {"average": 0.9}}}
    stored["results"][0]["of_mine"] = {"kind": "kept"}
    converted = card.in_current_format(stored)
    card.check(converted)
    training = converted["training"]
    assert training["base_model"] == "cldnn-mel" and training["stopped_epoch"] == 1
    assert training["history"]["val_loss"] == [0.9] and training["history"]["val_accuracy"] == [
        0.25
    ]
    assert training["hyperparameters"]["backbone_lr_multiplier"] == 0.5
    assert training["hyperparameters"]["augmentation"]["waveform"]["count"] == 3
    assert training["previous"]["seconds"] == 150.0
    assert training["previous"]["previous"]["hyperparameters"] == {"ema_decay": 0.9}
    assert converted["results"][0]["of_mine"] == {"kind": "kept"}


def test_a_newer_card_says_what_to_do_and_nonsense_is_no_crash(tmp_path: Path) -> None:
    stored = json.loads(STORED[0].read_text(encoding="utf-8"))
    (tmp_path / "later").mkdir()
    file = tmp_path / "later" / checkpoint.CARD
    file.write_text(json.dumps({**stored, "format": 3}))
    sentence = refusal(lambda: checkpoint.read(file.parent))
    assert sentence == (
        "The card of “later” is of format 3, and this audioclf reads up to 2: update audioclf."
    )
    for values in (
        {"recipe": 3}, {"training": [1]}, {"training": {"before": "x", "settings": 4}},
        {"layers": {"a": 1}}, {"results": [3]}, {"calibration": "cold"}, {"architecture": None},
    ):  # fmt: skip
        file.write_text(json.dumps({**stored, **values}))
        assert refusal(lambda: checkpoint.read(file.parent)).startswith("The card of “later” ")


def test_the_script_writes_cards_of_format_1_in_todays(tmp_path: Path) -> None:
    shipped = Path(checkpoint.__file__).parents[2] / "checkpoints"
    for path in STORED:
        (tmp_path / path.stem).mkdir()
        (tmp_path / path.stem / checkpoint.CARD).write_bytes(path.read_bytes())
    members = json.loads((DATA / "ensemble-yamnet.json").read_text(encoding="utf-8"))["members"]
    for name in {*members, "yamnet-esc10", "soundnet_cnn-waveform"}:
        if not (shipped / name).is_dir():
            pytest.skip("no checkpoint ships")
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / checkpoint.ONNX).symlink_to(shipped / name / checkpoint.ONNX)
        if not (tmp_path / name / checkpoint.CARD).exists():
            (tmp_path / name / checkpoint.CARD).symlink_to(shipped / name / checkpoint.CARD)
    script = Path(__file__).parents[2] / "scripts" / "convert_cards.py"
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3 of 4 cards converted")
    for path in STORED:
        written = json.loads((tmp_path / path.stem / checkpoint.CARD).read_text(encoding="utf-8"))
        assert written["format"] == 2 and not OLD & names(written)
    assert checkpoint.scan(tmp_path)[1] == []
    assert (
        checkpoint.find(tmp_path / "yamnet-esc10")
        .card["results"][0]["model"]
        .startswith("a linear probe")
    )
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("0 of 4 cards converted")
