"""Advice before a training, as people ask for it."""

import json
from pathlib import Path

import pytest

from audioclf.cli import main


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
