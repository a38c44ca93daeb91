"""A sound that is unlike the training clips: in Python, on the command line and on the page."""

import json
from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io
from audioclf.cli import main
from audioclf.inference import detection, export_formats
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.classify.answers import predict_clip
from tests import made, sounds

UNLIKE = "Unlike anything this model was trained on; nearest: "


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    made_model = made.familiar_with_noise(tmp_path)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    return made_model


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    io.write(path, sounds.sine(880, 8), sounds.RATE_HZ)
    return path


def test_events_end_where_a_sound_becomes_unfamiliar(model: Checkpoint) -> None:
    mix = np.concatenate([sounds.noise(15, seed=99), sounds.sine(880, 10)])
    found = detection.detect(mix, sounds.RATE_HZ, model)
    (part,) = found.unknown
    assert 9 < part.start_s < 16 and part.end_s == pytest.approx(25, abs=0.1)
    assert found.events[0].label == "rain" and found.events[-1].start_s < part.start_s
    assert "Rain 0.0" in found.summary() and "s: unlike anything this model" in found.summary()
    for form in ("csv", "audacity", "raven"):
        assert "unfamiliar, nearest: " in export_formats.EVENT_FORMATS[form](found, "mix.wav")


def test_the_command_line_says_it(
    model: Checkpoint, tone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", str(tone), "--checkpoint", str(model.folder)]
    assert main.main(command) == 0
    assert UNLIKE in capsys.readouterr().out
    assert main.main([*command, "--events", "--format", "json"]) == 0
    predictions = json.loads(capsys.readouterr().out)
    assert predictions["events"] == []
    assert predictions["unknown"][0]["end_s"] == pytest.approx(8, abs=0.1)


def test_the_page_answers_so_and_is_never_almost_certain(
    model: Checkpoint, tone: Path, tmp_path: Path
) -> None:
    answer, lane, answered = predict_clip(str(tone), model.name, "as_is")
    assert answer["sentence"].startswith(UNLIKE) and answer["is_unfamiliar"]
    assert answer["events"]["items"] == [] and len(answer["events"]["unknown"]) == 1
    assert lane is not None and lane["unfamiliar"] == [*range(len(lane["windows"]))]
    assert answered is not None and answered.events.unknown
    assert "certain" not in json.dumps([answer, lane])
    noise = tmp_path / "noise.wav"
    io.write(noise, sounds.noise(8, seed=99), sounds.RATE_HZ)
    answer, lane, _ = predict_clip(str(noise), model.name, "as_is")
    assert answer["sentence"].startswith("Rain, ") and not answer["is_unfamiliar"]
    assert lane is not None and lane["unfamiliar"] == []
