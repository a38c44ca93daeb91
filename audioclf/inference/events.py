"""Events: which classes from when to when, from a model's windows.

Windows overlap, so every moment lies in several: their probabilities, interpolated between the
windows' middles, are read on a grid of 50 ms. There a median filter removes single windows that
disagree, and two thresholds (hysteresis) decide: an event begins where its class reaches the upper
one and lasts until it falls below the lower. A moment without sound is quiet, never a class, so
that beginnings and ends follow the level to a frame wherever there are pauses. Post-processing of
this kind is usual in sound event detection: Cakir, Parascandolo, Heittola, Huttunen and Virtanen
(2017), "Convolutional Recurrent Neural Networks for Polyphonic Sound Event Detection", IEEE/ACM
TASLP 25(6), arXiv:1702.06286; Mesaros, Heittola, Virtanen and Plumbley (2021), "Sound Event
Detection: A Tutorial", IEEE Signal Processing Magazine 38(5), arXiv:2107.05463.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from audioclf.inference import ontology
from audioclf.inference.levels import Levels
from audioclf.inference.prediction import Prediction, display_name, percent

FRAME_S = 0.05  # the grid: a tenth of the 0.5 s within which an event's times count as right
TIME, CONFIDENCE = "time", "confidence"
ORDERS = (TIME, CONFIDENCE)
UNFAMILIAR = "Unlike anything this model was trained on; nearest: {nearest}"

Mask = NDArray[np.bool_]  # (frames,) or (frames, classes)
Probabilities = NDArray[np.floating]  # (frames, classes)


class Segment(NamedTuple):
    """A part of a sound, in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Event:
    """A class that occurs from when to when.

    Attributes
    ----------
    label : str
        The name of the class.
    start_s : float
        The start in seconds of the sound.
    end_s : float
        The end in seconds of the sound.
    confidence : float
        The mean probability of the class between them, in [0, 1].
    """

    label: str
    start_s: float
    end_s: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "label": self.label,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "confidence": round(self.confidence, 4),
        }


@dataclass(frozen=True)
class Unfamiliar:
    """A part of a sound that is unlike the training clips.

    `score` is how unlike, in the unit of its model's threshold; `nearest` is the class that is
    least far.
    """

    start_s: float
    end_s: float
    nearest: str
    score: float

    def summary(self) -> str:
        """“Unlike anything this model was trained on; nearest: rooster”."""
        return UNFAMILIAR.format(nearest=display_name(self.nearest).lower())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "nearest": self.nearest,
            "score": round(self.score, 4),
        }


def is_unfamiliar(start_s: float, end_s: float, unknown: Sequence[Unfamiliar]) -> bool:
    """Whether more than a half of what lies between two times is unfamiliar."""
    overlap_s = sum(max(0.0, min(end_s, u.end_s) - max(start_s, u.start_s)) for u in unknown)
    return overlap_s > (end_s - start_s) / 2


@dataclass(frozen=True)
class SoundEvents:
    """The answer for a sound: its events by time, where it is quiet, and what is unfamiliar.

    Attributes
    ----------
    model : str
        The model's name.
    duration_s : float
        The length of the sound in seconds.
    events : tuple of Event
        The events by their start.
    quiet : tuple of Segment
        Parts without sound, in seconds.
    unknown : tuple of Unfamiliar
        Parts that are unlike the training clips, with the nearest class; none for a model without
        statistics of these.
    threshold : float or None
        The probability that events begin with; None where it is not known.

    References
    ----------
    Mesaros, Heittola, Virtanen and Plumbley (2021), "Sound Event Detection: A Tutorial", IEEE
    Signal Processing Magazine 38(5), arXiv:2107.05463.
    """

    model: str
    duration_s: float
    events: tuple[Event, ...]
    quiet: tuple[Segment, ...] = ()
    unknown: tuple[Unfamiliar, ...] = ()
    threshold: float | None = None

    def summary(self) -> str:
        """The events in words: “Dog 0.0-4.8 s (97 %) · Rain 5.3-10.1 s (88 %)”."""
        texts = [
            f"{display_name(event.label).capitalize()} {event.start_s:.1f}-{event.end_s:.1f} s "
            f"({percent(event.confidence)} %)"
            for event in self.events
        ]
        texts += [
            f"{part.start_s:.1f}-{part.end_s:.1f} s: {part.summary()[:1].lower()}"
            f"{part.summary()[1:]}"
            for part in self.unknown
        ]
        return " · ".join(texts) or "No event: nothing here is likely enough"

    def with_unknown(self, unknown: Sequence[Unfamiliar]) -> "SoundEvents":
        """The same, where no event lies for more than a half in a part that is unfamiliar."""
        familiar = [e for e in self.events if not is_unfamiliar(e.start_s, e.end_s, unknown)]
        return replace(self, events=tuple(familiar), unknown=tuple(unknown))

    def to_dict(self, file: str) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        return {
            "file": file,
            "duration_s": round(self.duration_s, 3),
            "model": self.model,
            "events": [event.to_dict() for event in self.events],
            "unknown": [part.to_dict() for part in self.unknown],
        }


