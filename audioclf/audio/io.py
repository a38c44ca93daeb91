"""Sound files in and out: decode, mix to mono, resample, write.

libsndfile reads wav, flac, ogg (Vorbis and Opus), aiff and caf here. Everything else is decoded in
a process of its own (`decoder`): mp3, and through PyAV m4a, aac, webm, mp4, wma. Every reader sees
the header first, so limits hold before a sample is decoded, and counts what is decoded, as headers
may lie; every file comes as blocks, so that memory follows the block and not the file. Whatever is
wrong with a file is an `AudioError`: one sentence for the person.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from audioclf.audio.decoder import open_foreign
from audioclf.audio.errors import AudioError, truncated

Samples = NDArray[np.float32]

BLOCK_S = 30.0
MAX_BLOCK_VALUES = 8_000_000  # samples times channels: 32 MB, whatever the rate
MIN_RATE_HZ = 1_000
MAX_LEVEL = 1e10  # full scale is 1; integers that were never scaled reach 2e9
ROUNDING_S = 0.1  # encoders pad the last frame
STREAMED = 0x7FFFFFFF  # sizes that recorders write when they cannot go back to fill them in


@dataclass(frozen=True)
class Limits:
    """What a caller accepts; None means any. Checked on the header, and while decoding."""

    max_duration_s: float | None = None
    max_bytes: int | None = None
    max_values: int | None = None  # samples times channels: what decoding costs
    max_samples: int | None = None  # per channel: what everything after it costs
    max_rate_hz: int | None = None


@dataclass(frozen=True)
class Header:
    """What a file says of itself; `duration_s` is None where the container does not say."""

    sample_rate_hz: int
    n_channels: int
    duration_s: float | None


ANY = Limits()


def read_header(path: str | Path, limits: Limits = ANY) -> Header:
    """Read the header of a sound file alone, checked against `limits`.

    Parameters
    ----------
    path : str or Path
        A sound file of any format that `load` reads.
    limits : Limits, optional
        What is accepted; nothing is refused by default.

    Returns
    -------
    Header
        Sample rate in Hz, number of channels and duration in seconds; None for a duration that the
        file does not tell.

    Raises
    ------
    AudioError
        For a file that is missing, empty, damaged or beyond the limits.
    """
    with _open(Path(path), limits) as (header, _):
        return header


def load(
    path: str | Path, sample_rate_hz: int | None = None, limits: Limits = ANY
) -> tuple[Samples, int]:
    """Load a whole sound file as mono samples.

    Parameters
    ----------
    path : str or Path
        Any format that libsndfile reads, or PyAV: wav, flac, ogg, mp3, m4a, webm and others.
    sample_rate_hz : int, optional
        The rate to resample to, in Hz; None keeps that of the file.
    limits : Limits, optional
        What is accepted; nothing is refused by default.

    Returns
    -------
    samples : ndarray of float32, shape (samples,)
        The mean of the channels, in [-1, 1] by convention; what was no finite number is 0.
    sample_rate_hz : int
        Their rate in Hz.

    Raises
    ------
    AudioError
        For a file that is missing, empty, damaged or beyond the limits.
    """
    with _open(Path(path), limits) as (header, chunks):
        samples = np.concatenate(list(_guarded(chunks, header, limits, Path(path).name)))
    rate_hz = sample_rate_hz or header.sample_rate_hz
    return resample(samples, header.sample_rate_hz, rate_hz), rate_hz


def read_blocks(
    path: str | Path,
    sample_rate_hz: int | None = None,
    *,
    block_s: float = BLOCK_S,
    limits: Limits = ANY,
) -> Generator[Samples, None, None]:
    """Read a sound file as mono blocks, in memory that does not grow with its length.

    Together the blocks are what `load` gives, resampled without a seam.

    Parameters
    ----------
    path : str or Path
        A sound file of any format that `load` reads.
    sample_rate_hz : int, optional
        The rate to resample to, in Hz; None keeps that of the file.
    block_s : float, optional
        The length of a block in seconds, about; shorter where many channels or a high rate would
        make it larger than 8 million values.
    limits : Limits, optional
        What is accepted; nothing is refused by default.

    Yields
    ------
    ndarray of float32, shape (samples,)
        The next block.

    Raises
    ------
    AudioError
        For a file that is missing, empty, damaged or beyond the limits; of a truncated one, or one
        of NaN alone, at the latest after the last block.
    """
    with _open(Path(path), limits, block_s) as (header, chunks):
        mono = _guarded(chunks, header, limits, Path(path).name)
        yield from resample_blocks(mono, header.sample_rate_hz, sample_rate_hz)


def resample_blocks(
    blocks: Iterable[Samples], from_hz: int, to_hz: int | None
) -> Iterator[Samples]:
    """`resample` of a sound that comes in blocks, without a seam; None leaves it as it is."""
    if to_hz in (None, from_hz):
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample mono samples, band-limited.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples at the rate `from_hz`.
    from_hz : int
        Their rate in Hz.
    to_hz : int
        The new rate in Hz.

    Returns
    -------
    ndarray of float32, shape (samples * to_hz / from_hz,)
        The samples at the new rate, at least one of them; the same array where the rates are equal.

    References
    ----------
    The SoX resampler at its high quality, https://github.com/dofuuz/python-soxr
    """
    if from_hz == to_hz:
        return samples
    resampled = soxr.resample(samples, from_hz, to_hz).astype(np.float32, copy=False)
    return resampled if len(resampled) else samples[:1]  # a sample or two at a high rate


