"""Recordings made of real clips, with the truth of what is heard when; and made noises.

A mixture has three to five sounds in a row with gaps of 0.3 to 2 s between them, one in four
begins up to a second before the one before it has ended, over pink noise 20 to 30 dB below. A
sound is up to five seconds of a clip from its first loud moment on, and its truth are the parts of
the *clip* within 40 dB of its loudest moment, with pauses below a second bridged: neither the
noise nor a model has a say in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import signal

from audioclf.audio import io, silence
from audioclf.audio.io import Samples
from audioclf.datasets.dataset import Dataset
from audioclf.inference.events import Event

RATE_HZ = 44_100
LEVELS_DB = (-26.0, -16.0)  # RMS of a sound's active parts
ACTIVE = silence.Split(top_db=40.0, min_length_s=0.1, min_gap_s=1.0)


@dataclass(frozen=True)
class Mixture:
    """Samples at 44.1 kHz, and the events in them."""

    samples: Samples
    truth: tuple[Event, ...]


def recordings(data: Dataset, half: int) -> dict[str, list[Path]]:
    """The clips of every other recording of each class; half 0 and half 1 share no recording."""
    clips: dict[str, list[Path]] = {}
    for name in data.classes:
        paths = sorted(clip.path for clip in data.clips if clip.label == name)
        sources = sorted({recording(path) for path in paths})[half::2]
        clips[name] = [path for path in paths if recording(path) in sources]
    return clips


def recording(path: Path) -> str:
    """The recording that a clip of ESC-10 was cut from: the second part of its name."""
    return path.stem.split("-")[1]


def make_mixtures(clips: dict[str, list[Path]], n: int, seed: int) -> list[Mixture]:
    """So many mixtures of these clips."""
    rng = np.random.default_rng(seed)
    return [make_mixture(clips, rng) for _ in range(n)]


def make_mixture(clips: dict[str, list[Path]], rng: np.random.Generator) -> Mixture:
    """One mixture: classes are drawn without repetition."""
    names = rng.choice(sorted(clips), rng.integers(3, 6), replace=False)
    now_s, end_s = rng.uniform(0.3, 2.0), 0.0
    placed: list[tuple[float, Samples]] = []
    truth: list[Event] = []
    for name in names:
        sound, parts = cut_sound(clips[name][rng.integers(len(clips[name]))], rng)
        placed.append((now_s, sound))
        truth += [Event(str(name), now_s + start, now_s + end, 1.0) for start, end in parts]
        end_s = max(end_s, now_s + len(sound) / RATE_HZ)
        gap_s = rng.uniform(-1.0, 0.0) if rng.random() < 0.25 else rng.uniform(0.3, 2.0)
        now_s = max(0.0, now_s + len(sound) / RATE_HZ + gap_s)
    samples = np.zeros(round((end_s + rng.uniform(0.3, 2.0)) * RATE_HZ), np.float32)
    for start_s, sound in placed:
        first = round(start_s * RATE_HZ)
        samples[first : first + len(sound)] += sound
    snr_db = rng.uniform(20, 30)
    return Mixture(with_noise(samples, pink(len(samples), rng), snr_db), tuple(truth))


def cut_sound(path: Path, rng: np.random.Generator) -> tuple[Samples, Sequence[Sequence[float]]]:
    """Two to five seconds of a clip from its first loud moment on, and its active parts."""
    samples, _ = io.load(path, RATE_HZ)
    parts = silence.split(samples, RATE_HZ, ACTIVE)
    start_s = float(parts[0, 0])
    sound = silence.cut(samples, RATE_HZ, start_s, start_s + rng.uniform(2.0, 5.0))
    parts = silence.split(sound, RATE_HZ, ACTIVE)
    sound = silence.cut(sound, RATE_HZ, 0.0, float(parts[-1, 1]))
    active = silence.join(sound, RATE_HZ, parts)
    gain = 10 ** (rng.uniform(*LEVELS_DB) / 20) / np.sqrt(np.mean(active**2))
    fade = min(len(sound) // 4, RATE_HZ // 50)  # 20 ms: a cut is no click
    sound = sound * np.float32(gain)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.clip(sound, -1, 1), parts.tolist()


def with_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """A sound with noise so many dB below it, both as RMS, never beyond full scale."""
    power = np.mean(samples**2) / max(float(np.mean(noise**2)), 1e-20)
    mixed = samples + noise * np.float32(np.sqrt(power * 10 ** (-snr_db / 10)))
    return (mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32)


def white(n_samples: int, rng: np.random.Generator) -> Samples:
    """White noise."""
    return rng.normal(size=n_samples).astype(np.float32)


def pink(n_samples: int, rng: np.random.Generator) -> Samples:
    """Noise whose power falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, n_samples).astype(np.float32)


def hum(n_samples: int, rng: np.random.Generator) -> Samples:
    """Mains hum: 50 Hz and its harmonics, each at random phase, falling by 4 dB a harmonic."""
    times_s = np.arange(n_samples) / RATE_HZ
    tones = [
        10 ** (-4 * k / 20) * np.sin(2 * np.pi * (50 * k * times_s + rng.random()))
        for k in range(1, 13)
    ]
    return np.sum(tones, axis=0).astype(np.float32)


def babble(n_samples: int, rng: np.random.Generator) -> Samples:
    """Babble-like noise: twelve voices of pulses at 90 to 250 Hz through two moving formants."""
    total = np.zeros(n_samples)
    for _ in range(12):
        total += _voice(n_samples, rng)
    return total.astype(np.float32)


def _voice(n_samples: int, rng: np.random.Generator) -> Samples:
    """Syllables of 0.1 to 0.3 s with pauses, at one voice's pitch."""
    voice, first, pitch_hz = np.zeros(n_samples), 0, rng.uniform(90, 250)
    while first < n_samples:
        size = min(round(rng.uniform(0.1, 0.3) * RATE_HZ), n_samples - first)
        phase = np.cumsum(pitch_hz * rng.uniform(0.9, 1.1) * np.ones(size) / RATE_HZ)
        pulses = np.diff(np.floor(phase), prepend=0) + 0.02 * rng.normal(size=size)
        for formant_hz in (rng.uniform(300, 900), rng.uniform(900, 2_600)):
            b, a = signal.iirpeak(formant_hz, formant_hz / 120, RATE_HZ)
            voice[first : first + size] += signal.lfilter(b, a, pulses) * np.hanning(size)
        first += size + round(rng.exponential(0.08) * RATE_HZ)
    return voice


NOISES = {"white": white, "hum": hum, "babble": babble}
