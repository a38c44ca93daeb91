"""The contract of every network in the folder: whatever is there is tested, nothing is listed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from audioclf.export import save
from audioclf.features import SpectrogramConfig, windowing
from audioclf.features.config import FrontendConfig, Normalisation
from audioclf.models import architectures
from audioclf.models.architectures import Architecture
from audioclf.models.architectures._flops import multiply_adds
from audioclf.training import loop
from tests import sounds
from tests.sentences import refusal

FOLDER = Path(architectures.__file__).parent
Shape = tuple[int, int, int]


@pytest.fixture(scope="module", params=architectures.names())
def network(request: pytest.FixtureRequest) -> Iterator[Architecture]:
    keras.utils.clear_session()
    yield architectures.load(request.param)


@pytest.fixture(scope="module")
def model(network: Architecture) -> keras.Model:
    """The network for short windows and five classes, built once for all that is asked of it."""
    return network.build(small(network).input_shape, 5)


def small(network: Architecture) -> FrontendConfig:
    """A recipe of the network's kind with short windows."""
    frontend = network.frontend
    if frontend.definition.is_waveform:
        return replace(frontend, window_frames=10_000)
    if frontend.definition.summarise:
        return frontend
    return replace(frontend, spectrogram=SpectrogramConfig(n_bins=40), window_frames=64)


def shapes(network: Architecture) -> list[Shape]:
    """Inputs of all sizes that its kind of network must take."""
    frontend = network.frontend
    if frontend.definition.is_waveform:
        return [(8_192, 1, 1), (66_150, 1, 1)]
    if frontend.definition.summarise:
        return [(1, 40, 5), (1, 620, 1)]
    return [(157, 96, 4), (512, 256, 2), (100, 12, 1)]


def random_input(n: int, shape: Shape) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(size=(n, *shape)).astype(np.float32)


def test_a_network_explains_itself_in_sixty_lines(network: Architecture) -> None:
    assert network.description.endswith(".")
    assert len(network.description) < 100
    assert any(year in network.reference for year in map(str, range(1980, 2030)))
    assert len((FOLDER / f"{network.name}.py").read_text().splitlines()) <= 60


def test_every_window_and_number_of_bins_is_taken(network: Architecture) -> None:
    for shape in shapes(network):
        model = network.build(shape, 3)
        assert model.input_shape == (None, *shape)
        assert model.output["label"].shape == (None, 3)
        if "attention" in model.output:
            assert model.output["attention"].shape == (None, shape[0])
        if "reconstruction" in model.output:
            assert model.output["reconstruction"].shape == (None, *shape)


def test_probabilities_and_attention_sum_to_one(network: Architecture, model: keras.Model) -> None:
    outputs = model(random_input(2, small(network).input_shape), training=False)
    assert outputs["embedding"].shape[0] == 2 and len(outputs["embedding"].shape) == 2
    for name, output in outputs.items():
        if name.startswith("label"):
            assert output.shape == (2, 5)
        if name.startswith(("label", "attention")):
            assert np.asarray(output).min() >= 0 and np.asarray(output).max() <= 1
        if name.startswith(("label", "attention")) and not network.multi_label:
            assert np.asarray(output).sum(axis=1) == pytest.approx(1, abs=1e-4)


def other_input(network: Architecture) -> Shape:
    """What a network of that kind cannot hear."""
    is_spectral = not (
        network.frontend.definition.is_waveform or network.frontend.definition.summarise
    )
    return (1, 620, 1) if is_spectral else (128, 128, 1)


def test_another_kind_of_input_is_refused_in_a_sentence(network: Architecture) -> None:
    message = refusal(lambda: network.build(other_input(network), 3))
    assert f"“{network.name}” takes" in message and "choose another" in message
    assert "two classes" in refusal(lambda: network.build(network.frontend.input_shape, 1))


def test_blocks_are_functions_and_nothing_is_custom(model: keras.Model) -> None:
    for operation in model.operations:
        assert type(operation).__module__.startswith("keras."), operation
        assert type(operation).__name__ != "Lambda"


def made_windows(frontend: FrontendConfig, first: int, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Windows of n sines, noises and clicks, none like another, and their classes."""
    rate_hz = frontend.spectrogram.sample_rate_hz
    inputs = []
    for i in range(first, first + n):
        for sound in (
            sounds.sine(300 + 97 * (i % 23), 1.6, rate_hz),
            sounds.noise(1.6, rate_hz, seed=i),
            sounds.clicks(1.6, rate_hz, every_s=0.1 + 0.01 * (i % 17)),
        ):
            frames = windowing.clip_features(frontend, windowing.preprocess(frontend, sound))
            inputs.append(
                windowing.add_deltas_or_summarize(frontend, frames[None, : frontend.window_frames])[
                    0
                ]
            )
    return np.stack(inputs), np.tile(np.arange(3), n)


@pytest.mark.slow
def test_it_learns_to_tell_sines_noise_and_clicks_apart(network: Architecture) -> None:
    keras.utils.set_random_seed(0)
    inputs, classes = made_windows(small(network), 0, 12)
    unseen, expected = made_windows(small(network), 50, 10)
    mean, std = inputs.mean(axis=(0, 1)), inputs.std(axis=(0, 1)) + 1e-3
    inputs, unseen = (inputs - mean) / std, (unseen - mean) / std
    model = network.build(inputs.shape[1:], 3)
    model.compile(keras.optimizers.Adam(2e-3), loss=loop.losses(model), jit_compile=False)
    targets = loop.targets_of(model, inputs, np.eye(3, dtype=np.float32)[classes])
    history = model.fit(inputs, targets, batch_size=12, epochs=30, verbose=0).history["loss"]
    assert np.isfinite(history).all() and history[-1] < 0.5 * history[0]
    predicted = np.asarray(model(unseen, training=False)["label"]).argmax(axis=1)
    assert (predicted == expected).mean() >= 0.95


@pytest.mark.slow
def test_what_is_published_says_what_keras_says(network: Architecture, tmp_path: Path) -> None:
    import onnxruntime

    shape = network.frontend.input_shape
    model = network.build(shape, 10)
    n_bins, n_channels = shape[1:]
    normalisation = Normalisation(((0.0,) * n_channels,) * n_bins, ((1.0,) * n_channels,) * n_bins)
    frontend = replace(network.frontend, normalisation=normalisation)
    card = save.build_card(network, frontend, tuple("abcdefghij"), model)
    assert card["multiply_adds"] == multiply_adds(model) > 10_000
    saved = save.save_checkpoint(
        model, card, tmp_path / "net", random_input(7, shape), network.max_bytes
    )
    session = onnxruntime.InferenceSession(saved.folder / "model.onnx")
    loaded = keras.saving.load_model(saved.folder / "model.keras")
    names = [output.name for output in session.get_outputs()]
    assert set(names) == set(model.output) >= {"label", "embedding"}
    for n in (1, 7):
        batch = random_input(n, shape)
        ours = session.run(names, {session.get_inputs()[0].name: batch})
        expected = loaded(batch, training=False)
        for name, onnx_output in zip(names, ours, strict=True):
            assert np.abs(np.asarray(expected[name]) - onnx_output).max() < 1e-4
    assert max(path.stat().st_size for path in saved.folder.iterdir()) < network.max_bytes


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no architecture “perceptron”.*separable_cnn"):
        architectures.load("perceptron")
