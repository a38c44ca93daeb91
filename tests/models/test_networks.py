"""What is true of single networks: the sizes that their sources name, and who hears what."""

import keras
import numpy as np
import pytest

from audioclf.features.config import for_feature
from audioclf.models import architectures
from audioclf.models.architectures import _blocks
from audioclf.models.architectures._flops import multiply_adds
from audioclf.models.architectures.subspectral_net import bands

ON_FEATURES = {
    "mlp": "summary",
    "summary_cnn": "summary_grid",
    "lstm": "mel",
    "cldnn": "mel",
    "joint_autoencoder": "mel",
    "soundnet_cnn": "waveform",
    "soundnet_lstm": "waveform",
    "separable_cnn": "mel",
    "multichannel_cnn": "multichannel",
    "multichannel_attention": "multichannel",
    "subspectral_net": "mel",
    "resnet_bilstm": "mel",
    "vgg_bilstm": "mel",
    "inception_bilstm": "mel",
    "resnext_bilstm": "mel",
    "densenet_bilstm": "mel",
    "mobilenet": "mel",
    "cldnn_attention": "mel",
    "cldnn_self_attention": "mel",
    "cnn_attention": "mel",
}


def built(name: str, shape: tuple[int, int, int] | None = None) -> keras.Model:
    network = architectures.load(name)
    return network.build(shape or network.frontend.input_shape, 10)


def sizes(model: keras.Model) -> set[tuple[int, ...]]:
    return {tuple(layer.output.shape[1:]) for layer in model.layers}


