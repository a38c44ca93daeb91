"""What the tabs share: audio files, models, and the decorator that shows errors."""

import base64
import functools
import os
import tempfile
import time
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

from audioclf.audio import excerpt, io
from audioclf.audio.io import Header, Samples
from audioclf.features.windowing import Cut
from audioclf.inference.levels import Levels, measure_levels
from audioclf.inference.predict import (
    average_predictions,
    predict,
    predict_file,
    predict_parts,
)
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.paths import checkpoint_dirs
from audioclf.ui.page import session as sessions
from audioclf.ui.page.cache import cached
from audioclf.ui.page.limits import limits

BROWSERS_PLAY = {".wav", ".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".mp4", ".webm"}
SHORT_S = 120.0  # sounds up to here are kept decoded
CLASSIFY, LABEL, FINE_TUNE = "classify", "label", "fine-tune"  # ids of tabs
QUEUED: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # of an event
# Of bookkeeping, which is done at once. Not for outputs that are a `gr.State` with a change event:
# the page gets these through the queue alone.
QUIET: dict[str, Any] = {**QUEUED, "queue": False}
# What waits for what: each kind of work has slots of its own, so that a model's answer never
# stands behind a comparison of many, a costly picture or a table of milliseconds.
PREDICT: dict[str, Any] = {"concurrency_id": "predict", "concurrency_limit": 2}
COMPARE: dict[str, Any] = {"concurrency_id": "compare", "concurrency_limit": 1}
VIEWS: dict[str, Any] = {"concurrency_id": "views", "concurrency_limit": 2}
TIMINGS: dict[str, Any] = {"concurrency_id": "timings", "concurrency_limit": 1}
NEXT_ANSWER_S = 0.7  # of a long sound, that is predicted as its windows come
MOST_SHOWN = 300  # letters at both ends of a sentence that is very long
CACHE_BYTES = 96_000_000  # decoded sounds, and as much of predictions


@dataclass(frozen=True)
class Shared:
    """The components that several parts of the page read."""

    tabs: gr.Tabs  # the page's; `CLASSIFY` is the first one's id
    classify: gr.Tab
    session: gr.BrowserState  # the browser session
    sound: gr.Audio
    model: gr.Dropdown
    preprocessing: gr.Radio


class Sound:
    """One uploaded sound: its header, and its samples in blocks at the file's own rate."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.header: Header = io.read_header(path, limits().sound)

    def blocks(self) -> Iterator[Samples]:
        """Mono blocks; from memory when the file is short."""
        if self.is_short:
            yield from excerpt.in_blocks(self.samples())
        else:
            yield from io.read_blocks(self.path, limits=limits().sound)

    def samples(self) -> Samples:
        """The whole sound, (samples,)."""
        if self.is_short:
            return _decoded(*self.key)
        return io.load(self.path, limits=limits().sound)[0]

    @property
    def key(self) -> tuple[str, int, int]:
        """Path, time of change and size: a unique key of this file for caches."""
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


@cached(CACHE_BYTES, lambda samples: int(samples.nbytes))
def _decoded(path: str, modified_ns: int, n_bytes: int) -> Samples:
    """Uploads lie under the hash of their content, so a path is never two sounds."""
    samples, _ = io.load(path, limits=limits().sound)
    samples.setflags(write=False)
    return samples


def find_model(name: str | None) -> Checkpoint:
    """The checkpoint of that name, which is never a path. Raises ValueError."""
    model = _listed(name) or sessions.find_model(name)
    model = model or next((c for c in checkpoint.find_all() if c.name == name), None)
    if model is None:
        checkpoint.check_damaged(name)
        raise ValueError(
            f"There is no model “{name}”: choose one from the list."
            if name
            else "No model is chosen: choose one, or train one where there is none yet."
        )
    return model


def _listed(name: str | None) -> Checkpoint | None:
    """The checkpoint in the folder of that name, if there is one; its card is read once.

    To read all cards for the one that is asked took longer than the prediction.
    """
    try:
        folder = next((one for one in checkpoint_dirs() if name in _names(one)), None)
        if folder is None:
            return None
        card = folder / str(name) / checkpoint.CARD
        stat = card.stat()
    except OSError:
        return None
    model = _read(card.parent, stat.st_mtime_ns, stat.st_size)
    return model if model.name == name else None  # a link may lead to another name


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


@functools.lru_cache(maxsize=64)
def _read(folder: Path, modified_ns: int, n_bytes: int) -> Checkpoint:
    return checkpoint.read(folder)


def predict_sound(
    sound: Sound, model: Checkpoint, preprocessing: str, cut: Cut | None = None
) -> Prediction:
    """The prediction of a model for an audio file, cached for all views and ensembles.

    cut: how windows are cut, where that is not as the model's front end says.
    """
    if model.is_ensemble:
        return average_predictions(
            [predict_sound(sound, one, preprocessing, cut) for one in model.load_members()], model
        )
    prediction: Prediction = _predicted(sound.key, model_key(model), preprocessing, cut)
    return prediction


def predict_as_it_comes(
    sound: Sound, model: Checkpoint, preprocessing: str, cut: Cut | None = None
) -> Iterator[tuple[Prediction, bool]]:
    """Predictions of more and more of a long sound, and whether it is all; of a short one, that.

    At most one in NEXT_ANSWER_S, so that drawing them takes less than making them.
    """
    key = (sound.key, model_key(model), preprocessing, cut)
    as_it_is = preprocessing == "as_is"
    if sound.is_short or not as_it_is or _predicted.known(*key) is not None:
        yield predict_sound(sound, model, preprocessing, cut), True
        return
    prediction, last_s = None, float("-inf")
    for prediction in predict_parts(sound.path, model, limits().sound, cut):
        if time.monotonic() - last_s > NEXT_ANSWER_S:
            yield prediction, False
            last_s = time.monotonic()
    if prediction is not None:
        _predicted.put(prediction, *key)
        yield prediction, True


def model_key(model: Checkpoint) -> tuple[str, str, int]:
    """What tells a model from one that was published anew under its name."""
    card = model.folder / checkpoint.CARD
    return model.name, model.weights_sha256(), card.stat().st_mtime_ns


def _n_bytes(prediction: Prediction) -> int:
    arrays = (prediction.probabilities, prediction.starts_s, prediction.ends_s)
    return sum(array.nbytes for array in arrays)


@cached(CACHE_BYTES, _n_bytes)
def _predicted(
    sound_key: tuple[str, int, int],
    about: tuple[str, str, int],
    preprocessing: str,
    cut: Cut | None,
) -> Prediction:
    audio, model = Sound(sound_key[0]), find_model(about[0])
    if audio.is_short:
        return predict(audio.samples(), audio.rate_hz, model, preprocessing, cut)
    return predict_file(audio.path, model, preprocessing, limits().sound, cut)


def levels_of(sound: Sound) -> Levels:
    """The level of a sound over time, cached."""
    levels: Levels = _levels(sound.key)
    return levels


@cached(CACHE_BYTES // 10, lambda levels: int(levels.db.nbytes))
def _levels(sound_key: tuple[str, int, int]) -> Levels:
    audio = Sound(sound_key[0])
    return measure_levels(audio.blocks(), audio.rate_hz)


def show_errors(show: Callable[[str], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A handler whose ValueError is shown as `show(sentence)` in place of its result."""

    def wrap(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def safe(*args: Any, **kwargs: Any) -> Any:
            try:
                return handler(*args, **kwargs)
            except UnicodeError:  # half of a character, which no file or page can hold
                return show("A name here is no readable text: choose it from the list.")
            except ValueError as error:
                return show(readable(str(error)))
            except FileNotFoundError:  # uploads are deleted after an hour, or for others' uploads
                return show("The file is no longer on this server: upload it again.")
            except (TypeError, AttributeError, OverflowError):  # no such value as the page sends
                return show("One of the settings is missing or no usable number: choose another.")

        return safe

    return wrap


def readable(text: str) -> str:
    """Text that can be shown: halves of characters become “?”, and its middle is left out.

    A client may send any value where the page sends a name from a list.
    """
    if len(text) > 2 * MOST_SHOWN:
        text = f"{text[:MOST_SHOWN]} … {text[-MOST_SHOWN:]}"
    return text.encode("utf-8", "replace").decode("utf-8")


def skip_preprocess(component: Any) -> Any:
    """The component with its preprocessing skipped: the handler checks the value.

    Gradio would refuse a half-typed number or a checkpoint that is newer than the page.
    """
    component.preprocess = lambda value: value
    return component


def playable(sound: Sound) -> dict[str, Any]:
    """The file as a value with an address: itself, or a WAV where browsers cannot play it."""
    path = sound.path
    if Path(path).suffix.lower() not in BROWSERS_PLAY and sound.is_short:
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder, f"{Path(path).stem[:80]}.wav")
            io.write(wav, sound.samples(), sound.rate_hz)
            path = save_file_to_cache(wav, get_upload_folder())
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
