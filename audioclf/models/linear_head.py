"""A head as numbers, and as an ONNX file of two operations."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-4  # between the numbers and the file


class Head(NamedTuple):
    """A matrix product on embeddings as they are, before a softmax."""

    kernel: NDArray[np.float32]  # (d, classes)
    bias: NDArray[np.float32]  # (classes,)

    def probabilities(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """(windows, d) -> (windows, classes)."""
        logits = values @ self.kernel + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: NDArray[np.floating] = powers / powers.sum(axis=1, keepdims=True)
        return found


def write(head: Head, path: Path) -> None:
    """`label` (n, classes) from `embedding` (n, d), which is also an output, as in any network."""
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


def read(path: Path) -> Head:
    """The numbers in a file that `write` made. Raises ValueError for another one."""
    from onnx import load, numpy_helper

    found = {one.name: numpy_helper.to_array(one) for one in load(path).graph.initializer}
    if set(found) != {"kernel", "bias"}:
        raise ValueError(f"{path.name} of “{path.parent.name}” is no head: publish it again.")
    return Head(found["kernel"], found["bias"])


def compare(head: Head, path: Path, values: NDArray[np.float32]) -> None:
    """Raise ValueError where ONNX Runtime says something else of (windows, d) values."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["label"], {"input": values})
    if not np.abs(found - head.probabilities(values)).max() <= TOLERANCE:
        raise ValueError("The head and its ONNX file differ: it is not published.")
