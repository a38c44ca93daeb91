"""Every exchange format: its name on the command line, what people call it, and its module."""

from collections.abc import Callable
from typing import NamedTuple

from audioclf.datasets.formats import (
    audacity,
    audiofolder,
    esc50,
    label_studio,
    plain_csv,
    raven,
    textgrid,
    urbansound8k,
)
from audioclf.datasets.formats.base import Durations, Label, Texts


class Format(NamedTuple):
    """An exchange format."""

    title: str
    write: Callable[[list[Label], Durations], dict[str, str]]
    read: Callable[[Texts], list[Label]]
    holds_stretches: bool  # else labels of whole files alone


FORMATS = {
    "csv": Format("Plain CSV", plain_csv.write, plain_csv.read, True),
    "audiofolder": Format("Hugging Face audiofolder", audiofolder.write, audiofolder.read, False),
    "esc50": Format("ESC-50", esc50.write, esc50.read, False),
    "urbansound8k": Format("UrbanSound8K", urbansound8k.write, urbansound8k.read, False),
    "audacity": Format("Audacity labels", audacity.write, audacity.read, True),
    "raven": Format("Raven selection table", raven.write, raven.read, True),
    "label_studio": Format("Label Studio JSON", label_studio.write, label_studio.read, True),
    "textgrid": Format("Praat TextGrid", textgrid.write, textgrid.read, True),
}


def format_named(name: str) -> Format:
    """The format of that name. Raises ValueError."""
    if name not in FORMATS:
        raise ValueError(f"There is no format “{name}”: choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]
