"""Augmentation of a clip's waveform: what another recording of the same source could be.

Small functions on (samples,) mono; what is random comes from the generator that is handed in.
Augmented copies of training clips are made once, before their features, which are kept on disk.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np

from audioclf.audio import io
from audioclf.audio.io import Samples

SPEED_STEPS = 100  # speeds are hundredths: ratios that resampling is quick at


@dataclass(frozen=True)
class WaveformAugmentation:
    """How many augmented copies of a clip are made, and how strongly; zero switches one off."""

    count: int = 3  # copies, in addition to the clip itself
    speed: float = 0.25  # tape speed, pitch and time together, from 1 / (1 + speed) to 1 + speed
    stretch: float = 0.0  # time alone, in the same way; a phase vocoder takes its time
    semitones: float = 0.0  # pitch alone, up and down by up to this
    snr_db: float = 40.0  # noise as loud as this below the clip, or softer by up to 20 dB; 0: none
    gain_db: float = 0.0  # louder or softer by up to this; features are made louder more cheaply

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise ValueError(
                "The number of augmented copies and their strength cannot be negative: choose 0 or "
                "more."
            )

    def key(self, number: int) -> str:
        """The cache key of the augmented copy of that number (0: the clip itself)."""
        if number == 0:
            return ""
        settings = {**asdict(self), "count": None}
        return hashlib.sha256(json.dumps([settings, number]).encode()).hexdigest()[:8]


def augment_waveform(
    samples: Samples, rate_hz: int, settings: WaveformAugmentation, number: int
) -> Samples:
    """The augmented copy of that number (0: the clip itself), reproducible, (samples,) -> (n,)."""
    if number == 0 or len(samples) < 2:
        return samples
    content = hashlib.sha256(np.ascontiguousarray(samples).tobytes()).digest()[:8]
    rng = np.random.default_rng([number, int.from_bytes(content)])
    augmented = samples
    if settings.speed:
        augmented = speed(augmented, (1 + settings.speed) ** rng.uniform(-1, 1))
    if settings.stretch:
        augmented = time_stretch(augmented, (1 + settings.stretch) ** rng.uniform(-1, 1))
    if settings.semitones:
        augmented = pitch_shift(augmented, rate_hz, rng.uniform(-1, 1) * settings.semitones)
    if settings.gain_db:
        augmented = gain(augmented, rng.uniform(-1, 1) * settings.gain_db)
    if settings.snr_db:
        augmented = noise(augmented, settings.snr_db + rng.uniform(0, 20), rng)
    return shift(augmented, int(rng.integers(len(augmented))))


def gain(samples: Samples, gain_db: float) -> Samples:
    """Louder by that many dB."""
    return samples * np.float32(10 ** (gain_db / 20))


def shift(samples: Samples, n_samples: int) -> Samples:
    """Later by that many samples; what falls off the end comes first."""
    return np.roll(samples, n_samples)


def noise(samples: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
    """With white noise, that many dB below the clip's own power."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    level = np.float32(rms * 10 ** (-snr_db / 20))
    return samples + level * rng.standard_normal(len(samples), np.float32)


def speed(samples: Samples, factor: float) -> Samples:
    """As a tape that runs faster by that factor: shorter and higher."""
    return io.resample(samples, max(1, round(SPEED_STEPS * factor)), SPEED_STEPS)


def time_stretch(samples: Samples, factor: float) -> Samples:
    """Faster by that factor at the same pitch, through a phase vocoder."""
    import librosa

    changed: Samples = librosa.effects.time_stretch(samples, rate=factor)
    return changed


def pitch_shift(samples: Samples, rate_hz: int, semitones: float) -> Samples:
    """Higher by that many semitones at the same length, through a phase vocoder."""
    import librosa

    shifted: Samples = librosa.effects.pitch_shift(samples, sr=rate_hz, n_steps=semitones)
    return shifted
