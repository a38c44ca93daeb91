"""Made sounds, (samples,) float32, and the files that people bring them in."""

import io
import struct
from pathlib import Path

import av
import numpy as np

from audioclf.audio.io import Samples

RATE_HZ = 22_050


def silence(seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Samples:
    """Digital silence, (samples,)."""
    return np.zeros(round(seconds * rate_hz), np.float32)


def sine(
    frequency_hz: float = 1_000.0,
    seconds: float = 1.0,
    rate_hz: int = RATE_HZ,
    *,
    amplitude: float = 0.5,
) -> Samples:
    """A steady tone, (samples,)."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def noise(
    seconds: float = 1.0, rate_hz: int = RATE_HZ, *, amplitude: float = 0.2, seed: int = 0
) -> Samples:
    """White noise, the same for the same seed, (samples,)."""
    drawn = np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))
    return (amplitude * drawn).astype(np.float32)


def clicks(
    seconds: float = 1.0, rate_hz: int = RATE_HZ, *, every_s: float = 0.25, amplitude: float = 0.9
) -> Samples:
    """Single samples that stand out of silence, the first after half of `every_s`, (samples,)."""
    samples = silence(seconds, rate_hz)
    samples[round(every_s / 2 * rate_hz) :: round(every_s * rate_hz)] = amplitude
    return samples


def chirp(
    low_hz: float = 100.0,
    high_hz: float = 10_000.0,
    seconds: float = 1.0,
    rate_hz: int = RATE_HZ,
    *,
    amplitude: float = 0.5,
) -> Samples:
    """A tone that rises evenly from `low_hz` to `high_hz`, (samples,)."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    cycles = low_hz * times_s + (high_hz - low_hz) * times_s**2 / (2 * seconds)
    return (amplitude * np.sin(2 * np.pi * cycles)).astype(np.float32)


def square(frequency_hz: float = 100.0, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Samples:
    """A square wave at full scale, (samples,)."""
    return np.where(sine(frequency_hz, seconds, rate_hz) >= 0, 1, -1).astype(np.float32)


def peak_hz(samples: Samples, rate_hz: int) -> float:
    """The loudest frequency of a sound."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate_hz / len(samples))


# ending: container, codec, the only rate (None: any)
CONTAINERS = {
    ".m4a": ("ipod", "aac", None),
    ".mp4": ("mp4", "aac", None),
    ".aac": ("adts", "aac", None),
    ".webm": ("webm", "libopus", 48_000),
    ".wma": ("asf", "wmav2", 44_100),
}


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def write_container(
    path: Path, samples: Samples, rate_hz: int, options: dict[str, str] | None = None
) -> None:
    """Encode (samples,) or (samples, channels) into the container that the path's ending names.

    `options` are those of ffmpeg's writer: `{"live": "1"}` makes a webm without a duration, as
    browsers record it.
    """
    container_format, codec, only_rate_hz = CONTAINERS[path.suffix]
    if only_rate_hz not in (None, rate_hz):
        raise ValueError(f"{path.suffix} is made at {only_rate_hz} Hz only, not at {rate_hz} Hz.")
    planes = np.ascontiguousarray(np.atleast_2d(samples.T))  # (channels, samples)
    layout = LAYOUTS[len(planes)]
    with av.open(str(path), "w", format=container_format, options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        stream.bit_rate = 128_000
        stream.codec_context.open()  # an encoder's frame size is known from here on
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        frame_size = stream.codec_context.frame_size
        to_encoder = av.AudioResampler(stream.format, layout, rate_hz, frame_size=frame_size)
        for part in [*to_encoder.resample(frame), *to_encoder.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def riff(
    data: bytes,
    *,
    format_tag: int = 1,
    rate_hz: int = RATE_HZ,
    promised_bytes: int | None = None,
) -> bytes:
    """A mono 16-bit WAV by hand, whose header may lie about its format and its size."""
    size = len(data) if promised_bytes is None else promised_bytes
    file = io.BytesIO()
    file.write(struct.pack("<4sI4s", b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE"))
    file.write(struct.pack("<4sIHHIIHH", b"fmt ", 16, format_tag, 1, rate_hz, 2 * rate_hz, 2, 16))
    file.write(struct.pack("<4sI", b"data", size) + data)
    return file.getvalue()
