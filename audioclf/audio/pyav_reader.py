"""Sound out of media containers, through PyAV: m4a, mp4, aac, webm, wma.

The container's kind is allowed by list and nothing but the given file is opened: ffmpeg would
otherwise follow a playlist that calls itself sound to other files and addresses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from audioclf.audio.errors import AudioError, truncated

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,aac,ogg,wav,flac,mp3,aiff,caf,amr,avi"
READS = "wav, flac, ogg, mp3, aiff, caf, m4a, aac, mp4, webm or wma"

HeaderValues = tuple[int, int, float | None]


@contextmanager
def open_container(path: Path, is_sound: bool) -> Iterator[tuple[HeaderValues, Iterator[bytes]]]:
    """(rate in Hz, channels, seconds or None) and parts: float32, channel after channel per sample.

    `is_sound`: libsndfile knows the format but not this file, which decides between the two
    sentences “not a sound” and “damaged”. Raises AudioError.
    """
    with path.open("rb") as file:
        try:
            container = av.open(file, "r", options={"format_whitelist": CONTAINERS})
        except (av.FFmpegError, ValueError) as error:
            raise _unreadable(path, is_sound) from error
        with container:
            stream = _audio_stream(container, path.name)
            duration_s = container.duration / av.time_base if container.duration else None
            header = (stream.rate, stream.channels, duration_s)
            yield header, _parts(container, stream, path.name)


def _unreadable(path: Path, is_sound: bool) -> AudioError:
    if is_sound or path.suffix.lower() in {".m4a", ".mp4", ".webm", ".wma", ".aac"}:
        return AudioError(
            f"“{path.name}” is damaged or cut off, and nothing can be decoded: copy or export "
            "it again."
        )
    return AudioError(f"“{path.name}” is not a sound that can be read: choose a {READS} file.")


def _audio_stream(container: av.container.InputContainer, name: str) -> av.AudioStream:
    if not container.streams.audio:
        raise AudioError(f"“{name}” holds no sound track: choose a file with sound.")
    stream = container.streams.audio[0]
    # A stream without a decoder has no context, whatever the type stubs say.
    if stream.codec_context is None or not stream.rate:  # pyright: ignore
        raise AudioError(
            f"“{name}” uses a codec that cannot be decoded here: export it as wav or flac."
        )
    return stream


def _parts(
    container: av.container.InputContainer, stream: av.AudioStream, name: str
) -> Iterator[bytes]:
    """Decoded frames; packed, as planes of more than eight channels are not all found by PyAV."""
    rate_hz, n_samples = stream.rate, 0
    to_float = av.AudioResampler(format="flt", layout=stream.layout, rate=rate_hz)
    try:
        for frame in container.decode(stream):
            for part in to_float.resample(frame):
                n_samples += part.samples
                yield bytes(part.planes[0])[: 4 * part.samples * stream.channels]
    except (av.FFmpegError, ValueError) as error:  # ValueError: another rate or layout on the way
        raise truncated(name, n_samples / rate_hz) from error
    if container.format.name == "aac":  # a bare stream: its duration is ffmpeg's guess
        return
    promised_s = container.duration / av.time_base if container.duration else 0.0
    if n_samples / rate_hz < 0.95 * promised_s - 0.1:
        raise truncated(name, n_samples / rate_hz)
