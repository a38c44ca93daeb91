"""The constant-Q transform: every bin's filter holds as many periods as every other's.

A filter is a windowed wave, as long as its frequency asks; low ones are long. They are applied
where few samples carry them: at the full rate the high bins, at a quarter of it those below, and so
on, four times fewer samples a level. At each level all frames meet all filters in one matrix
product, and the step down to the next level is one too.

Brown (1991), "Calculation of a constant Q spectral transform", JASA 89(1), 425-434; scaled as
`librosa.cqt`: a filter has unit sum, and its result is multiplied by the root of its length.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audioclf.audio.io import Samples
from audioclf.features.spectrum import SpectrogramConfig, Spectrum, framed

C1_HZ = 440 * 2 ** (-45 / 12)  # 32.7 Hz: a lower filter would last more than a second
HANN_BANDWIDTH = 1.50018310546875  # equivalent noise bandwidth, in bins
STEP = 4  # from one level's rate to the next
PASS, STOP = 0.412, 0.588  # of the lower rate: the band kept, and what would fold into it
ATTENUATION_DB = 80.0
MIN_BINS = 8  # a level for fewer costs more than it saves
N_OUTPUTS = 32  # samples of the lower rate per row of the matrix product


@dataclass(frozen=True)
class Scale:
    """The bins of a transform: `n_bins` from `lowest_hz` up, geometrically spaced."""

    lowest_hz: float
    bins_per_octave: int
    n_bins: int

    @property
    def hz(self) -> NDArray[np.floating]:
        """Centre frequencies, (bins,)."""
        return self.lowest_hz * 2.0 ** (np.arange(self.n_bins) / self.bins_per_octave)

    @property
    def quality(self) -> float:
        """Centre frequency over bandwidth, the same for every bin."""
        ratio = 2.0 ** (2 / self.bins_per_octave)
        return (ratio + 1) / (ratio - 1)

    @property
    def cutoff_hz(self) -> float:
        """Where the highest bin's filter ends."""
        return float(self.hz[-1]) * (1 + HANN_BANDWIDTH / 2 / self.quality)


@lru_cache(maxsize=64)
def scale_of(analysis: SpectrogramConfig) -> Scale:
    """The analysis' bins from its low end, but not below C1: as wide as fits below its high end.

    128 bins up to 11,025 Hz are 16 to the octave, eight octaves from C1. Raises ValueError.
    """
    lowest_hz = max(C1_HZ, analysis.low_hz)
    if analysis.high_hz <= 2 * lowest_hz:
        raise ValueError(
            f"The constant-Q transform starts at {lowest_hz:.0f} Hz and needs an octave or more: "
            f"choose a band that reaches {2 * lowest_hz:.0f} Hz."
        )
    for bins_per_octave in range(1, 32 * analysis.n_bins):
        scale = Scale(lowest_hz, bins_per_octave, analysis.n_bins)
        if scale.hz[-1] <= analysis.high_hz and scale.cutoff_hz <= analysis.sample_rate_hz / 2:
            return scale
    raise ValueError(f"{analysis.n_bins} bins do not fit into that band: choose fewer.")


@dataclass(frozen=True)
class _Level:
    """Bins that are computed at one rate, the file's divided by `factor`."""

    factor: int
    bins: slice
    filters: NDArray[np.float32]  # (samples, 2 * bins): cosines, then sines
    before: int  # samples of the filters before a frame's centre
    margin: int  # samples that this level and those below it need around a frame's centre


def powers(spectrum: Spectrum, scale: Scale) -> NDArray[np.float32]:
    """|CQT|^2, (frames, bins): frames are centred as those of the spectrum."""
    levels = _levels(scale, spectrum.analysis.sample_rate_hz, spectrum.analysis.hop_length)
    n_frames = spectrum.n_frames
    power = np.empty((n_frames, scale.n_bins), np.float32)
    samples, margin = spectrum.samples, spectrum.margin
    for number, level in enumerate(levels):
        if number:
            samples = _quartered(samples, margin - STEP * level.margin)
            margin = level.margin
        hop_length = spectrum.analysis.hop_length // level.factor
        first = margin - level.before
        waves = framed(samples[first:], len(level.filters), hop_length, n_frames) @ level.filters
        np.square(waves, out=waves)
        half = waves.shape[1] // 2
        np.add(waves[:, :half], waves[:, half:], out=power[:, level.bins])
    return power


