"""Whether two runtimes of one model give the same outputs for the same input."""

from collections.abc import Mapping
from typing import Any

import numpy as np

TOLERANCE = 1e-4  # the largest difference of two outputs that count as the same


def check_same_outputs(expected: Mapping[str, Any], actual: Mapping[str, Any], names: str) -> None:
    """Raise ValueError where an output differs by more than TOLERANCE, or is not finite.

    `names`: the two that are compared, such as “Keras and ONNX Runtime”.
    """
    differences = [
        np.abs(np.asarray(values) - np.asarray(actual[name])).max()
        for name, values in expected.items()
    ]
    difference = float(np.max(differences))
    if not difference <= TOLERANCE:
        raise ValueError(
            f"{names} differ by {difference:.1e}, more than {TOLERANCE:.0e}: the model is not "
            "saved."
        )
