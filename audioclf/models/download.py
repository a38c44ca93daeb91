"""Weights that are not the project's own: where they are from, and the way here.

A download is checked by its SHA-256 and appears under its name only when it is whole; what is
already here is not fetched again. AUDIOCLF_YAMNET_URL names a nearer address of the same file.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths

TIMEOUT_S = 30
NEARER = "AUDIOCLF_YAMNET_URL"


@dataclass(frozen=True)
class Source:
    """A published file: its addresses (the second where the first fails), size and terms."""

    name: str
    urls: tuple[str, ...]
    sha256: str
    n_bytes: int
    licence: str
    becomes: str  # the checkpoint's name
    same: tuple[str, ...] = ()  # SHA-256 of other files with the same network in them

    @property
    def accepted(self) -> tuple[str, ...]:
        """SHA-256 of every file whose embeddings are the same."""
        return (self.sha256, *self.same)


YAMNET = Source(
    name="YAMNet",
    urls=(
        "https://storage.googleapis.com/mediapipe-models/audio_classifier/yamnet/float32/1/yamnet.tflite",
        "https://huggingface.co/litert-community/MediaPipe-AudioClassifier-YAMNet/resolve/main/yamnet.tflite",
    ),
    sha256="4d8b4a53282dc83ef04e3e7dbc4fbc98082e34e44ed798e16c3a0cdd4c584faf",
    n_bytes=4_126_810,
    licence="Apache-2.0",
    becomes="yamnet-audioset",
    same=("469be6a3421cbc52cf97e9f2f966cba984198e8e7af9854d68b3e3ebb1e04194",),
)
SOURCES = {"yamnet": YAMNET}


class Bar(Protocol):
    """What a download tells how far it is: bytes, as tqdm counts."""

    total: float | None

    def update(self, n: float = 1) -> Any:
        """So many bytes more."""

    def reset(self, total: float | None = None) -> Any:
        """From 0 again."""

    def close(self) -> Any:
        """It is over."""


def source(name: str) -> Source:
    """What can be fetched under that name. Raises ValueError."""
    if name not in SOURCES:
        raise ValueError(f"There is nothing to fetch as “{name}”: name {', '.join(SOURCES)}.")
    return SOURCES[name]


def find(wanted: Source) -> Checkpoint | None:
    """The checkpoint that was made of it, where it is here."""
    try:
        found = checkpoint.read(checkpoint.home() / wanted.becomes)
    except ValueError:
        return None
    return found if found.source_sha256 in wanted.accepted and not found.is_head else None


def download(wanted: Source, bar: Bar) -> Path:
    """The file, from the first address that has it. Raises ValueError where none does."""
    import pooch
    from urllib3.exceptions import HTTPError

    folder = paths.cache_dir() / "downloads"
    name = wanted.becomes + Path(wanted.urls[0]).suffix
    pooch.get_logger().setLevel("ERROR")
    reason = ""
    for url in filter(None, (os.environ.get(NEARER), *wanted.urls)):
        fetch = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_S)
        try:
            found = Path(pooch.retrieve(url, None, name, os.fspath(folder), downloader=fetch))
        except (OSError, ValueError, HTTPError) as error:  # requests' errors are OSErrors
            reason = reason or _why(error)
        else:
            if checkpoint.sha256(found) in wanted.accepted:
                return found
            found.unlink(missing_ok=True)
            reason = "what came is not the file that was expected"
        bar.reset()
    raise ValueError(f"{wanted.name} could not be fetched, because {reason}: {_remedy(wanted)}.")


def _remedy(wanted: Source) -> str:
    """What to do: a visitor of a page has no command line there."""
    if paths.is_public():
        return "try again later"
    return (
        "try again later, or get the file elsewhere and run “audioclf download "
        f"{_short(wanted)} --from FILE”"
    )


def _short(wanted: Source) -> str:
    return next(name for name, one in SOURCES.items() if one.becomes == wanted.becomes)


def _why(error: Exception) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, exceptions.Timeout):
        return "the server did not answer in time"
    if isinstance(error, exceptions.ConnectionError | exceptions.ChunkedEncodingError):
        return "there is no connection to its server"
    if isinstance(error, OSError) and error.strerror:
        where = "" if paths.is_public() else f", which {paths.CACHE} names"
        return f"it cannot be kept in the cache{where} ({error.strerror})"
    return f"its address cannot be used ({error})"
