"""What a feature of a sound looks like: values, colours and axes, ready to be drawn.

One picture per channel. Each kind of value has its own colours: levels are seen from the loudest
down, phases go round a circle, and what lies around zero has two colours with nothing between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf import features
from audioclf.audio.io import Samples
from audioclf.features import Channel, SpectrogramConfig
from audioclf.features.modulation import FLOOR_DB as RATIO_FLOOR_DB
from audioclf.ui.plotting import ticks as axes

COLOUR_MAPS = ("magma", "viridis", "cividis", "inferno", "gray", "gray_r")
CIRCLE, TWO_SIDED = "twilight", "RdBu_r"
MAX_COLUMNS = 1_600
QUIETEST_DB = -20.0  # what is softer than this everywhere is silence, and is painted so
MIN_BAND_BINS = 8  # of the FFT
NOTES_PER_OCTAVE = 24  # of the constant-Q transform, when it is shown alone
DB_PER_NEPER = 20 / np.log(10)
MOST = 98.0  # percent of the values of a two-sided picture that its colours tell apart


@dataclass(frozen=True)
class View:
    """Which feature is shown, and how."""

    feature: str = "mel"
    low_hz: float = 0.0
    high_hz: float = 0.0  # 0: up to half the sample rate
    range_db: float = 80.0
    colour_map: str = "magma"

    def __post_init__(self) -> None:
        if features.feature(self.feature).is_waveform:
            raise ValueError("The waveform has a lane of its own: choose another feature.")
        if self.colour_map not in COLOUR_MAPS:
            raise ValueError(f"Choose one of the colour maps {', '.join(COLOUR_MAPS)}.")
        if not 10 <= self.range_db <= 200:
            raise ValueError("The range must lie between 10 and 200 dB: choose another.")

    def analysis(self, sample_rate_hz: int) -> SpectrogramConfig:
        """Frames of about 46 ms and the chosen band. Raises ValueError for an empty band."""
        n_fft = 1_024 if sample_rate_hz <= 24_000 else 2_048
        nyquist_hz = sample_rate_hz / 2
        high_hz = min(self.high_hz, nyquist_hz) if self.high_hz else nyquist_hz
        if not self.low_hz < high_hz:
            raise ValueError(
                f"Nothing lies between {self.low_hz:.0f} and {high_hz:.0f} Hz: choose a lower "
                "start or a higher end."
            )
        n_fft_bins = int((high_hz - self.low_hz) / sample_rate_hz * n_fft)
        if n_fft_bins < MIN_BAND_BINS:
            raise ValueError(
                f"A band of {high_hz - self.low_hz:.0f} Hz is too narrow to show: choose "
                f"{MIN_BAND_BINS * sample_rate_hz / n_fft:.0f} Hz or more."
            )
        n_bins = min(n_fft_bins, self._n_bins(high_hz))
        return SpectrogramConfig(sample_rate_hz, n_fft, n_fft // 4, n_bins, self.low_hz, high_hz)

    def _n_bins(self, high_hz: float) -> int:
        """Enough to show what there is, and no more than a network sees where that is settled."""
        if self.feature in ("stft", "complex", "polar"):
            return 512
        if self.feature == "cqt":
            octaves = np.log2(high_hz / max(self.low_hz, 32.0))
            return max(12, int(NOTES_PER_OCTAVE * octaves))
        return 40 if self.feature == "summary_grid" else 128


class Picture(NamedTuple):
    """One channel of a feature, ready to be drawn."""

    title: str
    values: NDArray[np.float32]  # (bins, columns)
    low: float  # the values at both ends of the colours
    high: float
    colour_map: str
    scale: str  # what the colours stand for
    axis_name: str  # what the height stands for
    channel: Channel
    analysis: SpectrogramConfig
    duration_s: float
    loudest_db: float = 0.0  # what 0 dB stands for, where it is a level

    def ticks(self, n_ticks: int) -> list[tuple[float, str]]:
        """Heights from 0 to 1 and their words, about `n_ticks` at most."""
        return axes.ticks(self.channel.axis, self.analysis, len(self.values), n_ticks)


def pictures(
    blocks: Iterable[Samples],
    sample_rate_hz: int,
    duration_s: float,
    view: View,
    references_db: Sequence[float] | None = None,
) -> list[Picture]:
    """A feature of a sound that comes in blocks, one picture per channel.

    At most MAX_COLUMNS wide. Where several frames share a column it shows the strongest (short
    calls stay visible), of phases the first, of coefficients and chroma the mean. 0 dB is the
    loudest point, or each channel's of `references_db`. Raises ValueError where the band cannot
    give that feature.
    """
    analysis = view.analysis(sample_rate_hz)
    definition = features.feature(view.feature)
    n_frames = analysis.n_frames(round(duration_s * sample_rate_hz))
    per_column = -(-n_frames // MAX_COLUMNS)
    columns: list[NDArray[np.float32]] = []
    rest = np.zeros((0, definition.n_bins(analysis), len(definition.channels)), np.float32)
    for part in features.stream(view.feature, blocks, analysis):
        frames = np.concatenate([rest, part])
        n_whole = len(frames) // per_column
        full_columns, rest = np.split(frames, [n_whole * per_column])
        columns.append(
            _joined(full_columns.reshape(n_whole, per_column, *frames.shape[1:]), definition)
        )
    if len(rest):
        columns.append(_joined(rest[None], definition))
    values = np.moveaxis(np.concatenate(columns), 0, 1)  # (bins, columns, channels)
    return [
        _picture(
            values[..., number],
            channel,
            view,
            analysis,
            duration_s,
            references_db[number] if references_db else None,
        )
        for number, channel in enumerate(definition.channels)
    ]


def _joined(groups: NDArray[np.float32], definition: features.Feature) -> NDArray[np.float32]:
    """The frames of a column as one, (columns, frames, bins, n) -> (columns, bins, n)."""
    if groups.shape[1] == 1:
        return groups[:, 0]
    return np.stack(
        [
            _one_of(groups[..., number], channel.unit)
            for number, channel in enumerate(definition.channels)
        ],
        axis=-1,
    )


def _one_of(groups: NDArray[np.float32], unit: str) -> NDArray[np.float32]:
    if unit == "rad":
        return groups[:, 0]
    if unit in ("coefficient", "mixed", "ratio", "share"):
        return groups.mean(axis=1)
    low, high = groups.min(axis=1), groups.max(axis=1)
    return np.where(-low > high, low, high) if unit == "amplitude" else high


def _picture(
    values: NDArray[np.float32],
    channel: Channel,
    view: View,
    analysis: SpectrogramConfig,
    duration_s: float,
    reference_db: float | None,
) -> Picture:
    """Values as they are painted, and the colours that suit their unit."""
    unit, loudest_db = channel.unit, 0.0
    if unit == "Np":
        unit, values = "dB", values * np.float32(DB_PER_NEPER)
    if unit == "dB":
        loudest_db = reference_db if reference_db is not None else _loudest(values)
        values = values - np.float32(loudest_db)
        colours = (-view.range_db, 0.0, view.colour_map, "Level (dB below the loudest)")
    elif unit == "rad":
        colours = (-np.pi, np.pi, CIRCLE, "Phase (rad)")
    elif unit == "share":
        colours = (0.0, 1.0, view.colour_map, "Strength (0 to 1)")
    elif unit == "ratio":
        colours = (RATIO_FLOOR_DB, 0.0, view.colour_map, "Share that goes up and down (dB)")
    elif unit == "mixed":
        spread = values.std(axis=1, keepdims=True)
        centred = values - values.mean(axis=1, keepdims=True)
        values = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-6)
        colours = (-3.0, 3.0, TWO_SIDED, "Deviations from the row's mean")
    else:
        limit = float(np.percentile(np.abs(values), MOST)) or float(np.abs(values).max()) or 1.0
        colours = (-limit, limit, TWO_SIDED, unit.capitalize())
    return Picture(
        channel.title, values, *colours, channel.axis.label, channel, analysis, duration_s,
        loudest_db,
    )  # fmt: skip


def _loudest(values: NDArray[np.float32]) -> float:
    return max(float(np.max(values)), QUIETEST_DB)
