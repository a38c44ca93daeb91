"""Excerpts of audio files: to be played and drawn, and to be written as files of their own.

A part is found by its samples' numbers, so a region means the same sound everywhere. Formats that
cannot be entered in the middle to the sample (mp3, and what PyAV reads) are decoded once.
"""

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from audioclf.audio import io as audio
from audioclf.audio.errors import AudioError
from audioclf.audio.io import Limits, Samples
from audioclf.storage import cache

EXACT = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "FLAC", "CAF"})


class ClipFormat(StrEnum):
    """What a part of a recording is written as."""

    FLAC = "flac"
    WAV = "wav"


PCM = {"PCM_S8": "PCM_S8", "PCM_U8": "PCM_S8", "PCM_16": "PCM_16", "PCM_24": "PCM_24"}
BEGINNING_S = 120.0  # up to here a file is read from its start rather than decoded
SHORT_S = 60.0  # decoded again for every part
LOWEST_HZ, HIGHEST_HZ = 8_000, 48_000
_DECODING = threading.Lock()
BLOCK_VALUES = 1 << 19  # samples times channels
BLOCK_S = 2.0
MOST_SAMPLES = 15_000_000  # of a part in memory: five minutes at 48 kHz


class EmptyPartError(ValueError):
    """No sound lies between the times that were named."""


def samples_of(
    path: Path, start_s: float, end_s: float, limits: Limits = audio.ANY
) -> tuple[Samples, int]:
    """A part of a file as mono, (samples,), and its rate in Hz.

    It is the file's rate where MOST_SAMPLES allow; else the part is resampled to a lower one, block
    by block. Raises AudioError, and EmptyPartError where nothing lies between the times.
    """
    header = audio.read_header(path, limits)
    rate_hz = header.sample_rate_hz
    first, last = max(0, round(start_s * rate_hz)), round(end_s * rate_hz)
    if (header.duration_s or SHORT_S + 1) <= SHORT_S:
        blocks = _between(audio.read_blocks(path, block_s=BLOCK_S, limits=limits), first, last)
    elif end_s <= BEGINNING_S and not can_be_entered(path):
        blocks = _between(_beginning(path, last, limits), first, last)
    else:
        blocks = _mono(entered(path, limits), first, last)
    part_hz = _fitting_hz(rate_hz, min(end_s, header.duration_s or end_s) - start_s)
    resampled = audio.resample_blocks(blocks, rate_hz, part_hz)
    samples = np.concatenate([np.zeros(0, np.float32), *resampled])
    if len(samples) == 0:
        raise EmptyPartError(
            f"Nothing lies between {start_s:.3f} and {end_s:.3f} s: move the ends."
        )
    return samples, part_hz


