"""The command line as people type it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io
from audioclf.cli import main
from audioclf.features import FEATURES, windowing
from audioclf.features.config import FrontendConfig, for_feature
from audioclf.models.checkpoint import Checkpoint
from tests import sounds
from tests.sounds import noise


@pytest.fixture
def noise_wav(tmp_path: Path) -> Path:
    path = tmp_path / "noise.wav"
    io.write(path, 0.4 * sounds.noise(5, seed=7), sounds.RATE_HZ)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command."""
    status = main.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_predict_prints_the_agreed_json(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, noise_wav: Path
) -> None:
    status, out, _ = run(
        capsys, "predict", noise_wav, "--checkpoint", trained_model.folder, "--json"
    )
    predictions = json.loads(out)
    assert status == 0
    assert set(predictions) == {"file", "checkpoint", "classes", "clip", "windows"}
    assert max(predictions["clip"], key=predictions["clip"].get) == "noise"
    assert set(predictions["windows"][0]) == {"start_s", "end_s", "probabilities"}
    assert len(predictions["windows"][0]["probabilities"]) == len(predictions["classes"]) == 3


def test_predict_prints_events(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, noise_wav: Path
) -> None:
    command = ("predict", noise_wav, "--checkpoint", trained_model.folder, "--events")
    _, out, _ = run(capsys, *command, "--format", "json")
    predictions = json.loads(out)
    assert set(predictions) == {"file", "duration_s", "model", "events", "unknown"}
    assert (predictions["file"], predictions["duration_s"]) == (str(noise_wav), 5.0)
    (event,) = predictions["events"]
    assert (event["label"], event["start_s"]) == ("noise", 0.0) and event["confidence"] > 0.5
    assert 4.9 < event["end_s"] <= 5.0
    _, out, _ = run(capsys, *command)
    assert "Noise 0.0-5.0 s (" in out
    _, out, _ = run(capsys, *command, "--min-length", 6, "--json")
    assert json.loads(out)["events"] == []
    status, _, err = run(capsys, *command, "--threshold", 7)
    assert status == 2 and "threshold" in err
    status, _, err = run(capsys, *command[:-1], "--min-length", 1)
    assert status == 2 and "add --events" in err


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("csv", r"[^,]+noise.wav,0\.0000,5\.0000,noise,[01]\.\d{6},0\.5"),
        ("audacity", r"0\.000000\t5\.000000\tnoise \d+ % \(threshold 50 %\)"),
        ("raven", r"1\tSpectrogram 1\t1\t0\.0+\t5\.0+\t0\.0\t11025\.0\tnoise\t[01]\.\d{4}\t0\.5"),
    ],
)
def test_predict_writes_events_in_other_formats(
    capsys: pytest.CaptureFixture[str],
    trained_model: Checkpoint,
    noise_wav: Path,
    form: str,
    line: str,
) -> None:
    _, out, _ = run(
        capsys,
        "predict",
        noise_wav,
        "--checkpoint",
        trained_model.folder,
        "--events",
        "--format",
        form,
    )
    rows = out.splitlines()
    assert re.fullmatch(line, rows[-1]) and len(rows) == (1 if form == "audacity" else 2)
    if form == "raven":
        assert rows[0].split("\t")[:2] == ["Selection", "View"] and "Confidence" in rows[0]


def test_predict_says_it_in_words(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, noise_wav: Path
) -> None:
    _, out, _ = run(capsys, "predict", noise_wav, "--checkpoint", trained_model.folder)
    assert "Noise, " in out


@pytest.mark.parametrize(
    ("form", "start"), [("csv", "file,start_s"), ("audacity", "0.0"), ("raven", "Selection\t")]
)
def test_predict_writes_other_formats(
    capsys: pytest.CaptureFixture[str],
    trained_model: Checkpoint,
    noise_wav: Path,
    form: str,
    start: str,
) -> None:
    _, out, _ = run(
        capsys,
        "predict",
        noise_wav,
        noise_wav,
        "--checkpoint",
        trained_model.folder,
        "--format",
        form,
    )
    assert out.startswith(start)
    assert out.count("file,start_s") <= 1


