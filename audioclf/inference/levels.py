"""The level of a sound over time, and where it is quiet.

Quiet is absolute (nobody hears it at a usual volume) or relative: far below the loudest moment, or
hardly above the noise floor of a recording whose sounds are much louder than it. What a model says
of such a moment is about nothing. A sound that never stops is no noise floor unless something in
the recording is 25 dB louder.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audioclf.audio.io import Samples

HOP_S = 0.05
SILENT_DB = -120.0  # what silence is given
QUIET_DB = -60.0  # RMS re full scale: below the noise of most microphones
QUIET_BELOW_LOUDEST_DB = 45.0  # a sound that masks what is so far below it
FLOOR_PERCENTILE = 5.0  # of all levels: a recording has pauses of 5 % of its length
ABOVE_FLOOR_DB = 6.0  # noise varies by this much from one 50 ms to the next
FLOOR_BELOW_LOUDEST_DB = 25.0  # from here on the lowest level is a noise floor


@dataclass(frozen=True)
class Levels:
    """RMS levels of consecutive parts of a sound, in dB re full scale, (parts,)."""

    db: NDArray[np.floating]
    duration_s: float
    hop_s: float = HOP_S

    @property
    def quiet_below_db(self) -> float:
        """The level below which this sound is quiet, in dB re full scale."""
        loudest = float(self.db.max(initial=SILENT_DB))
        quiet_db = max(QUIET_DB, loudest - QUIET_BELOW_LOUDEST_DB)
        audible = self.db[self.db >= quiet_db]
        floor = float(np.percentile(audible, FLOOR_PERCENTILE)) if len(audible) else SILENT_DB
        if floor <= loudest - FLOOR_BELOW_LOUDEST_DB:
            quiet_db = max(quiet_db, floor + ABOVE_FLOOR_DB)
        return quiet_db

    def quiet_at(self, times_s: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether the sound is quiet at these times, (times,) -> (times,)."""
        if len(self.db) == 0:
            return np.ones(len(times_s), bool)
        places = np.clip((times_s / self.hop_s).astype(int), 0, len(self.db) - 1)
        quiet: NDArray[np.bool_] = self.db[places] < self.quiet_below_db
        return quiet

    def of_segment(self, start_s: float, end_s: float) -> float:
        """The highest level between two times, in dB re full scale."""
        first = int(max(0.0, start_s) / self.hop_s)
        last = max(first + 1, int(np.ceil(end_s / self.hop_s)))
        return float(self.db[first:last].max(initial=SILENT_DB))


class LevelMeter:
    """Measures the level of a sound that comes in blocks, in memory of 160 bytes per second."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._hop = max(1, round(HOP_S * sample_rate_hz))
        self._rest = np.zeros(0, np.float32)
        self._levels: list[NDArray[np.floating]] = []
        self._n_samples = 0

    def add(self, block: Samples) -> None:
        """The next samples, (samples,)."""
        self._n_samples += len(block)
        samples = np.concatenate([self._rest, np.nan_to_num(block, posinf=0.0, neginf=0.0)])
        n_whole = len(samples) // self._hop * self._hop
        self._levels.append(level_db(samples[:n_whole].reshape(-1, self._hop)))
        self._rest = samples[n_whole:]

    def levels(self) -> Levels:
        """The levels of all blocks so far."""
        last = [level_db(self._rest[None])] if len(self._rest) else []
        db = np.concatenate([*self._levels, *last]) if self._levels or last else np.zeros(0)
        return Levels(db, self._n_samples / self._rate_hz, self._hop / self._rate_hz)


def measure_levels(blocks: Iterable[Samples], sample_rate_hz: int) -> Levels:
    """The levels of a sound that comes in blocks, (samples,) each."""
    meter = LevelMeter(sample_rate_hz)
    for block in blocks:
        meter.add(block)
    return meter.levels()


def level_db(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    """RMS in dB re full scale, (frames, samples) -> (frames,)."""
    power = np.mean(np.square(frames.astype(np.float64)), axis=1)
    return 10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10)))
