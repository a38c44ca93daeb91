"""Figures, images and outlines of sounds, and the colour of a class.

Figures are made without pyplot's shared state, on a transparent ground, with text that reads on
light and dark. matplotlib is imported when the first picture is drawn, not when the app starts.
"""

import base64
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import Samples
from audioclf.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#7a828e"  # reads on white and on near-black

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


def png_url(drawn: Picture) -> str:
    """The bare picture as a data URL, one pixel per column and bin, low bins below."""
    import matplotlib.image

    file = io.BytesIO()
    matplotlib.image.imsave(
        file, drawn.values, cmap=drawn.colour_map, vmin=drawn.low, vmax=drawn.high,
        origin="lower", format="png",
    )  # fmt: skip
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def spectrogram_figure(drawn: Sequence[Picture], height_inch: float = 3.2) -> "Figure":
    """Titled pictures under each other on the same time axis, each with its colour bar."""
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(9, height_inch * len(drawn)), dpi=160, layout="constrained")
        axes = np.atleast_1d(figure.subplots(len(drawn), 1, sharex=True))
        for ax, picture in zip(axes, drawn, strict=True):
            image = _draw(ax, picture)
            ax.set_title(picture.title, loc="left", fontsize=9)
            figure.colorbar(image, ax=ax, label=picture.scale, pad=0.01, aspect=30)
        axes[-1].set_xlabel("Time (s)")
    figure.patch.set_alpha(0)
    return figure


def _draw(ax: Any, drawn: Picture) -> Any:
    image = ax.imshow(
        drawn.values, origin="lower", aspect="auto", interpolation="nearest",
        extent=(0, drawn.duration_s, 0, 1), cmap=drawn.colour_map, vmin=drawn.low, vmax=drawn.high,
    )  # fmt: skip
    ticks = drawn.ticks(8)
    ax.set_yticks([height for height, _ in ticks], [label for _, label in ticks])
    ax.set_ylabel(drawn.axis_name)
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