def _fitting_hz(rate_hz: int, seconds: float) -> int:
    """The rate at which a part is held: the file's own, or one with few enough samples."""
    if seconds * rate_hz <= MOST_SAMPLES or rate_hz <= HIGHEST_HZ:
        return rate_hz
    return min(rate_hz, max(HIGHEST_HZ, int(MOST_SAMPLES / seconds) // 1_000 * 1_000))


def _between(blocks: Iterable[Samples], first: int, last: int) -> Iterator[Samples]:
    """Samples `first` to `last` of a sound that comes in blocks; all of it is read."""
    start = 0
    for block in blocks:
        yield block[max(0, first - start) : max(0, last - start)]
        start += len(block)


def _beginning(path: Path, n_samples: int, limits: Limits) -> Iterator[Samples]:
    """The blocks that hold the first samples of a file, without reading on."""
    n_read = 0
    with closing(audio.read_blocks(path, block_s=BLOCK_S, limits=limits)) as blocks:
        for block in blocks:
            yield block
            n_read += len(block)
            if n_read >= n_samples:
                return


def entered(path: Path, limits: Limits = audio.ANY) -> Path:
    """The file itself where it can be entered anywhere; else itself decoded, kept in the cache.

    Raises AudioError.
    """
    if _is_exact(path):
        return path
    wav = _decoded(path)
    with _DECODING:  # whoever comes second finds it
        if not cache.is_there(wav):
            cache.write(wav, lambda part: _decode(path, part, limits))
    return wav


def can_be_entered(path: Path) -> bool:
    """Whether any part is found at once: by its format, or because it is decoded already."""
    return _is_exact(path) or _decoded(path).is_file()


def _is_exact(path: Path) -> bool:
    file = audio.open_plain(path)
    if file is None:
        return False
    with file:
        return file.format in EXACT


def _decoded(path: Path) -> Path:
    stat = path.stat()
    version = f"{path.resolve()}\0{stat.st_mtime_ns}\0{stat.st_size}"
    return cache.entry(cache.DECODED, f"{cache.text_key(version)}.wav")


def as_wav(samples: Samples, rate_hz: int) -> bytes:
    """A WAV that every browser plays: 16 bits, at 8 to 48 kHz; neither scaled nor shifted."""
    wav_hz = min(max(rate_hz, LOWEST_HZ), HIGHEST_HZ)
    file = io.BytesIO()
    blocks = audio.resample_blocks(in_blocks(samples), rate_hz, wav_hz)
    with soundfile.SoundFile(file, "w", wav_hz, 1, "PCM_16", format="WAV") as wav:
        for block in blocks:
            wav.write(np.clip(block, -1, 1))
    return file.getvalue()


def in_blocks(samples: Samples) -> Iterator[Samples]:
    """What is in memory already, in pieces: what is made of each then stays small."""
    for start in range(0, len(samples), BLOCK_VALUES):
        yield samples[start : start + BLOCK_VALUES]


def cut(source: Path, target: Path, start_s: float, end_s: float) -> None:
    """Keep a part as FLAC or WAV (by the target's ending), at the rate, with the channels and the
    depth of the original; what has to be decoded first as mono with 16 bits. Raises AudioError, and
    EmptyPartError.
    """
    try:
        _cut(source, target, start_s, end_s)
    except (soundfile.LibsndfileError, OSError) as error:
        why = getattr(error, "strerror", None) or getattr(error, "error_string", None) or error
        raise AudioError(f"“{source.name}” cannot be cut into clips ({why}).") from error


def _cut(source: Path, target: Path, start_s: float, end_s: float) -> None:
    depth = _depth(source)
    is_plain = bool(depth)
    form = target.suffix[1:].upper()
    subtype = PCM.get(depth, "PCM_16") if form == "FLAC" else _wav_subtype(depth)
    with soundfile.SoundFile(source if is_plain else entered(source)) as file:
        rate_hz = file.samplerate
        first, last = max(0, round(start_s * rate_hz)), min(round(end_s * rate_hz), file.frames)
        if first >= last:
            raise EmptyPartError(
                f"Nothing lies between {start_s:.3f} and {end_s:.3f} s: move them."
            )
        kind = "float64" if depth in ("FLOAT", "DOUBLE") else "int32"
        with soundfile.SoundFile(target, "w", rate_hz, file.channels, subtype, format=form) as clip:
            for block in _frames(file, first, last, kind):
                clip.write(block)


def write_beginning(source: Path, target: Path, seconds: float) -> None:
    """The first seconds of a file of any length as a WAV, mono with 16 bits; no more is decoded.

    Raises AudioError.
    """
    rate_hz = audio.read_header(source).sample_rate_hz
    n_left = round(seconds * rate_hz)
    with soundfile.SoundFile(target, "w", rate_hz, 1, "PCM_16", format="WAV") as clip:
        for block in _beginning(source, n_left, audio.ANY):
            clip.write(np.clip(block[:n_left], -1, 1))
            n_left -= len(block[:n_left])


def _depth(path: Path) -> str:
    """How samples are kept in a file that can be entered anywhere; nothing for another."""
    file = audio.open_plain(path)
    if file is None:
        return ""
    with file:
        return file.subtype if file.format in EXACT else ""


def _wav_subtype(depth: str) -> str:
    subtypes = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    return "PCM_U8" if depth == "PCM_S8" else depth if depth in subtypes else "PCM_16"


def _mono(path: Path, first: int, last: int) -> Iterator[Samples]:
    try:
        with soundfile.SoundFile(path) as file:
            for block in _frames(file, max(0, first), min(last, file.frames), "float32"):
                yield audio.mixed(block, path.name)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"“{path.name}” cannot be read to its end: export it again.") from error


def _frames(file: soundfile.SoundFile, first: int, last: int, kind: str) -> Iterator[NDArray]:
    """Samples `first` to `last` with all channels, in blocks, (samples, channels)."""
    if first >= last:
        return
    file.seek(first)
    block_size = max(1, BLOCK_VALUES // file.channels)
    for start in range(first, last, block_size):
        yield file.read(min(block_size, last - start), dtype=kind, always_2d=True)


def _decode(path: Path, target: Path, limits: Limits) -> None:
    rate_hz = audio.read_header(path, limits).sample_rate_hz
    with soundfile.SoundFile(target, "w", rate_hz, 1, "PCM_16", format="RF64") as file:
        for block in audio.read_blocks(path, limits=limits):
            file.write(np.clip(block, -1, 1))
