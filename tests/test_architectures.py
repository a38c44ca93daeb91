"""The contract of every network in the folder: whatever is there is tested, nothing is listed."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from audioclf import architectures, publish
from audioclf.architectures import Architecture
from audioclf.recipe import Normalisation

FOLDER = Path(architectures.__file__).parent
SMALL = (64, 40, 1)


@pytest.fixture(params=architectures.names())
def network(request: pytest.FixtureRequest) -> Architecture:
    return architectures.load(request.param)


def input_shape(network: Architecture) -> tuple[int, int, int]:
    return (network.recipe.window_frames, network.recipe.analysis.n_bins, 1)


def random_input(n: int, shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(n, *shape)).astype(np.float32)


def test_a_network_explains_itself_in_sixty_lines(network: Architecture) -> None:
    assert network.description.endswith(".")
    assert len(network.description) < 100
    assert any(year in network.citation for year in map(str, range(1980, 2030)))
    assert len((FOLDER / f"{network.name}.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("n_classes", [2, 50])
def test_probabilities_sum_to_one_for_any_window(network: Architecture, n_classes: int) -> None:
    for shape in (SMALL, input_shape(network), (96, 64, 2)):
        model = network.build(shape, n_classes)
        outputs = model(random_input(2, shape), training=False)
        label = np.asarray(outputs["label"])
        assert label.shape == (2, n_classes)
        assert label.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert outputs["embedding"].shape[0] == 2
        assert len(outputs["embedding"].shape) == 2


def test_a_few_steps_lower_the_loss(network: Architecture) -> None:
    keras.utils.set_random_seed(0)
    model = network.build(SMALL, 3)
    inputs = random_input(12, SMALL)
    targets = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    inputs += 2 * np.repeat(np.arange(12) % 3, 40).reshape(12, 1, 40, 1)
    model.compile(
        keras.optimizers.Adam(2e-3),
        loss={
            name: "categorical_crossentropy" if name == "label" else None for name in model.output
        },
    )
    every = dict.fromkeys(model.output, targets)
    history = model.fit(inputs, every, epochs=6, batch_size=12, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


def test_blocks_are_functions_and_nothing_is_custom(network: Architecture) -> None:
    model = network.build(SMALL, 3)
    for layer in model.layers:
        assert type(layer).__module__.startswith("keras."), layer
        assert type(layer).__name__ != "Lambda"


@pytest.mark.slow
def test_what_is_published_says_what_keras_says(network: Architecture, tmp_path: Path) -> None:
    import onnxruntime

    shape = input_shape(network)
    model = network.build(shape, 10)
    n_bins, n_channels = shape[1:]
    learnt = Normalisation(((0.0,) * n_channels,) * n_bins, ((1.0,) * n_channels,) * n_bins)
    recipe = replace(network.recipe, normalisation=learnt)
    card = publish.describe(network, recipe, tuple("abcdefghij"), model)
    made = publish.publish(model, card, tmp_path / "net", random_input(7, shape))
    session = onnxruntime.InferenceSession(made.folder / "model.onnx")
    loaded = keras.saving.load_model(made.folder / "model.keras")
    for n in (1, 7):
        batch = random_input(n, shape)
        names = [output.name for output in session.get_outputs()]
        assert {"label", "embedding"} <= set(names)
        found = dict(
            zip(names, session.run(names, {session.get_inputs()[0].name: batch}), strict=True)
        )
        expected = loaded(batch, training=False)
        for name in names:
            assert np.abs(np.asarray(expected[name]) - found[name]).max() < 1e-4
    sizes = [path.stat().st_size for path in made.folder.iterdir()]
    assert max(sizes) < 10_000_000


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no architecture “perceptron”.*separable_cnn"):
        architectures.load("perceptron")
