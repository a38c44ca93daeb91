"""Advice before a training, as people ask for it."""

import json
import shutil
from pathlib import Path

import pytest

from audioclf.cli import main
from audioclf.models import checkpoint


def test_review_lists_the_most_suspicious_labels(
    capsys: pytest.CaptureFixture[str], three_sounds: Path, tmp_path: Path
) -> None:
    for path in three_sounds.glob("*/*.wav"):
        name = "noise" if path.parent.name == "sine" and path.stem == "3" else path.parent.name
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
    command = ["review", str(tmp_path), "--checkpoint", "mlp-summary"]
    assert main.main([*command, "--json"]) == 0
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    assert set(rows[0]) == {"file", "label", "suggested", "probability"}
    assert (rows[0]["file"], rows[0]["suggested"]) == ("noise/sine-3.wav", "sine")
    assert 0 < rows[0]["probability"] <= 1 and "mlp-summary" in printed.err
    assert main.main(command) == 0
    assert "noise/sine-3.wav" in capsys.readouterr().out
    assert main.main(["review", str(tmp_path / "noise"), "--json"]) == 2
    assert "fewer than two classes" in capsys.readouterr().err


def test_recommend_compares_starts_and_fine_tune_uses_the_best(
    capsys: pytest.CaptureFixture[str],
    three_sounds: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("mlp-summary", "mobilenet-mel"):  # without their Keras files: none is timed
        shutil.copytree(checkpoint.find(name).folder, tmp_path / name)
        (tmp_path / name / "model.keras").unlink()
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    assert main.main(["recommend", str(three_sounds), "--json"]) == 0
    advice = json.loads(capsys.readouterr().out)
    assert advice["best"] == advice["starts"][0]["start"]
    for row in advice["starts"]:
        assert row["mode"] == "linear_probe" and row["seconds"] > 0
        assert row["interval"][0] <= row["accuracy"] <= row["interval"][1]
    assert main.main(["recommend", str(three_sounds)]) == 0
    assert f"best: {advice['best']}" in capsys.readouterr().out
    command = ["fine-tune", str(three_sounds), "--checkpoint", "best", "--name", "mine"]
    assert main.main([*command, "--holdout-fold", "1"]) == 0
    printed = capsys.readouterr()
    assert advice["best"] in printed.err and "best of 2 starts" in printed.err
    head = checkpoint.find("mine")
    backbone = head.load_backbone()
    assert backbone is not None and backbone.name == advice["best"]
    assert "100.00 %" in printed.out
