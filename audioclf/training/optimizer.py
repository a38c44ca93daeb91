"""AdamW with a lower rate for what a network has learnt already.

Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization", ICLR 2019, arXiv:1711.05101;
rates that differ between layers after Howard and Ruder (2018), "Universal Language Model
Fine-tuning for Text Classification", ACL 2018, arXiv:1801.06146.
"""

from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="audioclf")
class LayeredAdamW(keras.optimizers.AdamW):
    """AdamW at a share of the rate, `old_rate`, for all variables but those numbered in `new`."""

    def __init__(
        self, learning_rate: Any = 1e-3, old_rate: float = 1.0, new: Sequence[int] = (), **more: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **more)
        self.old_rate, self.new = old_rate, tuple(new)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's step, at its own rate."""
        is_new = self._get_variable_index(variable) in self.new
        share = 1.0 if is_new else self.old_rate
        super().update_step(gradient, variable, learning_rate * share)

    def get_config(self) -> dict[str, Any]:
        """What a kept network's optimizer is made of again."""
        return {**super().get_config(), "old_rate": self.old_rate, "new": list(self.new)}
