"""Networks to take away: they say the same without us, and go to the Hub with one's own token."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from audioclf.cli import main
from audioclf.datasets import dataset
from audioclf.export import bundle, formats
from audioclf.inference.predict import predict_file
from audioclf.models import checkpoint, equivalence
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import hf_hub
from audioclf.training import linear_probe
from audioclf.training.linear_probe import LinearProbeSettings
from tests.sentences import refusal

BACKBONE = "separable_cnn-mel"


@pytest.fixture(scope="module")
def head(three_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A head on a network that ships, with a name of a class that is no Markdown."""
    data = dataset.load(three_sounds)
    folder = tmp_path_factory.mktemp("heads") / "my_head"
    settings = LinearProbeSettings(holdout_folds=(1,))
    return linear_probe.train_linear_probe(
        checkpoint.find(BACKBONE), data, folder, settings, lambda w, things: things
    )


@pytest.mark.slow
def test_a_head_is_taken_away_with_all_that_it_needs(
    head: Checkpoint, three_sounds: Path, tmp_path: Path
) -> None:
    path = bundle.write_zip(head, tmp_path / "taken")
    assert path.name == "taken.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "my_head"
    names = {file.name for file in folder.iterdir()}
    files = {"model.keras", "model.onnx", "card.json", "predict.py", "README.md"}
    assert names == files | {"requirements.txt", "frontend"}
    alone = checkpoint.read(folder)
    assert (
        not alone.is_head and alone.classes == head.classes and alone.evaluation == head.evaluation
    )
    for clip in (three_sounds / "noise" / "1.wav", three_sounds / "sine" / "2.wav"):
        expected = predict_file(clip, head).probabilities
        assert predict_file(clip, alone).probabilities == pytest.approx(expected, abs=1e-4)
    assert set(keras.saving.load_model(folder / "model.keras").output) == {"label", "embedding"}
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert session.get_outputs()[0].name in ("label", "embedding")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in readme and "100.00 % of 6 clips right" in readme
    assert str(tmp_path) not in json.dumps(alone.card) + readme
    run = subprocess.run(
        [sys.executable, str(folder / "predict.py"), str(three_sounds / "clicks" / "0.wav")],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert "clicks" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", [BACKBONE, "cldnn-mel"])
def test_other_formats_say_the_same_when_they_are_read_again(name: str, tmp_path: Path) -> None:
    import tensorflow as tf

    folder = bundle.write_folder(checkpoint.find(name), tmp_path / "out", tuple(formats.FORMATS))
    model = keras.saving.load_model(folder / "model.keras")
    window = np.random.default_rng(3).normal(size=(1, *model.input_shape[1:])).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(window, training=False)["label"])
    loaded = tf.saved_model.load(str(folder / "saved_model"))
    assert loaded.serve(window)["label"].numpy() == pytest.approx(expected, abs=1e-4)
    graph = tf.lite.Interpreter(str(folder / "model.tflite"))
    graph.allocate_tensors()  # without what only TensorFlow has
    graph.set_tensor(graph.get_input_details()[0]["index"], window)
    graph.invoke()
    outputs = [graph.get_tensor(one["index"]) for one in graph.get_output_details()]
    assert any(np.allclose(one, expected, atol=1e-4) for one in outputs if one.shape == (1, 10))


@pytest.mark.slow
def test_an_export_that_says_something_else_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = checkpoint.find(BACKBONE)
    monkeypatch.setattr(equivalence, "TOLERANCE", -1.0)
    message = refusal(lambda: bundle.write_zip(network, tmp_path / "a.zip", ("saved_model",)))
    assert "the model is not saved" in message and list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    assert "name a new folder" in refusal(lambda: bundle.write_folder(network, tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "words"
    shutil.rmtree(tmp_path / "mine")
    assert "no format “pickle”" in refusal(
        lambda: bundle.write_folder(network, tmp_path / "b", ("pickle",))
    )


def test_an_ensemble_is_taken_member_by_member(tmp_path: Path) -> None:
    ensemble = next(one for one in checkpoint.find_all() if one.is_ensemble)
    assert "one by one" in refusal(lambda: bundle.write_zip(ensemble, tmp_path / "a.zip"))
    assert list(tmp_path.iterdir()) == []


@dataclass
class Hub:
    """A server that answers as the Hub does where it refuses, and what it was asked."""

    url: str
    status: int
    requests: list[tuple[str, str | None, bytes]] = field(default_factory=list)


@pytest.fixture
def a_hub(request: pytest.FixtureRequest) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.requests.append((self.path, self.headers.get("Authorization"), body))
            self.send_response(hub.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_GET(self) -> None:
            self.do_POST()

        def do_HEAD(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_port}", request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()


@pytest.mark.parametrize("a_hub", [401, 403, 503], indirect=True)
def test_the_hub_is_asked_with_the_token_and_its_refusal_is_a_sentence(
    a_hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("words")
    environment = {**os.environ, "HF_ENDPOINT": a_hub.url, "HF_HOME": str(tmp_path / "home")}
    code = (
        "import sys\nfrom pathlib import Path\nfrom audioclf.storage import hf_hub\n"
        "try:\n    hf_hub.push(Path(sys.argv[1]), 'me/mine', 'hf_secret')\n"
        "except ValueError as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, env=environment, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    words = {401: "does not know this token", 403: "may not write", 503: "answered 503"}
    assert words[a_hub.status] in run.stdout
    path, token, body = next(one for one in a_hub.requests if one[0] == "/api/repos/create")
    assert token == "Bearer hf_secret" and b'"private"' in body and b"mine" in body
    assert "hf_secret" not in run.stdout + run.stderr


def test_without_a_way_to_the_hub_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for repo, token, words in (
        ("mine", "hf_x", "is no repository"),
        ("me/../mine", "hf_x", "is no repository"),
        ("me/mine", "", "token of yours"),
        ("me/mine", "hf x", "token of yours"),
    ):
        assert words in refusal(lambda r=repo, t=token: hf_hub.push(tmp_path, r, t))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert main.main(["export", "--checkpoint", BACKBONE, "--push", "me/mine"]) == 2
    assert "token of yours" in capsys.readouterr().err
