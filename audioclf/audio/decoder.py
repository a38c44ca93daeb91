"""Files that are decoded in a process of their own, with limits of memory and time.

A file that crashes its codec costs its own request. Starting a process takes a few tenths of a
second, so one that has done its work is asked again, but for files of the same folder alone: what
a file did to it reaches nobody else's.
"""

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf.audio.errors import AudioError

HeaderValues = tuple[int, int, float | None]  # rate in Hz, channels, seconds or None
Chunks = Iterator[NDArray[np.float32]]

MEMORY_BYTES = 700_000_000  # beyond what the process takes before it opens a file
PATIENCE_S = 30.0  # without a single sample
MOST_IDLE = 2
MAX_CHANNELS, MAX_RATE_HZ = 1_024, 100_000_000
MAX_LINE_BYTES, MAX_PART_BYTES = 10_000, 1 << 26
GO_ON, CLOSE = b"go on\n", b"close\n"
_ROOT = Path(__file__).parents[2]


class _DecoderError(Exception):
    """The process is gone, stuck, or says what none would say."""


class _Decoder:
    """One process, and the folder whose files it has seen."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "audioclf.audio.decoder_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where libmpg123 notes every odd frame
            cwd=_ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            bufsize=0,
        )
        self._received = bytearray()

    def ask(self, request: bytes) -> None:
        """Send a line. Raises _DecoderError."""
        try:
            self._pipe("stdin").write(request)
        except OSError as error:
            raise _DecoderError("crashed") from error

    def line(self) -> dict[str, Any]:
        """A line of JSON. Raises _DecoderError."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > MAX_LINE_BYTES:
                raise _DecoderError("crashed")
            self._receive()
        try:
            message = json.loads(self._take(end + 1))
        except ValueError as error:
            raise _DecoderError("crashed") from error
        if not isinstance(message, dict):
            raise _DecoderError("crashed")
        return message

    def part(self) -> bytes:
        """The next samples; nothing after the last. Raises _DecoderError."""
        n_bytes = int.from_bytes(self._take(4), "little")
        if n_bytes > MAX_PART_BYTES:
            raise _DecoderError("crashed")
        return self._take(n_bytes)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for name in ("stdin", "stdout"):
            with suppress(OSError):
                self._pipe(name).close()

    def _take(self, n_bytes: int) -> bytes:
        while len(self._received) < n_bytes:
            self._receive()
        part = bytes(self._received[:n_bytes])
        del self._received[:n_bytes]
        return part

    def _receive(self) -> None:
        pipe = self._pipe("stdout")
        if sys.platform != "win32":  # which cannot wait for a pipe
            with selectors.DefaultSelector() as selector:
                selector.register(pipe, selectors.EVENT_READ)
                if not selector.select(PATIENCE_S):
                    raise _DecoderError("took too long")
        if not (received := pipe.read(1 << 18)):
            raise _DecoderError("crashed")
        self._received += received

    def _pipe(self, name: str) -> Any:
        return getattr(self._process, name)


_idle: deque[_Decoder] = deque()
_lock = threading.Lock()


@contextmanager
def open_foreign(
    path: Path, block_s: float, max_values: int
) -> Iterator[tuple[HeaderValues, Chunks]]:
    """The header of a file and its chunks, (samples, channels) of about `block_s` seconds each,
    and of about `max_values` numbers at most. Raises AudioError.
    """
    path = Path(os.path.abspath(path))
    decoder, answer = _ask(path)
    if "header" not in answer:
        _give_back(decoder)
        raise AudioError(str(answer.get("error"))[:500])
    try:
        header = _judged(answer["header"], path.name)
    except AudioError:
        decoder.end()
        raise
    block_samples = max(1, min(int(block_s * header[0]), max_values // header[1]))
    decoded = _Decoded(decoder, header[1], block_samples, path.name)
    try:
        yield header, decoded.chunks()
    finally:
        decoded.close()


class _Decoded:
    """What comes out of a decoder that opened a file."""

    def __init__(self, decoder: _Decoder, n_channels: int, block_samples: int, name: str) -> None:
        self._is_begun = self._is_whole = False
        self._decoder, self._n_channels = decoder, n_channels
        self._block_bytes, self._name = 4 * n_channels * block_samples, name

    def chunks(self) -> Chunks:
        """(samples, channels) each; raises AudioError."""
        self._is_begun = True
        try:
            self._decoder.ask(GO_ON)
            pending = bytearray()
            while part := self._decoder.part():
                pending += part
                while len(pending) >= self._block_bytes:
                    yield self._as_samples(pending[: self._block_bytes])
                    del pending[: self._block_bytes]
            if pending:
                yield self._as_samples(pending)
            result = self._decoder.line()
        except _DecoderError as error:
            raise _broken(self._name, error) from error
        self._is_whole = True
        if "error" in result:
            raise AudioError(str(result["error"])[:500])

    def close(self) -> None:
        """Keep the process for the next file, if it waits for one; else end it."""
        if not self._is_begun:
            with suppress(_DecoderError):
                self._decoder.ask(CLOSE)
        if self._is_whole or not self._is_begun:
            _give_back(self._decoder)
        else:
            self._decoder.end()

    def _as_samples(self, pending: bytearray) -> NDArray[np.float32]:
        if len(pending) % (4 * self._n_channels):
            raise _DecoderError("crashed")
        return np.frombuffer(pending, np.float32).reshape(-1, self._n_channels)


def _ask(path: Path) -> tuple[_Decoder, dict[str, Any]]:
    """A decoder that was asked for a file, and its answer; one that died while idle is replaced."""
    request = json.dumps({"path": os.fspath(path), "memory_bytes": MEMORY_BYTES}).encode() + b"\n"
    decoder = _take_idle(path.parent)
    if decoder:
        try:
            decoder.ask(request)
            return decoder, decoder.line()
        except _DecoderError:
            decoder.end()
    decoder = _Decoder()
    decoder.folder = path.parent
    try:
        decoder.ask(request)
        return decoder, decoder.line()
    except _DecoderError as error:
        decoder.end()
        raise _broken(path.name, error) from error


def _take_idle(folder: Path) -> _Decoder | None:
    """One that has seen this folder alone, or nothing yet."""
    with _lock:
        for wanted_folder in (folder, None):
            for decoder in _idle:
                if decoder.folder == wanted_folder:
                    _idle.remove(decoder)
                    decoder.folder = folder
                    return decoder
    return None


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)
        old = _idle.popleft() if len(_idle) > MOST_IDLE else None
    if old:
        old.end()


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.popleft().end()


def _forget() -> None:
    """After a fork: whoever was forked does not share the processes of its parent."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _judged(header: Any, name: str) -> HeaderValues:
    """The header, which a process that was taken over might have made up. Raises AudioError."""
    try:
        rate_hz, n_channels, duration_s = header
        is_header = (
            isinstance(rate_hz, int)
            and isinstance(n_channels, int)
            and 0 < rate_hz <= MAX_RATE_HZ
            and 0 < n_channels <= MAX_CHANNELS
            and (duration_s is None or 0 <= duration_s < float("inf"))
        )
    except (TypeError, ValueError):
        is_header = False
    if not is_header:
        raise _broken(name, _DecoderError("crashed"))
    return rate_hz, n_channels, duration_s


def _broken(name: str, error: _DecoderError) -> AudioError:
    return AudioError(
        f"“{name}” cannot be decoded (its decoder {error}): export it again as wav or flac."
    )
