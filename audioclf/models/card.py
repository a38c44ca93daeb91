"""What a checkpoint's card may say: checked before anything else reads it.

A card comes with a model, wherever that is from. The keys listed here must have values of their
type; further keys stay in the card as they are.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from audioclf.models import card_conversion
from audioclf.storage import format as stored_format
from audioclf.storage.names import shown

MAX_BYTES = 5_000_000  # of a card; the largest that ships has 52 kB
MAX_DEPTH = 24  # values in values
MAX_INTEGER = 2**63


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should be printable text in one line")
    return text


Count = Annotated[int, Field(ge=0, lt=MAX_INTEGER)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Loss = Annotated[float, Field(allow_inf_nan=True)]  # a training may have gone wrong
Line = Annotated[str, Field(max_length=1_000), AfterValidator(_is_printable)]
Text = Annotated[str, Field(max_length=200_000)]
ClassName = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_is_printable)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Sizes = Annotated[list[int | None], Field(max_length=8)]
Folds = Annotated[list[int], Field(max_length=10_000)]


class _Part(BaseModel):
    """A part of a card: a value is of its kind, and never made into it; further keys are free."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class SpectrogramPart(_Part):
    """The spectrogram of a front end."""

    sample_rate_hz: Annotated[int, Field(ge=100, le=1_000_000)] = 22_050
    n_fft: Annotated[int, Field(ge=16, le=1 << 18)] = 1_024
    hop_length: Annotated[int, Field(ge=1, le=1 << 18)] = 512
    n_bins: Annotated[int, Field(ge=1, le=1 << 14)] = 128
    low_hz: Number = 0.0
    high_hz: Number = 11_025.0


class NormalisationPart(_Part):
    """Mean and deviation per bin and channel."""

    mean: list[list[Number]]
    std: list[list[Number]]


class FrontendPart(_Part):
    """What makes the input of a model; see `features.config`."""

    feature: Line
    spectrogram: SpectrogramPart
    window_frames: Annotated[int, Field(ge=1, le=10_000_000)] = 128
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    preprocessing: Line = "as_is"
    normalisation: NormalisationPart | None = None
    deltas: Annotated[int, Field(ge=0, le=8)] = 0


class PerClass(_Part):
    """The result on the clips of one class."""

    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    n_clips: Count | None = None


class History(_Part):
    """Metrics of every epoch."""

    loss: list[Loss] | None = None
    accuracy: list[Loss] | None = None
    val_loss: list[Loss] | None = None
    val_accuracy: list[Loss] | None = None


class Result(_Part):
    """An evaluation on held-out clips."""

    data: Line | None = None
    accuracy: Share
    accuracy_interval: Annotated[list[Share], Field(min_length=2, max_length=2)] | None = (
        None  # 95 %, Wilson's
    )
    macro_f1: Share | None = None
    ece: Share | None = None
    ece_uncalibrated: Share | None = None
    nll: Loss | None = None
    n_clips: Annotated[int, Field(ge=1, lt=MAX_INTEGER)] = 1
    per_class: dict[str, PerClass] | None = None
    classes: Annotated[list[ClassName], Field(max_length=10_000)] | None = None
    confusion: list[list[Count]] | None = None
    model: Line | None = None
    run_id: Key | None = None
    history: History | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None


class Training(_Part):
    """What a model was trained on, and how; `previous` is the training that it went on from."""

    data: Line | None = None
    folds: Folds = []
    n_clips: Count | None = None
    hyperparameters: dict[str, Any] | None = None
    weights: Line | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    date: Line | None = None
    history: History | None = None
    versions: dict[str, Any] | None = None
    base_model: Line | None = None
    stopped_epoch: Count | None = None
    previous: "Training | None" = None


class Layer(_Part):
    """A layer, and its output per window."""

    name: Line | None = None
    type: Line | None = None
    output_shape: Sizes | int | Line | None = None
    n_params: Count | None = None


class Calibration(_Part):
    """The temperature, and the clips that it was fitted on."""

    temperature: Annotated[float, Field(gt=0, le=1e6)]
    fitted_on: Line | None = None
    clips_sha256: Line | None = None


class FamiliarityPart(_Part):
    """The statistics of training clips in `familiarity.npz`, and how well they tell the unknown."""

    embedding: Name
    n_clips: Count | None = None
    threshold: Number | None = None
    auroc: Share | None = None