@dataclass(frozen=True)
class EventSettings:
    """When a class is an event. The defaults were chosen by `benchmarks/events.py`."""

    threshold: float = 0.5  # probability with which an event begins: more likely than not
    release: float = 0.6  # it ends below this share of the threshold
    min_length_s: float = 0.25  # shorter events are dropped
    min_gap_s: float = 1.0  # shorter pauses within an event of one class are bridged
    median_s: float = 1.55  # length of the median filter: half a second more than a segment

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(
                f"The threshold is {self.threshold:g} and must lie above 0 and not above 1: "
                "choose a probability such as 0.5."
            )
        if not 0 < self.release <= 1:
            raise ValueError("The release is a share of the threshold: choose 0.6, or up to 1.")
        if not all(0 <= x < float("inf") for x in (self.min_length_s, self.min_gap_s)):
            raise ValueError("Lengths are in seconds and cannot be negative: choose 0 or more.")
        if not 0 <= self.median_s <= 60:
            raise ValueError("The median filter is 0 to 60 s long: choose a length within that.")


def find_events(
    prediction: Prediction, levels: Levels, settings: EventSettings | None = None
) -> SoundEvents:
    """The events of a sound, by time.

    `prediction`: its windows, (windows, classes); `levels`: its level over time, which also says
    how long it is. In a single-label model one class holds at a time; in a multi-label one every
    class for itself, and a class of AudioSet gives way to a likely child of it.
    """
    settings = settings or EventSettings()
    n_frames = max(1, round(levels.duration_s / FRAME_S))
    quiet = levels.quiet_at((np.arange(n_frames) + 0.5) * FRAME_S)
    columns = candidates(prediction, settings.threshold * settings.release)
    likely = on_grid(prediction, columns, n_frames)
    likely = smoothed(likely, round(settings.median_s / FRAME_S))
    active = hysteresis(likely, settings.threshold, settings.threshold * settings.release)
    classes = [prediction.classes[i] for i in columns]
    if prediction.is_multi_label:
        active = specific(active, likely, classes, settings)
    else:
        active &= likely == likely.max(axis=1, keepdims=True, initial=0)
    events = [
        Event(name, start_s, min(end_s, levels.duration_s), confidence)
        for column, name in enumerate(classes)
        for start_s, end_s, confidence in _runs_of_class(
            column, active & ~quiet[:, None], likely, settings
        )
    ]
    events.sort(key=lambda event: (event.start_s, event.end_s, event.label))
    parts = tuple(
        Segment(start * FRAME_S, min(end * FRAME_S, levels.duration_s))
        for start, end in runs(quiet)
    )
    return SoundEvents(
        prediction.checkpoint,
        levels.duration_s,
        tuple(events),
        parts,
        threshold=settings.threshold,
    )


def sort_events(events: tuple[Event, ...], order: str = TIME) -> tuple[Event, ...]:
    """Events by time, or the most confident first. Raises ValueError for another order."""
    if order not in ORDERS:
        raise ValueError(f"Events have no order “{order}”: choose {' or '.join(ORDERS)}.")
    if order == CONFIDENCE:
        return tuple(sorted(events, key=lambda event: (-event.confidence, event.start_s)))
    return tuple(sorted(events, key=lambda event: (event.start_s, event.end_s, event.label)))


