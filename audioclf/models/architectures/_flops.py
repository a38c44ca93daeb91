"""What a model costs: its multiplications, each with an addition, for one window."""

import math
from collections.abc import Callable
from typing import Any

Layer = Any  # a keras.Layer, on any backend


def multiply_adds(model: Any) -> int:
    """Multiply-adds of one window through a keras.Model's kernels and attention.

    Normalisation, activations, pooling and sums are not counted: they multiply a value once, and a
    kernel dozens of times.
    """
    return sum(_COUNTS.get(type(layer).__name__, _nothing)(layer) for layer in model.layers)


def _nothing(_: Layer) -> int:
    return 0


def _places(layer: Layer) -> int:
    """Where a kernel is laid on: all axes of the output but the first and the last."""
    return math.prod(layer.output.shape[1:-1])


def _kernel(layer: Layer) -> int:
    return _places(layer) * math.prod(layer.kernel.shape)


def _separable(layer: Layer) -> int:
    each = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    return _places(layer) * each


def _recurrent(layer: Layer, n_steps: int | None = None) -> int:
    n_steps = n_steps or layer.input.shape[1]
    cell = layer.cell
    return n_steps * (math.prod(cell.kernel.shape) + math.prod(cell.recurrent_kernel.shape))


def _bidirectional(layer: Layer) -> int:
    n_steps = layer.input.shape[1]
    return sum(_recurrent(way, n_steps) for way in (layer.forward_layer, layer.backward_layer))


def _self_attention(layer: Layer) -> int:
    """Projections of every step, and every step with every other, twice."""
    n_steps = layer.input[0].shape[1] if isinstance(layer.input, list) else layer.input.shape[1]
    kernels = sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 2)
    return n_steps * (kernels + 2 * n_steps * layer.num_heads * layer.key_dim)


def _weighted_sum(layer: Layer) -> int:
    return math.prod(layer.input[1].shape[1:])


_COUNTS: dict[str, Callable[[Layer], int]] = {
    "Conv1D": _kernel,
    "Conv2D": _kernel,
    "DepthwiseConv2D": _kernel,
    "Dense": _kernel,
    "SeparableConv1D": _separable,
    "LSTM": _recurrent,
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _self_attention,
    "Dot": _weighted_sum,
}