def margin_of(scale: Scale, analysis: SpectrogramConfig) -> int:
    """Samples that the transform looks at on both sides of a frame's centre."""
    return _levels(scale, analysis.sample_rate_hz, analysis.hop_length)[0].margin


@lru_cache(maxsize=16)
def _levels(scale: Scale, sample_rate_hz: int, hop_length: int) -> tuple[_Level, ...]:
    """From the full rate down; a bin is computed at the lowest rate that carries its filter."""
    ends_hz = scale.hz * (1 + 1.5 / scale.quality)
    factors = np.ones(scale.n_bins, int)
    factor = STEP
    while hop_length % factor == 0:
        fits = ends_hz <= PASS * sample_rate_hz / factor
        if fits.sum() < MIN_BINS:
            break
        factors[fits] = factor
        factor *= STEP
    steps = [STEP**n for n in range(round(math.log(factors.max(), STEP)) + 1)]
    levels: list[_Level] = []
    below = 0  # what the levels below need, in samples of this one
    for factor in reversed(steps):
        at_level = np.flatnonzero(factors == factor)
        bins = slice(int(at_level[0]), int(at_level[-1]) + 1) if len(at_level) else slice(0, 0)
        filters, before = _filters(scale, bins, sample_rate_hz, factor)
        margin = max(before, len(filters) - before, below)
        levels.append(_Level(factor, bins, filters, before, margin))
        below = STEP * margin + len(_lowpass()) // 2
    return tuple(reversed(levels))


def _filters(
    scale: Scale, bins: slice, sample_rate_hz: int, factor: int
) -> tuple[NDArray[np.float32], int]:
    """Filters as columns, (samples, 2 * bins), and how many samples lie before the centre."""
    filters = []
    for hz in scale.hz[bins]:
        length = scale.quality * sample_rate_hz / hz
        first, end = math.floor(-length / 2), math.floor(length / 2)
        times = np.arange(math.ceil(first / factor), math.ceil(end / factor)) * factor
        window = 0.5 - 0.5 * np.cos(2 * np.pi * (times - first) / (end - first))
        window *= math.sqrt(length) / window.sum()
        filters.append((times // factor, window * np.exp(2j * np.pi * hz * times / sample_rate_hz)))
    before = max((-int(times[0]) for times, _ in filters), default=0)
    after = max((int(times[-1]) + 1 for times, _ in filters), default=1)
    columns = np.zeros((before + after, 2, len(filters)), np.float32)
    for number, (times, wave) in enumerate(filters):
        columns[times + before, 0, number] = wave.real
        columns[times + before, 1, number] = wave.imag
    return columns.reshape(before + after, -1), before


@lru_cache(maxsize=1)
def _lowpass() -> NDArray[np.floating]:
    """A symmetric low-pass filter for every fourth sample, (taps,): Kaiser's windowed sinc."""
    width = (STOP - PASS) / STEP  # of the higher rate
    n_half = math.ceil((ATTENUATION_DB - 7.95) / (14.36 * width) / 2)
    times = np.arange(-n_half, n_half + 1)
    window = np.kaiser(len(times), 0.1102 * (ATTENUATION_DB - 8.7))
    taps = np.sinc(times / STEP) * window
    return taps / taps.sum()


@lru_cache(maxsize=1)
def _lowpass_rows() -> NDArray[np.float32]:
    """The filter shifted by four samples per column, (2, row, N_OUTPUTS).

    A row of sound is as long as N_OUTPUTS samples of the lower rate, and a filter reaches into the
    next row: the first half stands for a row, the second for the one after it.
    """
    taps = _lowpass()
    rows = np.zeros((2 * STEP * N_OUTPUTS, N_OUTPUTS), np.float32)
    for column in range(N_OUTPUTS):
        rows[STEP * column : STEP * column + len(taps), column] = taps
    return rows.reshape(2, STEP * N_OUTPUTS, N_OUTPUTS)


def _quartered(samples: Samples, centre: int) -> Samples:
    """Every fourth sample of the low-passed sound, the first at `centre`, to the end."""
    here, beyond = _lowpass_rows()
    source = samples[centre - len(_lowpass()) // 2 :]
    n_outputs = (len(source) - len(_lowpass())) // STEP + 1
    n_rows = -(-n_outputs // N_OUTPUTS) + 1
    padded = np.zeros(n_rows * len(here), np.float32)
    padded[: len(source)] = source[: len(padded)]
    rows = padded.reshape(n_rows, len(here))
    return (rows[:-1] @ here + rows[1:] @ beyond).reshape(-1)[:n_outputs]
