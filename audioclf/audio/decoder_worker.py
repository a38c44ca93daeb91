"""A process that decodes for another: a codec that crashes ends it, and nothing else.

It reads a file per line (JSON) on standard input, and answers on standard output with a header
(JSON); when asked to go on, with the samples (each part after its length in bytes) and a result.
Started with `python -m audioclf.audio.decoder_worker`. It ends when its input does, or when nobody
asks for a while.
"""

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":  # which has no such limits
    import resource

import psutil
import soundfile

from audioclf.audio.errors import AudioError, truncated
from audioclf.audio.pyav_reader import HeaderValues, open_container

MALFORMED, UNRECOGNISED = 3, 1  # libsndfile's error codes
PART_VALUES = 1 << 16
IDLE_S = 60.0
GO_ON, CLOSE = b"go on\n", b"close\n"
CPU_S = 20  # beyond the length of what is decoded already


class Forward(soundfile.SoundFile):
    """A file read from front to back: a seek after every block makes an mp3 lose 40 ms there."""

    def seekable(self) -> bool:
        """Never: it is read from front to back."""
        return False


@contextlib.contextmanager
def _open(path: Path) -> Iterator[tuple[HeaderValues, Iterator[bytes]]]:
    """What libsndfile knows through libsndfile, the rest through PyAV."""
    try:
        file = Forward(path)
    except soundfile.LibsndfileError as error:
        if error.code == MALFORMED:
            raise truncated(path.name, 0.0) from error
        with open_container(path, error.code != UNRECOGNISED) as opened:
            yield opened
        return
    with file:
        yield (file.samplerate, file.channels, file.frames / file.samplerate), _parts(file, path)


def _parts(file: soundfile.SoundFile, path: Path) -> Iterator[bytes]:
    n_read, frame_bytes = 0, 4 * file.channels
    part = bytearray(max(1, PART_VALUES // file.channels) * frame_bytes)
    try:
        while n_samples := file.buffer_read_into(part, "float32"):
            n_read += n_samples
            yield bytes(part[: n_samples * frame_bytes])
    except soundfile.LibsndfileError as error:
        raise truncated(path.name, n_read / file.samplerate) from error
    if n_read < 0.98 * file.frames:
        raise truncated(path.name, n_read / file.samplerate)


def _answer(request: dict[str, Any], go_on: Callable[[], bool], out: IO[bytes]) -> None:
    """Decode one file: a header, and when asked to `go_on` the parts and a result."""
    path = Path(request["path"])
    _limit_memory(request["memory_bytes"])
    result, is_open = {}, False
    try:
        with _open(path) as (header, parts):
            _say(out, {"header": header})
            if not go_on():
                return
            is_open = True
            _send(parts, header, out)
    except AudioError as error:
        result = {"error": str(error)}
    except MemoryError:
        result = {"error": f"“{path.name}” takes too much memory to decode: export it as flac."}
    except BrokenPipeError:
        raise
    except (soundfile.SoundFileError, ValueError, OSError):  # PyAV's errors are among them
        result = {"error": f"“{path.name}” cannot be decoded: export it again as wav or flac."}
    if is_open:
        out.write(bytes(4))
    _say(out, result)


def _send(parts: Iterator[bytes], header: HeaderValues, out: IO[bytes]) -> None:
    """The parts, each behind its length; whoever takes longer than the sound lasts is stuck."""
    started_s, n_bytes = sum(os.times()[:2]), 0
    bytes_per_s = 4 * header[0] * header[1]
    _limit_cpu(started_s + CPU_S)
    for part in parts:
        out.write(len(part).to_bytes(4, "little"))
        out.write(part)
        n_bytes += len(part)
        _limit_cpu(started_s + CPU_S + n_bytes / bytes_per_s)


def _say(out: IO[bytes], message: dict[str, Any]) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _limit_memory(n_bytes: int) -> None:
    """As much address space more than is taken now, where the system keeps such a limit."""
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        in_use = psutil.Process().memory_info().vms
        with contextlib.suppress(ValueError):  # the system's own limit is lower
            resource.setrlimit(resource.RLIMIT_AS, (in_use + n_bytes, hard))


def _limit_cpu(seconds: float) -> None:
    """The seconds of processor time after which the system ends this process."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        with contextlib.suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, hard))


def main() -> None:
    """Answer requests until there are no more."""
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 18)
    os.dup2(2, 1)  # what a library prints is no answer
    requests: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in iter(sys.stdin.buffer.readline, b""):
            requests.put(line)
        os._exit(0)  # whoever asked is gone, whatever is being decoded

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            request = json.loads(requests.get(timeout=IDLE_S))
            _limit_cpu(sum(os.times()[:2]) + CPU_S)
            _answer(request, lambda: requests.get() == GO_ON, out)
    finally:  # at once: the thread would be waited for
        os._exit(0)


if __name__ == "__main__":
    main()
