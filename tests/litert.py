"""YAMNet's own file, run by LiteRT: as it is, and with its 8-bit weights as floats.

As it is, LiteRT also rounds every layer's input to 8 bits, and its spectrum, which is a matrix
product, with it. With floats it computes what the weights say.
"""

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema

N_SAMPLES = 15_600


class Interpreter:
    """The file's graph: 15,600 samples in, scores (521,) and the patch (96, 64) out."""

    def __init__(self, data: bytes) -> None:
        self.graph = tf.lite.Interpreter(model_content=data)
        self.graph.allocate_tensors()

    def __call__(
        self, samples: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.graph.set_tensor(self.graph.get_input_details()[0]["index"], samples[None])
        self.graph.invoke()
        outputs = {
            tuple(one["shape"]): self.graph.get_tensor(one["index"])
            for one in self.graph.get_output_details()
        }
        return outputs[(1, 521)][0], outputs[(96, 64)]


def as_floats(path: Path) -> bytes:
    """The file with every 8-bit tensor as floats, and nothing else changed."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        if tensor.type == schema.TensorType.INT8:
            _make_float(model, tensor)
    codes = [max(one.builtinCode, one.deprecatedBuiltinCode) for one in model.operatorCodes]
    same: dict[int, int] = {}
    values = []
    for operator in graph.operators:
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE:
            same[operator.outputs[0]] = operator.inputs[0]
        else:
            operator.inputs = [same.get(index, index) for index in operator.inputs]
            values.append(operator)
    graph.operators = values
    builder = flatbuffers.Builder(20_000_000)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _make_float(model: Any, tensor: Any) -> None:
    quantised = tensor.quantization
    raw = np.array(model.buffers[tensor.buffer].data, np.uint8).view(np.int8)
    values = raw.reshape(tensor.shape).astype(np.float32)
    shape = [1] * values.ndim
    if len(quantised.scale) > 1:
        shape[quantised.quantizedDimension] = -1
    values = (values - np.reshape(quantised.zeroPoint, shape)) * np.reshape(quantised.scale, shape)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer, tensor.type = len(model.buffers) - 1, schema.TensorType.FLOAT32
    tensor.quantization = None
