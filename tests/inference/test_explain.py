"""What an answer rests on: where the sound is, and on the weights that were learnt."""

from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io
from audioclf.features import windowing
from audioclf.inference import explain
from audioclf.inference.onnx_session import load_classifier
from audioclf.models import checkpoint
from tests import sounds
from tests.sentences import refusal

NAME = "separable_cnn-mel"


def test_what_matters_lies_where_the_class_is_looked_for() -> None:
    """A made model: its class is the level of the last quarter, in the upper half."""

    def classify(inputs: np.ndarray) -> np.ndarray:
        level = inputs[:, 36:, 16:].mean(axis=(1, 2, 3))
        return np.stack([level, 1 - level], axis=1) * 0.8 + 0.1

    window = np.zeros((48, 32, 1), np.float32)
    window[24:] = 1.0
    falls = explain.occlusion(classify, window, 0)
    assert falls.shape == (12, 8)
    assert (falls[9:, 4:] > 0.05).all()
    assert np.allclose(falls[:9], 0) and np.allclose(falls[:, :4], 0)


def test_a_bark_is_explained_by_the_moments_in_which_it_sounds(esc10: Path) -> None:
    clip, rate_hz = io.load(esc10 / "dog_bark" / "4-207124-A.ogg")
    explanation = explain.explain(clip, rate_hz, checkpoint.find(NAME))
    assert explanation.label == "dog_bark" and explanation.probability > 0.5
    assert explanation.importance.max() > 0.1 and np.isfinite(explanation.importance).all()
    assert explanation.attention is None and explain.NO_ATTENTION in explanation.notes


def test_attention_is_shown_where_a_network_has_it() -> None:
    model = checkpoint.find("cnn_attention-mel")
    explanation = explain.explain(sounds.noise(3), sounds.RATE_HZ, model)
    assert explanation.attention is not None and explanation.attention.shape == (64,)
    assert explanation.attention.sum() == pytest.approx(1, abs=1e-4) and explanation.notes == ()


def test_other_weights_give_another_map(esc10: Path) -> None:
    """Adebayo et al. (2018): the labels of the last layer turned, as the least of changes."""
    clip, rate_hz = io.load(esc10 / "rooster" / "4-164064-A.ogg")
    model = checkpoint.find(NAME)
    frontend = model.frontend
    at_rate = io.resample(clip, rate_hz, frontend.spectrogram.sample_rate_hz)
    window = windowing.windows(frontend, at_rate).inputs[0]
    trained = load_classifier(model)
    random = _randomised(model)
    column = model.classes.index("rooster")
    maps = [explain.occlusion(f, window, column).ravel() for f in (trained, random)]
    assert maps[0].std() > 0.01
    likeness = np.corrcoef(maps[0], maps[1])[0, 1] if maps[1].std() > 1e-6 else 0.0
    assert abs(likeness) < 0.6


def _randomised(model: checkpoint.Checkpoint) -> object:
    """The model with every kernel shuffled, in memory."""
    import onnx
    import onnxruntime
    from onnx import numpy_helper

    network = onnx.load(str(model.folder / checkpoint.ONNX))
    rng = np.random.default_rng(0)
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim >= 2:
            shuffled = rng.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(numpy_helper.from_array(shuffled, tensor.name))
    session = onnxruntime.InferenceSession(
        network.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    return lambda inputs: session.run(["label"], {name: inputs})[0]


def test_what_cannot_be_explained_is_said_in_a_sentence() -> None:
    model = checkpoint.find(NAME)
    sound = sounds.noise(1)
    assert "does not know" in refusal(
        lambda: explain.explain(sound, sounds.RATE_HZ, model, "whale")
    )
    waveform = checkpoint.find("soundnet_cnn-waveform")
    explanation = explain.explain(sound, sounds.RATE_HZ, waveform)
    assert explain.NO_BANDS in explanation.notes and explanation.importance.shape == (12, 1)
