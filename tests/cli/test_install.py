"""What `pip install .` brings: a wheel with the best models, which work from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from audioclf import dependencies
from audioclf.audio import io
from audioclf.cli.main import main
from audioclf.jobs import queue
from audioclf.jobs.records import Request, TrainingMode
from audioclf.models import checkpoint
from tests import sounds
from tests.conftest import ROOT

MOST_BYTES = 40_000_000


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "AUDIOCLF_CHECKPOINTS"} | variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.mark.slow
def test_the_wheel_works_from_any_folder(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    run("git", "clone", "-q", ROOT, tree, folder=tmp_path)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    wheels = tmp_path / "wheels"
    run(*pip, "wheel", "-q", "--no-deps", "--wheel-dir", wheels, tree, folder=tmp_path)
    wheel = next(wheels.glob("*.whl"))
    assert wheel.stat().st_size < MOST_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    cards = {Path(name).parent.name for name in names if name.endswith("/card.json")}
    assert {"separable_cnn-mel", "modulation_net-modulation"} <= cards
    assert any(name.endswith("ui/assets/js/main.js") for name in names)
    assert any(name.endswith("assets/audioset_classes.csv") for name in names)

    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", folder=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(*pip, "--python", python, "install", "-q", "--no-deps", wheel, folder=tmp_path)
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])", folder=tmp_path)
    # What it depends on is that of this Python; audioclf itself is not this checkout's.
    shared = next(path for path in sys.path if path.endswith("site-packages"))
    Path(site.strip(), "shared.py").write_text(f"import sys; sys.path.append({shared!r})\n")
    Path(site.strip(), "shared.pth").write_text("import shared\n")

    command, data = tmp_path / "venv" / "bin" / "audioclf", tmp_path / "data"
    io.write(tmp_path / "sine.wav", sounds.sine(seconds=3.0), sounds.RATE_HZ)
    variables = {"AUDIOCLF_DATA": str(data), "AUDIOCLF_CACHE": str(tmp_path / "cache")}
    assert run(command, "--version", folder=Path("/"), **variables).startswith("audioclf ")
    listed = run(command, "checkpoints", folder=Path("/"), **variables)
    assert all(name in listed for name in cards - {"ensemble-yamnet"})
    output = run(
        command, "predict", tmp_path / "sine.wav", "--checkpoint", "separable_cnn-mel",
        folder=Path("/"), **variables,
    )  # fmt: skip
    assert "sine.wav: " in output
    where = "from audioclf.models import checkpoint; print(checkpoint.home())"
    assert run(python, "-c", where, folder=Path("/"), **variables).strip() == str(
        data / "checkpoints"
    )


def test_checkpoints_are_searched_in_all_folders_and_saved_in_the_first(
    tmp_path: Path, made_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_CHECKPOINTS", raising=False)
    assert checkpoint.home() == ROOT / "checkpoints"
    own, shipped = tmp_path / "own", made_checkpoints
    monkeypatch.setattr(checkpoint.paths, "checkpoint_dirs", lambda: [own, shipped])
    first = checkpoint.find_all()[0]
    assert checkpoint.home() == own and first.folder.parent == shipped.resolve()
    checkpoint.write_card(own / "of_both", {**first.card, "members": [first.name]})
    assert checkpoint.find("of_both").load_members() == (first,)
    assert checkpoint.locate(first.name) == shipped / first.name


def test_without_tensorflow_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dependencies, "TRAINING", ("no_such_library",))
    assert main(["train", str(tmp_path), "--architecture", "lstm", "--name", "new"]) == 2
    assert capsys.readouterr().err == f"audioclf: {dependencies.MISSING}\n"
    request = Request(TrainingMode.SCRATCH, str(tmp_path), "new", str(tmp_path))
    with pytest.raises(ValueError, match="need TensorFlow"):
        queue.start(request)
