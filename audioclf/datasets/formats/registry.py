"""Every exchange format: its name on the command line, what people call it, and its module."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from audioclf.datasets.formats import (
    audacity,
    audiofolder,
    birdnet,
    clip_tables,
    label_studio,
    plain_csv,
    raven,
    textgrid,
)
from audioclf.datasets.formats.base import Durations, Label, Texts
from audioclf.datasets.formats.clip_tables import ESC50, URBANSOUND8K, ClipTable


class Format(NamedTuple):
    """An exchange format."""

    title: str
    write: Callable[[list[Label], Durations], dict[str, str]]
    read: Callable[[Texts], list[Label]]
    holds_segments: bool  # else labels of whole files alone


def _table(table: ClipTable) -> Format:
    """The format of labels of whole files in that table."""
    write, read = partial(clip_tables.write, table), partial(clip_tables.read, table)
    return Format(table.title, write, read, False)


FORMATS = {
    "csv": Format("Plain CSV", plain_csv.write, plain_csv.read, True),
    "audiofolder": Format("Hugging Face audiofolder", audiofolder.write, audiofolder.read, False),
    "esc50": _table(ESC50),
    "urbansound8k": _table(URBANSOUND8K),
    "audacity": Format("Audacity labels", audacity.write, audacity.read, True),
    "raven": Format("Raven selection table", raven.write, raven.read, True),
    "label_studio": Format("Label Studio JSON", label_studio.write, label_studio.read, True),
    "textgrid": Format("Praat TextGrid", textgrid.write, textgrid.read, True),
}


DETECTIONS = {"birdnet": birdnet.TITLE}  # of models, read as suggestions


def format_named(name: str) -> Format:
    """The format of that name. Raises ValueError."""
    if name not in FORMATS:
        raise ValueError(f"There is no format “{name}”: choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]
