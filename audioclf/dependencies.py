"""What not every system has: TensorFlow, without which everything but training works."""

import importlib.util

TRAINING = ("tensorflow", "keras", "tf2onnx", "onnx")
MISSING = (
    "Training, export and the table of architectures need TensorFlow, which is not installed for "
    "this Python: install audioclf with Python 3.11, 3.12 or 3.13."
)


def has_training() -> bool:
    """Whether a model can be trained here."""
    return all(importlib.util.find_spec(name) is not None for name in TRAINING)


def check_training() -> None:
    """Raise ValueError where a model can be used here, but neither trained nor exported."""
    if not has_training():
        raise ValueError(MISSING)
