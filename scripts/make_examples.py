"""Make the page's example sounds from noise, sines and envelopes; nothing here was recorded.

Run it as `python scripts/make_examples.py [FOLDER]`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal

RATE_HZ = 44_100
SECONDS = 6.0
FOLDER = Path(__file__).parent.parent / "audioclf" / "ui" / "assets" / "examples"

Sound = NDArray[np.float64]  # (samples,)


def times(seconds: float = SECONDS) -> Sound:
    """The time of every sample."""
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def noise(rng: np.random.Generator, low_hz: float, high_hz: float, n: int) -> Sound:
    """White noise through a band-pass."""
    band = signal.butter(2, [low_hz, high_hz], "bandpass", fs=RATE_HZ, output="sos")
    return signal.sosfilt(band, rng.normal(size=n))


def add(sound: Sound, piece: Sound, at_s: float) -> None:
    """Mix a piece into a sound, from a time on."""
    first = round(at_s * RATE_HZ)
    last = min(len(sound), first + len(piece))
    sound[first:last] += piece[: last - first]


def rain(rng: np.random.Generator) -> Sound:
    """A hiss, and a few thousand drops on it."""
    sound = 0.25 * noise(rng, 400, 14_000, len(times()))
    for at_s in rng.uniform(0, SECONDS, 2_500):
        drop = times(rng.uniform(0.002, 0.008))
        pitch_hz = rng.uniform(1_500, 9_000)
        add(
            sound,
            rng.exponential(0.12) * np.sin(2 * np.pi * pitch_hz * drop) * np.exp(-drop * 700),
            at_s,
        )
    return sound


def clock(rng: np.random.Generator) -> Sound:
    """Tick and tock in turn, two a second, in a quiet room."""
    sound = 0.0006 * noise(rng, 100, 6_000, len(times()))
    for number, at_s in enumerate(np.arange(0.2, SECONDS - 0.1, 0.5)):
        t = times(0.05)
        pitch_hz = 3_400 if number % 2 else 2_700
        click = noise(rng, 1_500, 12_000, len(t)) * np.exp(-t * 500)
        add(sound, 0.5 * click + 0.4 * np.sin(2 * np.pi * pitch_hz * t) * np.exp(-t * 220), at_s)
    return sound


def siren(rng: np.random.Generator) -> Sound:
    """A tone with harmonics that rises and falls every two seconds."""
    t = times()
    pitch_hz = 850 + 350 * np.sin(2 * np.pi * t / 2)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    tone = sum(np.sin(k * phase) / k**1.5 for k in range(1, 6))
    return 0.4 * tone + 0.01 * rng.normal(size=len(t))


def sea_waves(rng: np.random.Generator) -> Sound:
    """Low noise that swells and breaks into hiss."""
    t = times()
    swell = (0.5 - 0.5 * np.cos(2 * np.pi * t / 3.2)) ** 2
    late = (0.5 - 0.5 * np.cos(2 * np.pi * (t - 0.5) / 3.2)) ** 4
    low, high = noise(rng, 80, 900, len(t)), noise(rng, 900, 9_000, len(t))
    return (0.12 + swell) * low + 0.5 * (0.05 + late) * high


def chainsaw(rng: np.random.Generator) -> Sound:
    """An engine's harmonics that rev up under load every three seconds, and roughen."""
    t = times()
    slow = signal.butter(2, 1.5, fs=RATE_HZ, output="sos")
    wander_hz = 25 * signal.sosfilt(slow, rng.normal(size=len(t))) * 40
    load = 0.5 + 0.5 * np.tanh(6 * np.sin(2 * np.pi * t / 3))
    phase = 2 * np.pi * np.cumsum(110 + wander_hz + 60 * load) / RATE_HZ
    engine = sum(np.sin(k * phase + k * k) / k**0.8 for k in range(1, 60))
    chips = noise(rng, 1_500, 10_000, len(t)) * (1 + np.sin(phase))
    return 0.15 * engine * (0.6 + 0.4 * load) + 0.03 * chips


def knocking_in_noise(rng: np.random.Generator) -> Sound:
    """Three knocks, a pause, three knocks, under steady fan noise: for denoising and splitting."""
    t = times()
    sound = 0.02 * noise(rng, 60, 3_000, len(t)) + 0.004 * np.sin(2 * np.pi * 120 * t)
    for at_s in (1.0, 1.35, 1.7, 3.9, 4.25, 4.6):
        knock = times(0.15)
        body = sum(np.sin(2 * np.pi * f * knock) for f in (180, 310, 520))
        add(sound, 0.35 * body * np.exp(-knock * 45), at_s)
    return sound


AUDIO_SUFFIXES: tuple[Callable[[np.random.Generator], Sound], ...] = (
    rain,
    clock,
    siren,
    sea_waves,
    chainsaw,
    knocking_in_noise,
)


def main(folder: Path) -> None:
    """Write every sound as Ogg Vorbis, its loudest sample at half of full scale."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, make in enumerate(AUDIO_SUFFIXES):
        sound = make(np.random.default_rng(number))
        fade = np.minimum(1, np.minimum(times(), times()[::-1]) / 0.02)
        sound = 0.5 * fade * sound / np.abs(sound).max()
        path = folder / f"{make.__name__}.ogg"
        soundfile.write(path, sound, RATE_HZ, format="OGG", subtype="VORBIS")
        print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