def test_one_broken_file_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, noise_wav: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"")
    status, out, err = run(
        capsys, "predict", broken, noise_wav, "--checkpoint", trained_model.folder, "--json"
    )
    assert status == 2
    assert [Path(prediction["file"]).name for prediction in json.loads(out)] == ["noise.wav"]
    assert "“broken.wav” is empty" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("predict", "nowhere.wav", "--checkpoint", "nonesuch"), "no checkpoint “nonesuch”"),
        (("features", "nowhere.wav", "--frontend", "mel", "--output", "x.npy"), "no file"),
        (("evaluate", "nowhere", "--checkpoint", "nonesuch"), "no checkpoint"),
        (("train", "nowhere", "--architecture", "cldnn", "--name", "x"), "no folder “nowhere”"),
        (("train", "nowhere", "--architecture", "net", "--name", "x"), "no architecture “net”"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert err.count("\n") == 1


def test_features_writes_what_the_network_sees(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, noise_wav: Path, tmp_path: Path
) -> None:
    output = tmp_path / "seen.npy"
    status, _, _ = run(
        capsys, "features", noise_wav, "--frontend", trained_model.folder, "--output", output
    )
    samples, _ = io.load(noise_wav, 22_050)
    assert status == 0
    assert np.array_equal(
        np.load(output), windowing.windows(trained_model.frontend, samples).inputs
    )


@pytest.mark.parametrize("name", [*FEATURES, "mel+cqt"])
def test_features_takes_every_feature(
    capsys: pytest.CaptureFixture[str], noise_wav: Path, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "seen.npy"
    status, out, _ = run(capsys, "features", noise_wav, "--frontend", name, "--output", output)
    values = np.load(output)
    assert status == 0
    assert str(values.shape) in out
    assert values.dtype == np.float32 and np.isfinite(values).all()
    assert values.shape[1:] == for_feature(name).input_shape


def test_features_of_a_long_sound_are_written_in_parts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sound = noise(130)
    io.write(tmp_path / "long.wav", sound, 22_050)
    output = tmp_path / "long.npy"
    status, _, _ = run(
        capsys, "features", tmp_path / "long.wav", "--frontend", "mfcc", "--deltas", 1,
        "--output", output,
    )  # fmt: skip
    whole = windowing.windows(
        FrontendConfig("mfcc", deltas=1), io.load(tmp_path / "long.wav", 22_050)[0]
    ).inputs
    assert status == 0
    np.testing.assert_allclose(np.load(output), whole, atol=1e-2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.npy", "long.wav"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--frontend", "mel+loudness"), "“loudness”"),
        (("--frontend", "loudness"), "A feature works too"),
        (("--frontend", "summary", "--deltas", "1"), "no frames to take deltas of"),
        (("--frontend", "mel", "--deltas", "3"), "0 to 2"),
        (("--frontend", "mel+summary"), "choose them alone"),
    ],
    ids=" ".join,
)
def test_features_that_cannot_be_written_are_refused(
    capsys: pytest.CaptureFixture[str],
    noise_wav: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    output = tmp_path / "seen.npy"
    status, _, err = run(capsys, "features", noise_wav, *arguments, "--output", output)
    assert status == 2 and words in err and "Traceback" not in err
    assert list(tmp_path.glob("*seen*")) == [] and list(tmp_path.glob("*.part")) == []


def test_evaluate_prints_the_agreed_json(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, three_sounds: Path
) -> None:
    status, out, err = run(
        capsys,
        "evaluate",
        three_sounds,
        "--checkpoint",
        trained_model.folder,
        "--fold",
        5,
        "--json",
    )
    result = json.loads(out)
    assert status == 0
    assert {"accuracy", "macro_f1", "per_class", "confusion", "n_clips"} <= set(result)
    assert result["n_clips"] == 3
    assert "in its training" not in err


def test_evaluate_says_when_the_clips_were_trained_on(
    capsys: pytest.CaptureFixture[str], trained_model: Checkpoint, three_sounds: Path
) -> None:
    _, _, err = run(capsys, "evaluate", three_sounds, "--checkpoint", trained_model.folder)
    assert "were in its training" in err


@pytest.mark.parametrize("command", ["architectures", "checkpoints"])
def test_tables_are_lists_of_objects(capsys: pytest.CaptureFixture[str], command: str) -> None:
    status, out, _ = run(capsys, command, "--json")
    rows = json.loads(out)
    assert status == 0
    assert len(rows) >= 2  # of networks, and of what ships
    assert all({"name", "feature", "input_shape", "n_params"} <= set(row) for row in rows)
    _, table, _ = run(capsys, command)
    assert all(row["name"] in table for row in rows)


@pytest.mark.slow
def test_train_measures_on_a_held_out_fold_and_publishes(
    capsys: pytest.CaptureFixture[str], three_sounds: Path, tmp_path: Path
) -> None:
    options = ("--epochs", 2, "--holdout-fold", 2, "--output-dir", tmp_path, "--data-name", "Three")
    status, out, err = run(
        capsys, "train", three_sounds, "--architecture", "cldnn", "--name", "new", *options
    )
    assert status == 0
    card = json.loads((tmp_path / "new" / "card.json").read_text())
    assert card["results"][0]["data"] == "Three, fold 2 held out"
    assert card["training"]["data"] == "Three, folds 1 to 5 (24 clips)"
    assert str(tmp_path / "new") in out
    assert "epoch" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


@pytest.mark.slow
def test_networks_are_cross_validated_and_vote_in_a_checkpoint(
    capsys: pytest.CaptureFixture[str], three_sounds: Path, tmp_path: Path
) -> None:
    quick = ("--epochs", 2, "--set", "batch_size=8", "--set", "augmentation.waveform.count=0")
    status, out, _ = run(
        capsys, "cross-validate", three_sounds, "--architecture", "mlp", "--folds", "1,2",
        "--json", *quick,
    )  # fmt: skip
    rows = json.loads(out)
    assert status == 0
    assert [row["fold"] for row in rows] == ["1", "2", "mean"]
    assert rows[2]["accuracy"] == pytest.approx(
        (rows[0]["accuracy"] + rows[1]["accuracy"]) / 2, abs=1e-4
    )
    for seed in (0, 1):
        status, _, _ = run(
            capsys, "train", three_sounds, "--architecture", "mlp", "--name", f"seed-{seed}",
            "--output-dir", tmp_path, "--holdout-fold", 1, "--seed", seed, *quick,
        )  # fmt: skip
        assert status == 0
    members = (tmp_path / "seed-0", tmp_path / "seed-1")
    status, out, _ = run(
        capsys,
        "ensemble",
        three_sounds,
        "--name",
        "both",
        "--members",
        *members,
        "--holdout-fold",
        1,
    )
    assert status == 0 and "three_sounds, fold 1 held out" in out
    clip = three_sounds / "sine" / "0.wav"
    status, out, _ = run(capsys, "predict", clip, "--checkpoint", tmp_path / "both", "--json")
    assert status == 0 and json.loads(out)["checkpoint"] == "both"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("epoch=3", "no setting “epoch”: there, these are epochs"),
        ("augmentation.louder=3", "no setting “augmentation.louder”"),
        ("augmentation=3", "holds several settings"),
        ("epochs.more=3", "no setting “epochs.more”"),
        ("epochs=many", "“epochs” is a whole number, and “many” is not"),
        ("class_weights=perhaps", "true or false"),
        ("frontend.window_frame=3", "no setting “window_frame”"),
        ("frontend.normalisation=3", "“normalisation” cannot be set"),
        ("augmentation.mix_prob=2", "are shares"),
        ("augmentation.gain_db=-3", "cannot be negative"),
        ("augmentation.waveform.count=-1", "cannot be negative"),
        ("label_smoothing=1", "lie in [0, 1)"),
        ("learning_rate=0", "above 0"),
        ("epochs", "is not NAME=VALUE"),
    ],
)
def test_a_setting_that_is_not_there_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str], three_sounds: Path, setting: str, words: str
) -> None:
    arguments = ("train", three_sounds, "--architecture", "mlp", "--name", "new", "--set", setting)
    if "=" not in setting:
        with pytest.raises(SystemExit):
            run(capsys, *arguments)
        assert words in capsys.readouterr().err
        return
    status, _, err = run(capsys, *arguments)
    assert status == 2 and words in err and "Traceback" not in err


def test_the_module_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audioclf", "predict"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--checkpoint" in done.stderr
