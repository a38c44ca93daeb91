"""AdamW with a lower learning rate for the backbone.

Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization", ICLR 2019, arXiv:1711.05101;
rates that differ between layers after Howard and Ruder (2018), "Universal Language Model
Fine-tuning for Text Classification", ACL 2018, arXiv:1801.06146.
"""

from collections.abc import Sequence
from typing import Any

import keras

from audioclf.storage.format import HYPERPARAMETERS, rename


@keras.saving.register_keras_serializable(package="audioclf")
class LayeredAdamW(keras.optimizers.AdamW):
    """AdamW with a multiplier of the learning rate for all variables but those in `new`."""

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        backbone_lr_multiplier: float = 1.0,
        new: Sequence[int] = (),
        **more: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **more)
        self.backbone_lr_multiplier, self.new = backbone_lr_multiplier, tuple(new)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's step, at its own rate."""
        is_new = self._get_variable_index(variable) in self.new
        share = 1.0 if is_new else self.backbone_lr_multiplier
        super().update_step(gradient, variable, learning_rate * share)

    def get_config(self) -> dict[str, Any]:
        """What a saved model's optimizer is made of again."""
        config = {"backbone_lr_multiplier": self.backbone_lr_multiplier, "new": list(self.new)}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LayeredAdamW":
        """The optimizer of a saved model, also of one that format 1 saved."""
        optimizer: LayeredAdamW = super().from_config(
            rename(config, HYPERPARAMETERS), custom_objects
        )
        return optimizer
