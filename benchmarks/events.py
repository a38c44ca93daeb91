"""Event F1 on mixtures of real clips that the models were not trained on: windows against events.

Run it as `python benchmarks/events.py FOLDER [--settings] NAME...`, with ESC-10's folder and models
trained without fold 4; it needs sed_eval (`pip install sed_eval`) and prints Markdown tables.
With --settings it measures the settings on the half of fold 4's recordings that the defaults were
chosen on, else the defaults on the other half.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sed_eval
from dcase_util.containers import MetaDataContainer
from mixtures import RATE_HZ, Mixture, make_mixtures, recordings

from audioclf.datasets import dataset
from audioclf.features.windowing import Cut
from audioclf.inference import detection, predict
from audioclf.inference.events import Event, EventSettings, find_events
from audioclf.inference.levels import measure_levels
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

CHOSEN_ON, REPORTED_ON = 0, 1  # halves of the recordings of fold 4
N_MIXTURES, N_TRIALS = 100, 50
COLLAR_S, SEGMENT_S = 0.5, 1.0
ALTERNATIVES: tuple[dict[str, Any], ...] = (
    {},
    {"threshold": 0.4},
    {"threshold": 0.6},
    {"release": 0.4},
    {"release": 0.8},
    {"median_s": 0.0},
    {"median_s": 1.05},
    {"median_s": 2.05},
    {"min_length_s": 0.5},
    {"min_gap_s": 0.5},
    {"min_gap_s": 2.0},
)


@dataclass(frozen=True)
class Scores:
    """F1 of events (beginning and end within 0.5 s), of beginnings alone, of seconds."""

    events: float
    onsets: float
    seconds: float
    n_events: int

    def cells(self) -> str:
        """The scores as cells of a row."""
        shown = (f"{x:.3f}" for x in (self.events, self.onsets, self.seconds))
        return " | ".join([*shown, str(self.n_events)])


def main(folder: str, names: Sequence[str], *, settings: bool) -> None:
    """The table that was asked for."""
    fold = dataset.load(folder).of_folds({4})
    half, n, seed = (CHOSEN_ON, N_TRIALS, 1) if settings else (REPORTED_ON, N_MIXTURES, 2)
    mixtures = make_mixtures(recordings(fold, half), n, seed)
    n_true = sum(len(mixture.truth) for mixture in mixtures)
    print(f"{n} mixtures, seed {seed}, {n_true} events\n")
    print("| model | answer | event F1 | onset F1 | segment F1 | events found |")
    print("|---|---|---|---|---|---|")
    for name in names:
        model = checkpoint.find(name)
        rows = trials(mixtures, model) if settings else systems(mixtures, model)
        for answer, scores in rows.items():
            print(f"| {name} | {answer} | {scores.cells()} |", flush=True)


def systems(mixtures: Sequence[Mixture], model: Checkpoint) -> dict[str, Scores]:
    """Windows as they were, events of windows that start closer, and events."""
    windows = [predict.predict(m.samples, RATE_HZ, model) for m in mixtures]
    close = [predict.predict(m.samples, RATE_HZ, model, cut=Cut(60.0, 0.25)) for m in mixtures]
    segments = predictions(mixtures, model)
    return {
        "windows": score(mixtures, [of_windows(p) for p in windows]),
        "windows, as events": score(mixtures, of_predictions(mixtures, windows)),
        "windows every 0.25 s, as events": score(mixtures, of_predictions(mixtures, close)),
        "events": score(mixtures, of_predictions(mixtures, segments)),
    }


def trials(mixtures: Sequence[Mixture], model: Checkpoint) -> dict[str, Scores]:
    """Every alternative to the settings, and to the length of the segments."""
    segments = predictions(mixtures, model)
    rows = {
        str(other or "defaults"): score(
            mixtures, of_predictions(mixtures, segments, EventSettings(**other))
        )
        for other in ALTERNATIVES
    }
    for length_s in (0.75, 1.5, 2.0):
        others = predictions(mixtures, model, Cut(length_s, 0.25))
        rows[f"segments of {length_s} s"] = score(mixtures, of_predictions(mixtures, others))
    return rows


def predictions(
    mixtures: Sequence[Mixture], model: Checkpoint, cut: Cut = detection.SEGMENTS
) -> list[Prediction]:
    """Every mixture's segments."""
    return [predict.predict(m.samples, RATE_HZ, model, cut=cut) for m in mixtures]


def of_predictions(
    mixtures: Sequence[Mixture],
    predicted: Sequence[Prediction],
    settings: EventSettings | None = None,
) -> list[Sequence[Event]]:
    """The events of every mixture."""
    return [
        find_events(prediction, measure_levels([mixture.samples], RATE_HZ), settings).events
        for mixture, prediction in zip(mixtures, predicted, strict=True)
    ]


def of_windows(prediction: Prediction) -> list[Event]:
    """What windows alone say: each one's most probable class, joined where they touch."""
    events: list[Event] = []
    best = prediction.probabilities.argmax(axis=1)
    for start_s, end_s, column in zip(prediction.starts_s, prediction.ends_s, best, strict=True):
        name = prediction.classes[column]
        if events and events[-1].label == name and start_s <= events[-1].end_s:
            start_s = events.pop().start_s
        events.append(Event(name, float(start_s), float(end_s), 1.0))
    return events


def score(mixtures: Sequence[Mixture], predicted: Sequence[Sequence[Event]]) -> Scores:
    """sed_eval's micro-averaged F1 (Mesaros, Heittola and Virtanen, 2016)."""
    classes = sorted({e.label for es in (*predicted, *(m.truth for m in mixtures)) for e in es})
    both = sed_eval.sound_event.EventBasedMetrics(
        classes, t_collar=COLLAR_S, percentage_of_length=0.0
    )
    onsets = sed_eval.sound_event.EventBasedMetrics(
        classes, t_collar=COLLAR_S, evaluate_offset=False
    )
    seconds = sed_eval.sound_event.SegmentBasedMetrics(classes, time_resolution=SEGMENT_S)
    for number, (mixture, events) in enumerate(zip(mixtures, predicted, strict=True)):
        truth, estimated = listed(mixture.truth, number), listed(events, number)
        both.evaluate(truth, estimated)
        onsets.evaluate(truth, estimated)
        seconds.evaluate(truth, estimated, evaluated_length_seconds=len(mixture.samples) / RATE_HZ)
    return Scores(*map(f1, (both, onsets, seconds)), sum(map(len, predicted)))


def listed(events: Sequence[Event], number: int) -> Any:
    """Events as sed_eval takes them."""
    return MetaDataContainer(
        [
            {"filename": f"{number}", "event_label": e.label, "onset": e.start_s, "offset": e.end_s}
            for e in events
        ]
    )


def f1(metrics: Any) -> float:
    """The overall F1; nothing found is 0."""
    return float(np.nan_to_num(metrics.results_overall_metrics()["f_measure"]["f_measure"]))


if __name__ == "__main__":
    names = [name for name in sys.argv[2:] if not name.startswith("--")]
    main(str(Path(sys.argv[1])), names, settings="--settings" in sys.argv)