class Backbone(_Part):
    """The checkpoint that a linear probe is on; `hint` says how to get it."""

    name: Name
    sha256: Annotated[list[Sha256], Field(max_length=100)]
    hint: Line | None = None
    folder: Line | None = None


class Source(_Part):
    """The file that weights were converted from."""

    sha256: Sha256 | None = None


class Card(_Part):
    """A card of format 2: of an ensemble, which names members, or of a model, which has files."""

    format: Literal[2]
    architecture: Line
    description: Text | None = None
    citation: Text | None = None
    frontend: FrontendPart | None = None
    classes: Annotated[list[ClassName], Field(min_length=1, max_length=10_000)]
    multi_label: bool = False
    input_shape: Sizes | None = None
    outputs: dict[str, Sizes] | None = None
    n_params: Count | None = None
    multiply_adds: Count | None = None
    layers: Annotated[list[Layer], Field(max_length=20_000)] | None = None
    members: Annotated[list[Name], Field(max_length=100)] | None = None
    backbone: Backbone | None = None
    source: Source | None = None
    sha256: dict[FileName, Sha256] | None = None
    training: Training = Field(default_factory=Training)
    results: Annotated[list[Result], Field(max_length=1_000)] = []
    calibration: Calibration | None = None
    familiarity: FamiliarityPart | None = None
    licence: Line | None = None
    attribution: Text | None = None


def read(path: Path) -> dict[str, Any]:
    """The card in a file, in format 2. Raises ValueError for what cannot be one.

    The sentence begins with what is wrong; whoever knows its name says which card it is.
    """
    try:
        n_bytes = path.stat().st_size
        if n_bytes > MAX_BYTES:
            raise ValueError(f"has {n_bytes / 1e6:,.0f} MB and may have {MAX_BYTES / 1e6:.0f}")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError("is missing") from None
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror or type(error).__name__})") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError("cannot be read, because it is no JSON") from error
    card = in_current_format(content)
    check(card)
    return card


def in_current_format(content: object) -> dict[str, Any]:
    """A card of any format as one of today's. Raises ValueError, as `read` does."""
    if not isinstance(content, dict):
        raise ValueError("cannot be read, because it is no JSON object")
    number = stored_format.check(content)
    _check_values(content)
    return content if number == stored_format.FORMAT else card_conversion.to_format_2(content)


def check(card: dict[str, Any]) -> None:
    """Raise ValueError, what is wrong as the end of a sentence, for what is no card of today's."""
    _check_values(card)
    needed = {"architecture", "classes"}
    if not card.get("members"):
        needed |= {"frontend", "sha256"}
    if missing := sorted(name for name in needed if not card.get(name)):
        raise ValueError(f"lacks {', '.join(missing)}")
    try:
        Card.model_validate(card)
    except ValidationError as error:
        raise ValueError(f"cannot be used ({_first(error)})") from None
    _check_shapes(card)


def _check_values(card: dict[str, Any]) -> None:
    """What no part of a card may be, whatever its name: without end, or unspeakable in JSON."""
    level: list[Any] = [card]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                deeper += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                deeper += value
            elif not _is_plain(value):
                raise ValueError("cannot be used, because it holds a number or text out of bounds")
        if not deeper:
            return
        level = deeper
    raise ValueError("cannot be used, because its values are nested too deep")


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= mark <= "\udfff" for mark in value)
    return not isinstance(value, int) or -MAX_INTEGER <= value < MAX_INTEGER


def _check_shapes(card: dict[str, Any]) -> None:
    """Lists that belong together are as long as each other."""
    if len(set(card["classes"])) < len(card["classes"]):
        raise ValueError("cannot be used, because it names a class twice")
    for result in card.get("results") or []:
        matrix = result.get("confusion")
        n_classes = len(result.get("classes") or card["classes"])
        if matrix and {n_classes} != {len(matrix), *map(len, matrix)}:
            raise ValueError("cannot be used, because a confusion matrix does not fit its classes")


def _first(error: ValidationError) -> str:
    """The first thing that is wrong: where, and what it should be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{shown(where)} {shown(what.split(' or instance of ')[0])}"
