"""What people say of sounds, and the formats in which other tools exchange it.

An exchange format is a pair of functions, `write(labels, durations) -> texts` and
`read(texts) -> labels`, where texts are files by their paths; `registry` lists them.
"""

import codecs
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

MAX_NAME = 100  # characters of a class, wherever one is named
NAME_RULE = f"A class has a name of 1 to {MAX_NAME} characters in one line: choose another."
Texts = Mapping[str, str]  # the contents of text files by their paths in a data set
Durations = Mapping[str, float]  # seconds of sound files by their paths


class Interval(NamedTuple):
    """A named segment of an audio file, in seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Label:
    """A person's judgement of an audio file or a segment of it. One class: several are several."""

    file: str  # its path in the data set
    name: str  # of the class
    start_s: float | None = None  # None: of the whole file
    end_s: float | None = None
    low_hz: float | None = None  # of a box in the spectrogram
    high_hz: float | None = None
    fold: int | None = None
    group: str = ""  # of files that belong together, such as those of one recording
    annotator: str = ""
    created_at: str = ""  # ISO 8601

    @property
    def is_whole(self) -> bool:
        """Whether it is of the whole file."""
        return self.start_s is None or self.end_s is None

    def span(self, durations: Durations) -> tuple[float, float]:
        """From when to when, in seconds. Raises ValueError for a file of unknown length."""
        if self.start_s is not None and self.end_s is not None:
            return self.start_s, self.end_s
        if self.file not in durations:
            raise ValueError(f"How long “{self.file}” is must be known to write its label.")
        return 0.0, durations[self.file]


def class_name(text: object) -> str:
    """A class as it is kept: any words in one line. Raises ValueError."""
    name = str(text).strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ValueError(NAME_RULE)
    return name


def decoded(data: bytes, path: str) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so, as Praat writes it. Raises ValueError."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8")
    except UnicodeError:
        raise ValueError(f"“{path}” is no text in UTF-8 or UTF-16: save it as UTF-8.") from None


def one_line(text: str) -> str:
    """Text that cannot break a row or a column of a tab-separated file."""
    return " ".join(text.split())


def flat_names(labels: list[Label]) -> dict[str, str]:
    """Names without folders, by file; where two files share one, their folders are part of it."""
    files = list(dict.fromkeys(label.file for label in labels))
    names = [file.rpartition("/")[2] for file in files]
    counts = Counter(names)
    return {
        file: name if counts[name] == 1 else file.replace("/", "_")
        for file, name in zip(files, names, strict=True)
    }


def whole_only(labels: list[Label], format_name: str) -> list[Label]:
    """The labels, all of whole files. Raises ValueError where one is of a segment."""
    for label in labels:
        if not label.is_whole:
            raise ValueError(
                f"{format_name} holds labels of whole files: have the regions of “{label.file}” "
                "become files."
            )
    return labels


def number(text: str, what: str, path: str) -> float:
    """A number in a file. Raises ValueError where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ValueError(f"“{path}” has “{text[:40]}” where {what} should be: write a number.")
    return value