def kinds(model: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(("name", "feature"), ON_FEATURES.items())
def test_every_network_is_there_on_its_feature(name: str, feature: str) -> None:
    assert architectures.load(name).frontend.feature == feature


@pytest.mark.parametrize(
    "feature", ["stft", "mel", "gammatone", "complex", "polar", "multichannel"]
)
def test_the_separable_network_takes_any_number_of_channels(feature: str) -> None:
    shape = for_feature(feature).input_shape
    model = built("separable_cnn", shape)
    assert model.layers[1].kernel.shape == (1, 3, shape[2], 32)


def test_the_cldnn_reads_32_steps_of_2048_with_two_lstms_of_128() -> None:
    model = built("cldnn")
    assert {(32, 32, 64), (32, 2_048), (32, 128)} <= sizes(model)
    assert kinds(model).count("LSTM") == 2


def test_the_lstm_reads_frames_in_their_order() -> None:
    model = built("lstm")
    layer = next(layer for layer in model.layers if type(layer).__name__ == "LSTM")
    assert tuple(layer.input.shape[1:]) == (128, 128) and layer.units == 256
    assert {(256,), (64,)} <= sizes(model)
    window = np.random.default_rng(0).normal(size=(1, 128, 128, 1)).astype(np.float32)
    forwards, backwards = (np.asarray(model(x)["label"]) for x in (window, window[:, ::-1]))
    assert np.abs(forwards - backwards).max() > 1e-4
    bins = layer.cell.kernel.shape
    assert multiply_adds(model) == 128 * (bins[0] + 256) * 1_024 + 256 * 64 + 64 * 10


def test_the_autoencoder_has_one_latent_vector_for_both_tasks() -> None:
    model = built("joint_autoencoder")
    assert (8, 8, 128) in sizes(model)
    assert model.output["embedding"].shape == (None, 64)
    assert kinds(model).count("Dense") == 5  # latent, decoder, and three that classify
    weights = {id(w): w for w in model.trainable_weights}
    for name in ("label", "reconstruction"):
        half = keras.Model(model.input, model.output[name])
        assert (8, 8, 128) in sizes(half)
        assert 0 < len([w for w in half.trainable_weights if id(w) in weights]) < len(weights)


def test_the_autoencoder_learns_to_draw_and_to_name_at_once() -> None:
    keras.utils.set_random_seed(0)
    model = built("joint_autoencoder", (64, 40, 1))
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 3
    inputs = (
        rng.normal(0, 0.1, (24, 64, 40, 1))
        + np.sin(np.arange(40) * (labels + 1)[:, None])[:, None, :, None]
    )
    inputs = inputs.astype(np.float32)
    targets = {
        "label": np.eye(10, dtype=np.float32)[labels],
        "embedding": np.zeros((24, 64)),
        "reconstruction": inputs,
    }
    losses = {"label": "categorical_crossentropy", "embedding": None, "reconstruction": "mse"}
    model.compile(keras.optimizers.Adam(3e-3), loss=losses, jit_compile=False)
    history = model.fit(inputs, targets, batch_size=12, epochs=25, verbose=0).history
    assert history["reconstruction_loss"][-1] < 0.5 * history["reconstruction_loss"][0]
    assert history["label_loss"][-1] < 0.5 * history["label_loss"][0]


@pytest.mark.parametrize(
    ("name", "steps"), [("soundnet_cnn", (6, 1_024)), ("soundnet_lstm", (13, 256))]
)
def test_the_soundnets_come_down_to_their_steps(name: str, steps: tuple[int, int]) -> None:
    model = built(name)
    assert model.input_shape == (None, 30_000, 1, 1)
    assert steps in sizes(model)


def test_bands_overlap_by_half_and_leave_no_bin_out() -> None:
    for n_bins in (12, 20, 40, 96, 128, 200, 256):
        bounds = bands(n_bins)
        assert bounds[0][0] == 0 and bounds[-1][1] == n_bins
        for (first, end), (next_first, _) in zip(bounds, bounds[1:], strict=False):
            assert first < next_first <= first + (end - first + 1) // 2
    assert bands(40) == [(0, 20), (10, 30), (20, 40)]  # the paper's 40.20.10


def test_every_band_has_its_own_bins_and_no_others() -> None:
    model = built("subspectral_net")
    rng = np.random.default_rng(0)
    window = rng.normal(size=(1, 128, 128, 1)).astype(np.float32)
    before = {name: np.asarray(x) for name, x in model(window).items()}
    for number, (first, end) in enumerate(bands(128)):
        changed = window.copy()
        changed[:, :, first:end] += rng.normal(size=(1, 128, end - first, 1))
        after = {name: np.asarray(x) for name, x in model(changed).items()}
        for other, (other_first, other_end) in enumerate(bands(128)):
            name = f"label_band_{other}"
            is_same = np.array_equal(before[name], after[name])
            overlaps = other_first < end and first < other_end
            assert is_same != overlaps, (number, other)
        assert not np.array_equal(before["label"], after["label"])


BILSTMS = [name for name in ON_FEATURES if name.endswith("_bilstm")]


@pytest.mark.parametrize("name", BILSTMS)
@pytest.mark.parametrize("n_frames", [64, 128, 157, 512])
def test_recurrent_heads_read_16_to_32_steps_both_ways(name: str, n_frames: int) -> None:
    model = built(name, (n_frames, 64, 1))
    (layer,) = [layer for layer in model.layers if type(layer).__name__ == "Bidirectional"]
    assert 16 <= layer.input.shape[1] <= 32


WITH_ATTENTION = ["cldnn_attention", "cldnn_self_attention", "cnn_attention"]


@pytest.mark.parametrize("name", [*WITH_ATTENTION, "multichannel_attention"])
def test_attention_is_one_weight_per_frame(name: str) -> None:
    for n_frames in (64, 100, 128):
        model = built(name, (n_frames, 64, 1))
        window = np.random.default_rng(1).normal(size=(3, n_frames, 64, 1)).astype(np.float32)
        attention = np.asarray(model(window, training=False)["attention"])
        assert attention.shape == (3, n_frames)
        assert attention.sum(axis=1) == pytest.approx(1, abs=1e-4)
        assert (attention >= 0).all() and attention.std() > 0


def test_gates_decide_what_passes_the_main_path() -> None:
    model = built("multichannel_attention")
    assert kinds(model).count("Multiply") == 6
    assert kinds(model).count("DepthwiseConv2D") == 6
    plain = built("multichannel_cnn")
    assert kinds(plain).count("Conv2D") == 18  # three per block, six blocks
    assert model.count_params() > plain.count_params()


def test_paths_of_the_resnext_are_eight_and_narrow() -> None:
    model = built("resnext_bilstm")
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    square = [layer.kernel.shape for layer in convolutions if layer.kernel.shape[0] == 3]
    assert square[1:] == [(3, 3, n, n) for n in (2, 4, 6, 8) for _ in range(8)]


def test_frames_are_pooled_until_16_to_32_steps_are_left() -> None:
    for n_frames in range(16, 1_025):
        steps = n_frames
        for pool in _blocks.frame_pools(n_frames, 4):
            steps = -(-steps // pool)
        assert 16 <= steps <= 32


def test_multiply_adds_are_those_of_the_kernels() -> None:
    inputs = keras.Input((10, 8, 2))
    x = keras.layers.Conv2D(4, (3, 3), padding="same")(inputs)  # 80 places of 72
    x = keras.layers.DepthwiseConv2D((3, 3), 2, padding="same")(x)  # 20 places of 36
    x = keras.layers.Reshape((5, 16))(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(3))(x)  # 5 steps, twice 16*12 + 3*12
    x = keras.layers.Dense(7)(x)  # 42
    assert multiply_adds(keras.Model(inputs, x)) == 80 * 72 + 20 * 36 + 5 * 2 * 228 + 42
