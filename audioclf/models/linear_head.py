"""A linear classifier head as arrays, and as an ONNX file of two operations."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.models.equivalence import check_same_outputs


class LinearHead(NamedTuple):
    """Weights of a linear layer on embeddings, before a softmax."""

    kernel: NDArray[np.float32]  # (d, classes)
    bias: NDArray[np.float32]  # (classes,)

    def probabilities(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """(windows, d) -> (windows, classes)."""
        logits = values @ self.kernel + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.floating] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def write(head: LinearHead, path: Path) -> None:
    """`label` (n, classes) from `embedding` (n, d), which is also an output, as of any model."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    n_values, n_classes = head.kernel.shape
    nodes = [
        helper.make_node("Gemm", ["input", "kernel", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["label"], axis=1),
        helper.make_node("Identity", ["input"], ["embedding"]),
    ]
    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("input", float32, ["n", n_values])],
        [
            helper.make_tensor_value_info("label", float32, ["n", n_classes]),
            helper.make_tensor_value_info("embedding", float32, ["n", n_values]),
        ],
        [
            numpy_helper.from_array(head.kernel, "kernel"),
            numpy_helper.from_array(head.bias, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    save(model, path)


def read(path: Path) -> LinearHead:
    """The numbers in a file that `write` made. Raises ValueError for another one."""
    from onnx import load, numpy_helper

    arrays = {one.name: numpy_helper.to_array(one) for one in load(path).graph.initializer}
    if set(arrays) != {"kernel", "bias"}:
        raise ValueError(f"{path.name} of “{path.parent.name}” is no head: train it again.")
    return LinearHead(arrays["kernel"], arrays["bias"])


def compare(head: LinearHead, path: Path, values: NDArray[np.float32]) -> None:
    """Raise ValueError where ONNX Runtime gives other probabilities for (windows, d) values."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (label,) = session.run(["label"], {"input": values})
    expected = {"label": head.probabilities(values)}
    check_same_outputs(expected, {"label": label}, "The head and its ONNX file")
