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

from audioclf.audio.io import Samples
from audioclf.ui.plotting.spectrograms import Picture

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
    positions: dict[str, int] = {}
    left = set(range(len(PALETTE)))
    for name in sorted(classes):
        preferred = int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(OKABE_ITO)
        free = (p % len(PALETTE) for p in range(preferred, preferred + len(PALETTE) * bool(left)))
        positions[name] = next((p for p in free if p in left), preferred)
        left.discard(positions[name])
    return {name: PALETTE[positions[name]] for name in classes}


def palette_colour(number: int) -> str:
    """The colour of a class of that number, from 1 on, whatever other classes there are."""
    return PALETTE[(number - 1) % len(PALETTE)]


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


def confusion_figure(
    confusion: Sequence[Sequence[int]], classes: Sequence[str], title: str
) -> "Figure":
    """Clips by true class (rows) and predicted class (columns): counts; colours are a row's shares.

    confusion: (classes, classes). Cells without clips stay empty, so mistakes stand out.
    """
    from matplotlib.figure import Figure

    counts = np.asarray(confusion, float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _style():
        side_inch = min(max(4.0, 1.6 + 0.38 * len(classes)), 12.0)
        dpi = max(200.0, 1_100 / side_inch)  # twice the place that it has
        figure = Figure(figsize=(side_inch, side_inch), dpi=dpi, layout="constrained")
        ax = figure.subplots()
        edges = np.arange(len(classes) + 1) - 0.5
        some = np.ma.masked_equal(shares, 0)
        ax.pcolormesh(edges, edges, some, cmap=_confusion_colours(), vmin=0, vmax=1)
        ax.set_aspect("equal")
        ax.invert_yaxis()
        ax.set_title(title, loc="left", fontsize=9, parse_math=False)
        _name_classes(ax, classes)
        _write_counts(ax, counts, shares)
        ax.set_facecolor("none")
    figure.patch.set_alpha(0)
    return figure


def _confusion_colours() -> Any:
    """Light for few and dark for all, so that the counts read on either theme."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("confusion", ("#b4d7ec", "#2684bd", "#0b5685"))


def _name_classes(ax: Any, classes: Sequence[str]) -> None:
    names = [name.replace("_", " ") for name in classes]
    places = range(len(names))
    rotation = 90 if len(names) > 4 else 0
    ax.set_xticks(places, names, rotation=rotation, parse_math=False)  # a $ is a $
    ax.set_yticks(places, names, parse_math=False)
    ax.set_xlabel("Predicted class")
    ax.set_ylabel("True class")
    ax.set_xticks(np.arange(len(names) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color=INK, alpha=0.25, linewidth=0.5)
    ax.tick_params(which="both", length=0)


def _write_counts(ax: Any, counts: NDArray, shares: NDArray) -> None:
    for row, column in np.argwhere(counts):
        dark = shares[row, column] > 0.4
        ax.text(
            column, row, f"{counts[row, column]:.0f}", ha="center", va="center",
            color="white" if dark else "#10202c", weight="bold",
        )  # fmt: skip


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