def candidates(prediction: Prediction, least: float) -> NDArray[np.intp]:
    """The classes that some window gives that probability, as columns, (candidates,)."""
    return np.flatnonzero(prediction.probabilities.max(axis=0) >= least)


def on_grid(prediction: Prediction, columns: NDArray[np.intp], n_frames: int) -> Probabilities:
    """Probabilities every 50 ms, (windows, classes) -> (frames, columns).

    Linear between the windows' middles; before the first and after the last they stay.
    """
    middles_s = (prediction.starts_s + prediction.ends_s) / 2
    order = np.argsort(middles_s, kind="stable")
    times_s = (np.arange(n_frames) + 0.5) * FRAME_S
    rows = [
        np.interp(times_s, middles_s[order], prediction.probabilities[order, i]) for i in columns
    ]
    return np.stack(rows, axis=1) if rows else np.zeros((n_frames, 0))


def smoothed(probabilities: Probabilities, n_frames: int) -> Probabilities:
    """The median over so many frames around each, per class, (frames, classes) -> the same."""
    size = n_frames | 1  # odd: as many before as after
    if size == 1 or probabilities.size == 0:
        return probabilities
    filtered: Probabilities = ndimage.median_filter(probabilities, (size, 1), mode="nearest")
    return filtered


def hysteresis(probabilities: Probabilities, upper: float, lower: float) -> Mask:
    """Where a class is above `lower` in a run that reaches `upper`, (frames, classes) -> mask."""
    active = np.zeros(probabilities.shape, bool)
    for column in range(probabilities.shape[1]):
        labels, _ = ndimage.label(probabilities[:, column] >= lower)
        reached = np.unique(labels[probabilities[:, column] >= upper])
        active[:, column] = np.isin(labels, reached[reached > 0])
    return active


def specific(
    active: Mask, likely: Probabilities, classes: list[str], settings: EventSettings
) -> Mask:
    """Classes without those that have a likely descendant at the same time, a mask like `active`.

    A child is likely where it reaches the lower threshold and half of its ancestor's probability:
    a model that has learnt from labels of both gives the parent the sum of its children. So a
    child that alone would be just too weak is named for its parent ("Dog", not "Animal").
    """
    columns = {name: i for i, name in enumerate(classes)}
    pairs = [
        (columns[ancestor], child)
        for name, child in columns.items()
        for ancestor in ontology.ancestors(name)
        if ancestor in columns
    ]
    takes_over, gives_way = active.copy(), np.zeros_like(active)
    lower = settings.threshold * settings.release
    for parent, child in pairs:
        share = np.maximum(lower, likely[:, parent] / 2)
        strong = active[:, parent] & (likely[:, child] >= share)
        takes_over[:, child] |= strong
        gives_way[:, parent] |= strong
    return takes_over & ~gives_way


def _runs_of_class(
    column: int, active: Mask, likely: Probabilities, settings: EventSettings
) -> Iterator[tuple[float, float, float]]:
    """Start, end and mean probability of a class's events, pauses bridged, short ones left out."""
    mask = active[:, column]
    others: Mask = active.sum(axis=1) > mask
    joined = bridged(mask, others, round(settings.min_gap_s / FRAME_S))
    for start, end in runs(joined):
        if (end - start) * FRAME_S + 1e-9 >= settings.min_length_s:
            inside = mask[start:end]
            confidence = float(likely[start:end, column][inside].mean())
            yield start * FRAME_S, end * FRAME_S, confidence


def bridged(mask: Mask, others: Mask, n_frames: int) -> Mask:
    """A mask without pauses shorter than that between two runs, unless another class is there."""
    joined = mask.copy()
    spans = runs(mask)
    for (_, end), (start, _) in zip(spans, spans[1:], strict=False):
        if start - end < n_frames and not others[end:start].any():
            joined[end:start] = True
    return joined


def runs(mask: Mask) -> list[tuple[int, int]]:
    """First and one past the last frame of every run that is true, (frames,) -> pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
