"""Pictures and drawing data: waveforms, spectrograms, and the colour of a class.

Figures are made without pyplot's shared state, on a transparent ground, with text that reads on
light and dark. matplotlib is imported when the first picture is drawn, not when the app starts.
"""

import base64
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf import features
from audioclf.audio import Samples
from audioclf.features import Analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#7a828e"  # reads on white and on near-black
COLOUR_MAPS = ("magma", "viridis", "cividis", "inferno", "gray", "gray_r")
MAX_COLUMNS = 1_600
QUIETEST_DB = -20.0  # what is softer than this everywhere is silence, and is painted so
MIN_BAND_BINS = 8  # of the FFT

# Told apart by colour-blind people too: Okabe and Ito (2008), then others set apart from them.
OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
PALETTE = (
    *OKABE_ITO,
    *("#8C564B", "#7570B3", "#999933", "#117733", "#AA4499", "#CC6677", "#44AA99", "#88CCEE"),
)


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """One colour per class, from its name: its own of Okabe and Ito's, or the next one free."""
    taken: dict[str, int] = {}
    for name in sorted(classes):
        place = int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(OKABE_ITO)
        free = (p % len(PALETTE) for p in range(place, place + len(PALETTE)))
        taken[name] = next((p for p in free if p not in taken.values()), place)
    return {name: PALETTE[taken[name]] for name in classes}


def envelope(blocks: Iterable[Samples], n_samples: int, n_columns: int = 1_200) -> NDArray:
    """Lowest and highest sample per column, (columns, 2), of a sound that comes in blocks."""
    n_columns = max(1, min(n_columns, n_samples))
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    first = 0
    for block in blocks:
        column = (np.arange(first, first + len(block)) * n_columns) // max(n_samples, 1)
        column = np.minimum(column, n_columns - 1)
        edges = np.flatnonzero(np.diff(column, prepend=-1))
        if len(block):
            np.minimum.at(low, column[edges], np.minimum.reduceat(block, edges))
            np.maximum.at(high, column[edges], np.maximum.reduceat(block, edges))
        first += len(block)
    return np.nan_to_num(np.stack([low, high], axis=1), posinf=0.0, neginf=0.0)


