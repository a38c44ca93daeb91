"""Models that are not part of the project: where they are from, and their download.

A download is checked by its SHA-256 and appears under its name only when it is whole; a file that
is cached is not downloaded again. AUDIOCLF_YAMNET_URL names a mirror of the same file.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths

TIMEOUT_S = 30
MIRROR_ENV = "AUDIOCLF_YAMNET_URL"


@dataclass(frozen=True)
class Source:
    """A published file: its addresses (the second where the first fails), size and terms."""

    name: str
    urls: tuple[str, ...]
    sha256: str
    n_bytes: int
    licence: str
    checkpoint_name: str  # of the checkpoint that is made of it
    equivalent_sha256: tuple[str, ...] = ()  # of other files with the same weights in them

    @property
    def accepted_sha256(self) -> tuple[str, ...]:
        """SHA-256 of every file whose embeddings are the same."""
        return (self.sha256, *self.equivalent_sha256)


YAMNET = Source(
    name="YAMNet",
    urls=(
        "https://storage.googleapis.com/mediapipe-models/audio_classifier/yamnet/float32/1/yamnet.tflite",
        "https://huggingface.co/litert-community/MediaPipe-AudioClassifier-YAMNet/resolve/main/yamnet.tflite",
    ),
    sha256="4d8b4a53282dc83ef04e3e7dbc4fbc98082e34e44ed798e16c3a0cdd4c584faf",
    n_bytes=4_126_810,
    licence="Apache-2.0",
    checkpoint_name="yamnet-audioset",
    equivalent_sha256=("469be6a3421cbc52cf97e9f2f966cba984198e8e7af9854d68b3e3ebb1e04194",),
)
SOURCES = {"yamnet": YAMNET}


class Bar(Protocol):
    """A progress bar of a download in bytes, such as tqdm."""

    total: float | None

    def update(self, n: float = 1) -> Any:
        """So many bytes more."""

    def reset(self, total: float | None = None) -> Any:
        """From 0 again."""

    def close(self) -> Any:
        """It is over."""


def source_named(name: str) -> Source:
    """The download of that name. Raises ValueError."""
    if name not in SOURCES:
        raise ValueError(f"There is nothing to download as “{name}”: name {', '.join(SOURCES)}.")
    return SOURCES[name]


def installed(source: Source) -> Checkpoint | None:
    """The checkpoint that was made of a download; None where there is none."""
    try:
        folder = checkpoint.locate(source.checkpoint_name)
        model = checkpoint.read(folder) if folder else None
    except ValueError:
        return None
    if model is None:
        return None
    return model if model.source_sha256() in source.accepted_sha256 and not model.is_head else None


def download(source: Source, bar: Bar) -> Path:
    """The path of the file, from the first address that has it. Raises ValueError."""
    import pooch
    from urllib3.exceptions import HTTPError

    folder = paths.cache_dir() / "downloads"
    name = source.checkpoint_name + Path(source.urls[0]).suffix
    pooch.get_logger().setLevel("ERROR")
    reason = ""
    for url in filter(None, (os.environ.get(MIRROR_ENV), *source.urls)):
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_S)
        try:
            path = Path(pooch.retrieve(url, None, name, os.fspath(folder), downloader=downloader))
        except (OSError, ValueError, HTTPError) as error:  # requests' errors are OSErrors
            reason = reason or _why(error)
        else:
            if checkpoint.sha256(path) in source.accepted_sha256:
                return path
            path.unlink(missing_ok=True)
            reason = "what came is not the file that was expected"
        bar.reset()
    raise ValueError(f"{source.name} could not be downloaded, because {reason}: {_remedy(source)}.")


def _remedy(source: Source) -> str:
    """What to do: a visitor of a page has no command line there."""
    if paths.is_public():
        return "try again later"
    return (
        "try again later, or get the file elsewhere and run “audioclf download "
        f"{_short(source)} --from FILE”"
    )


def _short(source: Source) -> str:
    return next(
        name for name, one in SOURCES.items() if one.checkpoint_name == source.checkpoint_name
    )


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