def write(path: str | Path, samples: Samples, sample_rate_hz: int) -> None:
    """Write mono samples as a 16-bit WAV, neither scaled nor normalised.

    Parameters
    ----------
    path : str or Path
        The file, which is replaced where it exists.
    samples : ndarray of float32, shape (samples,)
        Full scale is 1: what is beyond is clipped.
    sample_rate_hz : int
        Their rate in Hz.

    Raises
    ------
    soundfile.LibsndfileError
        Where the file cannot be written.
    """
    soundfile.write(path, np.clip(samples, -1, 1), sample_rate_hz, subtype="PCM_16", format="WAV")


Chunks = Iterator[NDArray[np.float32]]


@contextmanager
def _open(path: Path, limits: Limits, block_s: float = BLOCK_S) -> Iterator[tuple[Header, Chunks]]:
    """A checked header and the chunks, (samples, channels) each."""
    _check_file(path, limits)
    file = open_plain(path, _Forward)
    if file is None:
        with open_foreign(path, block_s, MAX_BLOCK_VALUES) as (values, chunks):
            header = Header(*values)
            _check_header(header, limits, path.name)
            yield header, chunks
        return
    with file:
        header = Header(file.samplerate, file.channels, file.frames / file.samplerate)
        _check_header(header, limits, path.name)
        yield header, _sndfile_chunks(file, block_s, path.name)


class _Forward(soundfile.SoundFile):
    """A file read from front to back, without a seek after every block."""

    def seekable(self) -> bool:
        return False


def open_plain(
    path: Path, kind: type[soundfile.SoundFile] = soundfile.SoundFile
) -> soundfile.SoundFile | None:
    """A file that libsndfile reads in this process; None for one that `decoder` reads.

    What it would take for an mp3 is not shown to it: libmpg123 writes to standard error whatever
    it finds odd. Raises AudioError for a file whose header is damaged, OSError.
    """
    with path.open("rb") as start:
        if start.read(4) not in PLAIN:
            return None
    try:
        return kind(path)
    except soundfile.LibsndfileError as error:
        if error.code == _MALFORMED:
            raise truncated(path.name, 0.0) from error
        return None


_OGG_PAGE_BYTES = 65_307  # the largest page
_MALFORMED = 3  # libsndfile's error code
PLAIN = frozenset({b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b"caff"})


def _check_file(path: Path, limits: Limits) -> None:
    if path.is_dir():
        raise AudioError(f"“{path.resolve().name}” is a folder: choose one sound file in it.")
    if not path.is_file():
        raise AudioError(f"There is no file “{path.name}”: check the name and choose it again.")
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise AudioError(f"“{path.name}” is empty (0 bytes): record or export it again.")
    if limits.max_bytes and n_bytes > limits.max_bytes:
        raise AudioError(
            f"“{path.name}” has {n_bytes / 1e6:.1f} MB and {limits.max_bytes / 1e6:.0f} MB are "
            "accepted here: cut it, or store it as flac, ogg or mp3."
        )


