"""What the tabs share: limits, sounds, networks, the guard that turns errors into sentences."""

import base64
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import FileData
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from numpy.typing import NDArray

from audioclf import audio, checkpoint, excerpt
from audioclf.audio import Header, Limits, Samples
from audioclf.checkpoint import Checkpoint
from audioclf.predict import predict, predict_file, together
from audioclf.prediction import Prediction
from audioclf.ui import mine as my
from audioclf.ui.where import is_local

HOSTED = Limits(max_duration_s=300, max_bytes=20_000_000, max_values=60_000_000)
BROWSERS_PLAY = {".wav", ".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".mp4", ".webm"}
SHORT_S = 120.0  # sounds up to here are kept decoded
CLASSIFY, LABEL, TEACH = "classify", "label", "teach"  # ids of tabs
QUEUED: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # of an event
# Of bookkeeping, which is done at once. Not of what sets a `gr.State` whose change is listened to:
# the page hears of that through the queue alone.
QUIET: dict[str, Any] = {**QUEUED, "queue": False}


@dataclass(frozen=True)
class Shared:
    """The components that several parts of the page read."""

    tabs: gr.Tabs  # the page's; `CLASSIFY` is the first one's id
    classify: gr.Tab
    mine: gr.BrowserState  # what the browser remembers
    sound: gr.Audio
    network: gr.Dropdown
    cleaning: gr.Radio


def limits() -> Limits:
    """What sounds are accepted, asked inside every handler: endpoints are open to anyone."""
    return audio.ANY if is_local() else HOSTED


class Sound:
    """One uploaded sound: its header, and its samples in blocks at the file's own rate."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.header: Header = audio.read_header(path, limits())

    def blocks(self) -> Iterator[Samples]:
        """Mono blocks; from memory when the sound is short."""
        if self.is_short:
            yield self.samples()
        else:
            yield from audio.read_blocks(self.path, limits=limits())

    def samples(self) -> Samples:
        """The whole sound, (samples,)."""
        if self.is_short:
            return _decoded(*self.key)
        return audio.load(self.path, limits=limits())[0]

    @property
    def key(self) -> tuple[str, int, int]:
        """Path, time of change and size: what tells this sound from every other, for caches."""
        stat = os.stat(self.path)
        return self.path, stat.st_mtime_ns, stat.st_size

    @property
    def is_short(self) -> bool:
        """Whether it is kept decoded."""
        return self.header.duration_s is not None and self.header.duration_s <= SHORT_S

    @property
    def rate_hz(self) -> int:
        """The file's own sample rate."""
        return self.header.sample_rate_hz

    @functools.cached_property
    def n_samples(self) -> int:
        """Exact for short sounds, the header's word for long ones; counted where it has none."""
        if self.is_short:
            return len(self.samples())
        if self.header.duration_s is None:
            return sum(len(block) for block in self.blocks())
        return round(self.header.duration_s * self.rate_hz)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.rate_hz


@functools.lru_cache(maxsize=4)
def _decoded(path: str, modified_ns: int, n_bytes: int) -> Samples:
    """Uploads lie under the hash of their content, so a path is never two sounds."""
    samples, _ = audio.load(path, limits=limits())
    samples.setflags(write=False)
    return samples


def network_named(name: str | None) -> Checkpoint:
    """The checkpoint of that name, which is never a path. Raises ValueError."""
    found = next((c for c in checkpoint.find_all() if c.name == name), None)
    found = found or my.network_named(name)
    if found is None:
        raise ValueError(
            f"There is no network “{name}”: choose one from the list."
            if name
            else "No network is chosen: choose one, or train one where there is none yet."
        )
    return found


def hear(sound: Sound, network: Checkpoint, cleaning: str) -> Prediction:
    """What a network hears in a sound; kept, so that no view or ensemble asks a second time."""
    if network.is_ensemble:
        return together([hear(sound, one, cleaning) for one in network.members], network)
    card = network.folder / checkpoint.CARD
    about = (network.name, network.stamp, card.stat().st_mtime_ns)
    return (_heard if sound.is_short else _heard_long)(sound.key, about, cleaning)


def _hear(
    sound_key: tuple[str, int, int], about: tuple[str, str, int], cleaning: str
) -> Prediction:
    heard, network = Sound(sound_key[0]), network_named(about[0])
    if heard.is_short:
        return predict(heard.samples(), heard.rate_hz, network, cleaning)
    return predict_file(heard.path, network, cleaning, limits())


_heard = functools.lru_cache(maxsize=64)(_hear)
_heard_long = functools.lru_cache(maxsize=6)(_hear)  # an hour of YAMNet is 16 MB


def guarded(show: Callable[[str], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A handler whose ValueError is shown as `show(sentence)` in place of its result."""

    def wrap(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def safe(*args: Any, **kwargs: Any) -> Any:
            try:
                return handler(*args, **kwargs)
            except ValueError as error:
                return show(str(error))
            except FileNotFoundError:  # uploads are deleted after an hour, or for others' uploads
                return show("The file is no longer on this server: upload it again.")
            except (TypeError, OverflowError):  # what a form or a client sent is no such value
                return show("One of the settings is missing or no usable number: choose another.")

        return safe

    return wrap


def unchecked(component: Any) -> Any:
    """The component, with its values judged by the handler, in a sentence, and by nothing before.

    Gradio would refuse a half-typed number or a checkpoint that is newer than the page.
    """
    component.preprocess = lambda value: value
    return component


def playable(sound: Sound) -> dict[str, Any]:
    """The file as a value with an address: itself, or a WAV where browsers cannot play it."""
    path = sound.path
    if Path(path).suffix.lower() not in BROWSERS_PLAY and sound.is_short:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, f"{Path(path).stem[:80]}.wav")
            audio.write(made, sound.samples(), sound.rate_hz)
            path = save_file_to_cache(made, get_upload_folder())
    return FileData(path=path, orig_name=Path(path).name).model_dump()


def pcm16(samples: Samples) -> NDArray[np.int16]:
    """For `gr.Audio`, which would normalise floats: 16 bits, clipped at full scale, as loud."""
    return (np.clip(samples, -1, 1) * 32_767).astype(np.int16)


def folder_typed(typed: str) -> Path:
    """The folder of this machine that was typed. Raises ValueError."""
    try:
        path = Path(typed).expanduser()
        is_there = path.is_absolute() and path.is_dir()
    except (OSError, RuntimeError):  # too long a name; a user who is not here
        is_there = False
    if not is_there:
        raise ValueError("There is no such folder: type its whole path.")
    return path


def audio_url(samples: Samples, rate_hz: int) -> str:
    """Sound as an address that holds it: a WAV that every browser plays."""
    return "data:audio/wav;base64," + base64.b64encode(excerpt.as_wav(samples, rate_hz)).decode()


def temporary_file(name: str, text: str) -> str:
    """A text file in the page's cache, under `name`; deleted with the cache's other files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        return save_file_to_cache(path, get_upload_folder())
