"""The configuration of a training; its settings are part of the checkpoint's card."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.features.config import FrontendConfig
from audioclf.models.checkpoint import Checkpoint
from audioclf.training.augmentation import Augmentation


def never() -> bool:
    """False: the default of `should_stop`."""
    return False


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters of a training; part of the checkpoint's card.

    Attributes
    ----------
    epochs : int
        Passes over the training clips; each has one window of every clip.
    batch_size : int
        Windows per step.
    learning_rate : float
        The peak, after 5 % of the steps; then a cosine down to 0.
    weight_decay : float
        The decoupled weight decay of AdamW.
    label_smoothing : float
        This share of a target is spread over all classes.
    class_weights : bool
        Whether rare classes count for as much as frequent ones.
    backbone_lr_multiplier : float
        The backbone's learning rate as a multiple of the heads', 0 to 1.
    ema_decay : float
        The decay of the weights' moving average (EMA); 0: none.
    seed : int
        Everything random follows from it.
    augmentation : Augmentation
        How the training clips are varied.

    Raises
    ------
    ValueError
        For values outside of their ranges.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization", ICLR 2019,
    arXiv:1711.05101: AdamW.
    """

    epochs: int = 50
    batch_size: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.02
    class_weights: bool = True
    backbone_lr_multiplier: float = 1.0
    ema_decay: float = 0.99
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("Training needs at least one epoch and one window per batch.")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError("The learning rate must be above 0, and the weight decay not below.")
        if not 0 <= self.backbone_lr_multiplier <= 1:
            raise ValueError("Old layers learn at a share of the rate: choose 0 to 1.")
        if not (0 <= self.label_smoothing < 1 and 0 <= self.ema_decay < 1):
            raise ValueError("Label smoothing and the average's decay lie in [0, 1).")


@dataclass(frozen=True)
class TrainingConfig:
    """What a model is trained on, how, and where its checkpoint is saved."""

    folder: Path
    architecture: str
    name: str
    output_dir: Path
    base_config: FrontendConfig | None = None  # in place of the architecture's own
    feature: str | None = None  # in place of that one's
    # Other values of the front end, such as ("spectrogram.n_bins", "64").
    frontend_overrides: tuple[tuple[str, str], ...] = ()
    folds: tuple[int, ...] = ()  # trained on; none: all
    holdout_fold: int | None = None  # trained without this fold first, to evaluate on it
    extra_epochs: int | None = None  # of the evaluated model, with the fold too; None: a new one
    base_model: Checkpoint | None = None  # fine-tuned on new classes; no linear probe
    data_name: str | None = None  # the folder's name unless given
    attribution: str = ""  # the data's citation and licence
    settings: Hyperparameters = field(default_factory=Hyperparameters)
    dataset: Dataset | None = None  # in place of what lies in the folder
    run_dir: Path | None = None  # where epochs are saved; in the cache unless given
    validate: bool = False  # every epoch is evaluated on the held-out folds, if there are any
    should_stop: Callable[[], bool] = never  # asked before every batch
    export_only: bool = False  # no further epoch: the last saved one is exported

    def load_dataset(self) -> Dataset:
        """The folder's clips, under their name. Raises ValueError."""
        clips = self.dataset or dataset.load(self.folder)
        return replace(clips, name=self.data_name or clips.name)


TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}

Frozen = TypeVar("Frozen")


def with_overrides(value: Frozen, changes: Mapping[str, str]) -> Frozen:
    """Change settings or a front end by the names of values, however deep.

    Parameters
    ----------
    value : dataclass instance
        The settings, such as `Hyperparameters` or `FrontendConfig`.
    changes : mapping of str to str
        The new values as text, by name, such as `augmentation.mix_prob` to `0.6`.

    Returns
    -------
    dataclass instance
        A copy with the changes.

    Raises
    ------
    ValueError
        For a name that does not exist, and for text that is no value of that kind.
    """
    for name, text in changes.items():
        value = _with(value, name.split("."), text, name)
    return value


def _with(value: Any, path: list[str], text: str, name: str) -> Any:
    """The dataclass with one of its values, however deep, replaced."""
    names = [one_field.name for one_field in fields(value)] if is_dataclass(value) else []
    if path[0] not in names:
        raise ValueError(
            f"There is no setting “{name}”"
            + (f": there, these are {', '.join(names)}." if names else ".")
        )
    old = getattr(value, path[0])
    if len(path) > 1:
        return replace(value, **{path[0]: _with(old, path[1:], text, name)})
    if is_dataclass(old):
        raise ValueError(
            f"“{name}” holds several settings: name one, such as {name}.{fields(old)[0].name}."
        )
    return replace(
        value, **{path[0]: _read(text, str if isinstance(old, str) else type(old), name)}
    )


def _read(text: str, kind: type, name: str) -> Any:
    if kind not in TYPE_NAMES:
        raise ValueError(f"“{name}” cannot be set: it is learnt, or follows from others.")
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise ValueError(
            f"“{name}” is {TYPE_NAMES[kind]}, and “{text}” is not: change it."
        ) from None
