"""A bundle predicts with ONNX Runtime, NumPy, SciPy and soundfile alone, and says the same."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audioclf import features
from audioclf.audio import io
from audioclf.export import standalone
from audioclf.features import config, windowing
from audioclf.inference.predict import predict_file
from audioclf.models import checkpoint
from tests import sounds

MODEL = "separable_cnn-mel"
MODULES = (
    "onnxruntime", "numpy", "scipy", "soundfile", "_soundfile", "_soundfile_data", "cffi",
    "_cffi_backend", "pycparser", "typing_extensions",  # what soundfile needs
)  # fmt: skip
COMPARE = """
import json, sys
import numpy as np
from frontend.audio import io
from frontend.features import config, windowing
assert "audioclf" not in sys.modules
for name, values in json.load(open("frontends.json")).items():
    front_end = config.from_dict(values)
    samples = io.load(f"{front_end.spectrogram.sample_rate_hz}.wav",
                      front_end.spectrogram.sample_rate_hz)
    np.save(f"{name}.npy", windowing.windows(front_end, samples).inputs)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with these packages and nothing else, as an environment of its own has them."""
    folder = tmp_path_factory.mktemp("bare")
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            pytest.skip(f"{name} is not installed as files")
        place = Path(spec.origin)
        place = place.parent if place.name == "__init__.py" else place
        libraries = place.parent / f"{name}.libs"
        for path in (place, libraries) if libraries.is_dir() else (place,):
            (folder / path.name).symlink_to(path)
    return folder


def run(bare: Path, cwd: Path, *args: str) -> str:
    """Run Python without the site's packages, those of `bare` alone; returns what it prints."""
    command = [sys.executable, "-S", *args]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{bare}:{cwd}", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_bundle_predicts_the_same_in_a_bare_environment(bare: Path, tmp_path: Path) -> None:
    model = checkpoint.find(MODEL)
    for name in (checkpoint.ONNX, checkpoint.CARD):
        shutil.copy(model.folder / name, tmp_path / name)
    standalone.write(tmp_path)
    assert "audioclf" not in run(bare, tmp_path, "-c", "import sys; print(sys.path)").replace(
        str(tmp_path), ""
    ).replace(str(bare), "")
    rate_hz = model.frontend.spectrogram.sample_rate_hz
    io.write(tmp_path / "tone.wav", sounds.noise(3.0, seed=4), rate_hz)
    code = "import json, predict; print(json.dumps(predict.predict('tone.wav')))"
    answer = json.loads(run(bare, tmp_path, "-c", code))
    expected = predict_file(tmp_path / "tone.wav", model).probabilities.mean(axis=0)
    assert list(answer) == list(model.classes)
    assert list(answer.values()) == pytest.approx(expected.tolist(), abs=1e-4)
    printed = run(bare, tmp_path, "predict.py", "tone.wav")
    assert printed.startswith("tone.wav ") and max(answer, key=lambda one: answer[one]) in printed
    assert set((tmp_path / "requirements.txt").read_text().split()) == {
        "onnxruntime>=1.17", "numpy>=1.26", "scipy>=1.11", "soundfile>=0.12",
    }  # fmt: skip


def test_every_front_end_of_a_bundle_computes_what_ours_does(bare: Path, tmp_path: Path) -> None:
    standalone.write(tmp_path)
    front_ends = {name: config.for_feature(name) for name in features.FEATURES}
    values = {name: front_end.to_dict() for name, front_end in front_ends.items()}
    (tmp_path / "frontends.json").write_text(json.dumps(values))
    for rate_hz in {one.spectrogram.sample_rate_hz for one in front_ends.values()}:
        io.write(tmp_path / f"{rate_hz}.wav", sounds.noise(6.0, seed=1), rate_hz)
    run(bare, tmp_path, "-c", COMPARE)
    for name, front_end in front_ends.items():
        rate_hz = front_end.spectrogram.sample_rate_hz
        samples, _ = io.load(tmp_path / f"{rate_hz}.wav")
        ours = windowing.windows(front_end, samples).inputs
        theirs = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-4, err_msg=name)
