"""YAMNet's published file as a checkpoint: its weights in a Keras network, exported and compared.

The file is a LiteRT graph whose tensors have other names and orders in every edition, so weights
are read by walking its operators in order: one convolution, then depthwise and pointwise ones in
turn, then the dense layer. 8-bit weights become floats by their scales, one per output channel.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from audioclf.export import save
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig, Normalisation
from audioclf.models import architectures, checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.models.download import YAMNET

CLASSES = Path(__file__).parents[1] / "assets" / "audioset_classes.csv"
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
ATTRIBUTION = (
    "YAMNet: weights by Google (Manoj Plakal and Dan Ellis), Apache-2.0, trained on AudioSet. "
    "Names of the classes: AudioSet ontology, Google, CC BY-SA 4.0."
)

Weights = list[NDArray[np.float32]]


def publish_yamnet(path: Path, folder: Path | None = None) -> Checkpoint:
    """Make the checkpoint `yamnet-audioset` of the file in `folder`. Raises ValueError."""
    network = architectures.load("yamnet")
    classes = class_names()
    frontend = _as_it_is(network.frontend)
    keras.utils.clear_session()
    model = network.build(frontend.input_shape, len(classes))
    fill(model, read_weights(path))
    card = {
        **save.build_card(network, frontend, classes, model),
        "training": {"data": "AudioSet (2 million clips of 10 s from videos), by Google"},
        "results": [],
        "source": {
            "name": path.name,
            "sha256": checkpoint.sha256(path),
            "published_at": YAMNET.urls[0],
        },
        "licence": YAMNET.licence,
        "attribution": ATTRIBUTION,
    }
    target = (folder or checkpoint.home()) / YAMNET.checkpoint_name
    return save.save_checkpoint(model, card, target, _sample_input(frontend), network.max_bytes)


def class_names() -> tuple[str, ...]:
    """AudioSet's 521 classes, in the order of the network's outputs."""
    with CLASSES.open(newline="", encoding="utf-8") as file:
        return tuple(row["display_name"] for row in csv.DictReader(file))


def fill(model: keras.Model, weights: Weights) -> None:
    """Put the file's weights into the model. Raises ValueError where it is another one."""
    expected = [weight.shape for weight in model.get_weights()]
    if [weight.shape for weight in weights] != expected:
        raise ValueError("This file holds another model than YAMNet: download the original.")
    model.set_weights(weights)


def read_weights(path: Path) -> Weights:
    """Kernels and biases in the order of the operators, as Keras lays them out; ValueError."""
    import tensorflow as tf

    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        graph = tf.lite.Interpreter(str(path), experimental_op_resolver_type=plain)
        graph.allocate_tensors()
    except (ValueError, RuntimeError, OSError) as error:
        raise ValueError(f"“{path.name}” is no LiteRT file: download the original.") from error
    tensors = {tensor["index"]: tensor for tensor in graph.get_tensor_details()}
    operators = graph._get_ops_details()
    before = {o["outputs"][0]: o["inputs"][0] for o in operators if o["op_name"] == "DEQUANTIZE"}

    def value(index: int) -> NDArray[np.float32]:
        index = before.get(index, index)
        return _floats(graph.get_tensor(index), tensors[index]["quantization_parameters"])

    weights = []
    for operator in operators:
        if operator["op_name"] in CONVOLUTIONS:
            kernel, bias = (value(index) for index in operator["inputs"][1:3])
            # (out, h, w, in) -> (h, w, in, out); of a depthwise one (1, h, w, in) -> (h, w, in, 1)
            weights += [np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), bias]
    dense = [o for o in operators if o["op_name"] == "FULLY_CONNECTED"]
    if not weights or not dense:
        raise ValueError(f"“{path.name}” holds another model than YAMNet: download the original.")
    kernel, bias = (value(index) for index in dense[-1]["inputs"][1:3])
    return [*weights, kernel.T, bias]


def _floats(values: NDArray[Any], quantisation: dict[str, Any]) -> NDArray[np.float32]:
    """Integers times the scale of their channel; floats as they are."""
    scales = quantisation["scales"]
    if not len(scales):
        return values.astype(np.float32)
    shape = [1] * values.ndim
    if len(scales) > 1:
        shape[quantisation["quantized_dimension"]] = -1
    zero_points = quantisation["zero_points"].reshape(shape)
    floats: NDArray[np.float32] = (values.astype(np.float32) - zero_points) * scales.reshape(shape)
    return floats.astype(np.float32)


def _as_it_is(frontend: FrontendConfig) -> FrontendConfig:
    """The front end with values that reach the network as they are."""
    _, n_bins, n_channels = frontend.input_shape
    identity = Normalisation(((0.0,) * n_channels,) * n_bins, ((1.0,) * n_channels,) * n_bins)
    return replace(frontend, normalisation=identity)


def _sample_input(frontend: FrontendConfig) -> NDArray[np.float32]:
    """Windows of clicks in noise that gets louder, on which both runtimes are compared."""
    rate_hz = frontend.spectrogram.sample_rate_hz
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 1, 4 * rate_hz) * np.geomspace(1e-4, 0.3, 4 * rate_hz)
    sound[:: rate_hz // 3] = 0.9
    return windowing.windows(frontend, sound.astype(np.float32)).inputs