def _check_header(header: Header, limits: Limits, name: str) -> None:
    if header.sample_rate_hz < MIN_RATE_HZ:
        raise AudioError(
            f"“{name}” has a sample rate of {header.sample_rate_hz} Hz, too low to hear anything "
            f"in: export it with {MIN_RATE_HZ} Hz or more."
        )
    if header.duration_s == 0:
        raise AudioError(f"“{name}” holds no sound (zero samples): record or export it again.")
    if limits.max_rate_hz and header.sample_rate_hz > limits.max_rate_hz:
        raise AudioError(
            f"“{name}” has a sample rate of {header.sample_rate_hz:,} Hz and "
            f"{limits.max_rate_hz:,} Hz are accepted here: export it with 48,000 Hz."
        )
    _check_size(round((header.duration_s or 0.0) * header.sample_rate_hz), header, limits, name)


def _check_size(n_samples: int, header: Header, limits: Limits, name: str) -> None:
    _check_duration(n_samples / header.sample_rate_hz, limits, name)
    padding = round(ROUNDING_S * header.sample_rate_hz)
    n_values = (n_samples - padding) * header.n_channels
    if (limits.max_values and n_values > limits.max_values) or (
        limits.max_samples and n_samples - padding > limits.max_samples
    ):
        raise AudioError(
            f"“{name}” has {header.n_channels} channels at {header.sample_rate_hz} Hz, too much "
            "for its length here: export it as mono at 48,000 Hz or less."
        )


def _check_duration(duration_s: float, limits: Limits, name: str) -> None:
    if limits.max_duration_s and duration_s > limits.max_duration_s + ROUNDING_S:
        raise AudioError(
            f"“{name}” lasts {duration_s:.0f} s and {limits.max_duration_s:.0f} s are accepted "
            "here: cut out the part that matters, or run audioclf on your own machine."
        )


def _guarded(chunks: Chunks, header: Header, limits: Limits, name: str) -> Iterator[Samples]:
    """Mono, finite chunks; headers may lie, so what is decoded is counted again."""
    n_samples, any_finite = 0, False
    for chunk in chunks:
        n_samples += len(chunk)
        _check_size(n_samples, header, limits, name)
        any_finite = any_finite or bool(np.isfinite(chunk).any())
        yield mixed(chunk, name)
    if n_samples == 0:
        raise AudioError(f"“{name}” holds no sound (zero samples): record or export it again.")
    if not any_finite:
        raise AudioError(f"“{name}” holds no numbers, only NaN: export it again.")


def mixed(chunk: NDArray[np.float32], name: str) -> Samples:
    """The mean of the channels, (samples, channels) -> (samples,); silence where it is no number.

    Raises AudioError for numbers whose squares would be none.
    """
    mono: Samples = chunk[:, 0] if chunk.shape[1] == 1 else chunk.mean(axis=1, dtype=np.float32)
    finite = np.isfinite(mono)
    peak = float(np.abs(mono, where=finite, out=np.zeros_like(mono)).max(initial=0.0))
    if peak <= MAX_LEVEL and not finite.all():  # inf may be the sum of what is too large
        peak = float(np.abs(np.nan_to_num(chunk, posinf=0.0, neginf=0.0)).max(initial=0.0))
    if peak > MAX_LEVEL:
        raise AudioError(
            f"“{name}” has values up to {peak:.0e} where full scale is 1: export it again."
        )
    return mono if finite.all() else np.where(finite, mono, np.float32(0))


def _sndfile_chunks(file: soundfile.SoundFile, block_s: float, name: str) -> Chunks:
    _check_promise(file, name)
    block_size = max(1, min(int(block_s * file.samplerate), MAX_BLOCK_VALUES // file.channels))
    n_read = 0
    try:
        while len(chunk := file.read(block_size, dtype="float32", always_2d=True)):
            n_read += len(chunk)
            yield chunk
    except soundfile.LibsndfileError as error:
        raise truncated(name, n_read / file.samplerate) from error
    if n_read < 0.98 * file.frames:
        raise truncated(name, n_read / file.samplerate)


def _check_promise(file: soundfile.SoundFile, name: str) -> None:
    """A cut-off wav or aiff is read as a shorter one; libsndfile's log tells the promised size."""
    for promised, actual in re.findall(
        r"^ *(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE
    ):
        if int(actual) < int(promised) < STREAMED:
            raise truncated(name, file.frames / file.samplerate)
    if file.format == "OGG" and not _ends_its_ogg_stream(Path(file.name)):
        raise truncated(name, file.frames / file.samplerate)


def _ends_its_ogg_stream(path: Path) -> bool:
    """Whether the last page is marked as the last (RFC 3533: bit 4 of the page's flags)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _OGG_PAGE_BYTES))
        tail = file.read()
    last = tail.rfind(b"OggS")
    return last < 0 or last + 5 >= len(tail) or bool(tail[last + 5] & 4)