@dataclass(frozen=True)
class View:
    """What of a spectrogram is shown, and how."""

    feature: str = "mel"
    low_hz: float = 0.0
    high_hz: float = 0.0  # 0: up to half the sample rate
    range_db: float = 80.0
    colour_map: str = "magma"

    def __post_init__(self) -> None:
        features.feature(self.feature)
        if self.colour_map not in COLOUR_MAPS:
            raise ValueError(f"Choose one of the colour maps {', '.join(COLOUR_MAPS)}.")
        if not 10 <= self.range_db <= 200:
            raise ValueError("The range must lie between 10 and 200 dB: choose another.")

    def analysis(self, sample_rate_hz: int) -> Analysis:
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
        n_bins = min(n_fft_bins, 128 if self.feature == "mel" else 512)
        return Analysis(sample_rate_hz, n_fft, n_fft // 4, n_bins, self.low_hz, high_hz)


class Picture(NamedTuple):
    """A spectrogram ready to be drawn."""

    values: NDArray[np.float32]  # (bins, columns) in dB, 0 for the loudest
    bins_hz: NDArray[np.floating]  # (bins,)
    duration_s: float
    view: View
    axis: str  # the name of the frequency axis
    loudest_db: float  # what 0 dB stands for


def picture(
    blocks: Iterable[Samples],
    sample_rate_hz: int,
    duration_s: float,
    view: View,
    reference_db: float | None = None,
) -> Picture:
    """The spectrogram of a sound that comes in blocks, at most MAX_COLUMNS wide.

    Where several frames share a column it shows the loudest: short calls stay visible. 0 dB is
    the loudest point, or `reference_db`.
    """
    analysis = view.analysis(sample_rate_hz)
    n_frames = analysis.n_frames(round(duration_s * sample_rate_hz))
    per_column = -(-n_frames // MAX_COLUMNS)
    columns, rest = [], np.zeros((0, analysis.n_bins), np.float32)
    for part in features.stream(view.feature, blocks, analysis):
        frames = np.concatenate([rest, part[..., 0]])
        n_whole = len(frames) // per_column
        whole, rest = np.split(frames, [n_whole * per_column])
        columns.append(whole.reshape(n_whole, per_column, analysis.n_bins).max(axis=1))
    if len(rest):
        columns.append(rest.max(axis=0, keepdims=True))
    values: NDArray[np.float32] = np.concatenate(columns).T
    loudest_db = max(float(np.max(values)), QUIETEST_DB) if reference_db is None else reference_db
    found = features.feature(view.feature)
    bins_hz = found.bins_hz(analysis)
    return Picture(
        values - np.float32(loudest_db), bins_hz, duration_s, view, found.axis, loudest_db
    )


def frequency_ticks(bins_hz: NDArray[np.floating], n_ticks: int) -> list[tuple[float, str]]:
    """Round frequencies: height from 0 to 1 on the bins' axis, and a label."""
    inside = np.zeros(0)
    for mantissas in ((1, 2, 5), np.arange(1, 10, 0.5), np.arange(1, 10, 0.1)):
        round_hz = np.array([m * 10.0**e for e in range(0, 5) for m in mantissas])
        inside = round_hz[(round_hz >= bins_hz[0]) & (round_hz <= bins_hz[-1])]
        if len(inside) >= 3:
            break
    heights = np.interp(inside, bins_hz, (np.arange(len(bins_hz)) + 0.5) / len(bins_hz))
    chosen: list[tuple[float, str]] = []
    for height, hz in sorted(zip(heights, inside, strict=True), reverse=True):
        if not chosen or chosen[-1][0] - height >= 1 / n_ticks:
            chosen.append((float(height), f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz:g} Hz"))
    return chosen


def png_url(drawn: Picture) -> str:
    """The bare picture as a data URL, one pixel per column and bin, low frequencies below."""
    import matplotlib.image

    file = io.BytesIO()
    matplotlib.image.imsave(
        file, drawn.values, cmap=drawn.view.colour_map, vmin=-drawn.view.range_db, vmax=0,
        origin="lower", format="png",
    )  # fmt: skip
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def spectrogram_figure(pictures: dict[str, Picture], height_inch: float = 3.2) -> "Figure":
    """Titled spectrograms under each other with the same time and colour axes."""
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(9, height_inch * len(pictures)), dpi=160, layout="constrained")
        axes = np.atleast_1d(figure.subplots(len(pictures), 1, sharex=True))
        for ax, (title, drawn) in zip(axes, pictures.items(), strict=True):
            image = _draw_spectrogram(ax, drawn)
            ax.set_title(title, loc="left", fontsize=9)
        axes[-1].set_xlabel("Time (s)")
        figure.colorbar(
            image, ax=list(axes), label="Level (dB below the loudest)", pad=0.01, aspect=30
        )
    figure.patch.set_alpha(0)
    return figure


def _draw_spectrogram(ax: Any, drawn: Picture) -> Any:
    n_bins = len(drawn.bins_hz)
    image = ax.imshow(
        drawn.values, origin="lower", aspect="auto", interpolation="nearest",
        extent=(0, drawn.duration_s, 0, n_bins), cmap=drawn.view.colour_map,
        vmin=-drawn.view.range_db, vmax=0,
    )  # fmt: skip
    ticks = frequency_ticks(drawn.bins_hz, 8)
    ax.set_yticks([height * n_bins for height, _ in ticks], [label for _, label in ticks])
    ax.set_ylabel(drawn.axis.replace("(Hz)", "").replace("(Hz, ", "(").strip())
    return image


def _style() -> Any:
    import matplotlib

    ink: tuple[Any, ...] = (
        "text.color",
        "axes.labelcolor",
        "axes.edgecolor",
        "xtick.color",
        "ytick.color",
    )
    return matplotlib.rc_context({**dict.fromkeys(ink, INK), "font.size": 9})
