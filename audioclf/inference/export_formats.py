"""A Prediction, or its events, as text in the formats that people take away.

JSON, CSV, Audacity labels and Raven selection tables; what is written of events has their
confidence and the threshold, in the label where the format has no place of its own for them.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable

from audioclf.datasets.formats import audacity, raven
from audioclf.datasets.formats.base import Interval, one_line
from audioclf.inference.events import Event, SoundEvents, Unfamiliar
from audioclf.inference.prediction import Prediction, display_name

RAVEN_HIGH_HZ = 11_025.0


def to_json(prediction: Prediction, file: str) -> str:
    """Write a prediction as JSON: the probabilities of the clip and of every window.

    Parameters
    ----------
    prediction : Prediction
        The prediction.
    file : str
        The name of the sound, as it is written.

    Returns
    -------
    str
        The text of the file.
    """
    return json.dumps(prediction.to_dict(file), indent=1, ensure_ascii=False) + "\n"


def to_csv(prediction: Prediction, file: str) -> str:
    """Write a prediction as CSV: a row per window, a column per class.

    Parameters
    ----------
    prediction : Prediction
        The prediction.
    file : str
        The name of the sound, as it is written in every row.

    Returns
    -------
    str
        The text of the file: file, start and end in seconds, the most probable class and its
        probability, then the probability of every class.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["file", "start_s", "end_s", "class", "probability", *map(_cell, prediction.classes)]
    )
    for interval, row in zip(_intervals(prediction), prediction.probabilities, strict=True):
        start_s, end_s, name = interval
        times = [f"{start_s:.4f}", f"{end_s:.4f}"]
        shares = [f"{p:.6f}" for p in (row.max(), *row)]
        writer.writerow([_cell(file), *times, _cell(name), *shares])
    return text.getvalue()


def to_audacity(prediction: Prediction, file: str) -> str:
    """Write a prediction as Audacity's label track: every window's most probable class.

    Parameters
    ----------
    prediction : Prediction
        The prediction.
    file : str
        Not used: a label track does not name its sound.

    Returns
    -------
    str
        The text of the file.
    """
    return audacity.track(_intervals(prediction))


def to_raven(prediction: Prediction, file: str) -> str:
    """Write a prediction as Raven's selection table: every window's most probable class.

    Parameters
    ----------
    prediction : Prediction
        The prediction.
    file : str
        Not used: the table does not name its sound.

    Returns
    -------
    str
        The text of the file.
    """
    return raven.table(_intervals(prediction), RAVEN_HIGH_HZ)


FORMATS: dict[str, Callable[[Prediction, str], str]] = {
    "json": to_json,
    "csv": to_csv,
    "audacity": to_audacity,
    "raven": to_raven,
}


def events_to_json(sound: SoundEvents, file: str) -> str:
    """The events, and where the sound is unlike what the model was trained on."""
    return json.dumps(sound.to_dict(file), indent=1, ensure_ascii=False) + "\n"


def events_to_csv(sound: SoundEvents, file: str) -> str:
    """A row per event; after them a row without confidence per part that is unfamiliar."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "start_s", "end_s", "class", "confidence", "threshold"])
    for event in sound.events:
        times = [f"{event.start_s:.4f}", f"{event.end_s:.4f}"]
        shares = [f"{event.confidence:.6f}", _threshold(sound)]
        writer.writerow([_cell(file), *times, _cell(event.label), *shares])
    for part in sound.unknown:
        times = [f"{part.start_s:.4f}", f"{part.end_s:.4f}"]
        writer.writerow([_cell(file), *times, _cell(_unfamiliar(part)), "", ""])
    return text.getvalue()


def events_to_audacity(sound: SoundEvents, file: str) -> str:
    """A label per event, such as “rain 88 % (threshold 50 %)”."""
    threshold = sound.threshold
    known = "" if threshold is None else f" (threshold {100 * threshold:.0f} %)"
    labels = [
        Interval(event.start_s, event.end_s, f"{event.label} {100 * event.confidence:.0f} %{known}")
        for event in sound.events
    ]
    unknown = [Interval(part.start_s, part.end_s, _unfamiliar(part)) for part in sound.unknown]
    return audacity.track([*labels, *unknown])


def events_to_raven(sound: SoundEvents, file: str) -> str:
    """A selection per event, with its confidence and the threshold in columns of their own."""
    unknown = [Interval(part.start_s, part.end_s, _unfamiliar(part)) for part in sound.unknown]
    intervals = [*_event_intervals(sound.events), *unknown]
    table = raven.table(intervals, RAVEN_HIGH_HZ).splitlines()
    shares = (f"{event.confidence:.4f}\t{_threshold(sound)}" for event in sound.events)
    cells = ["Confidence\tThreshold", *shares, *["\t"] * len(unknown)]
    return "".join(f"{row}\t{cell}\n" for row, cell in zip(table, cells, strict=True))


EVENT_FORMATS: dict[str, Callable[[SoundEvents, str], str]] = {
    "json": events_to_json,
    "csv": events_to_csv,
    "audacity": events_to_audacity,
    "raven": events_to_raven,
}


def _unfamiliar(part: Unfamiliar) -> str:
    """The label of a part that is unlike the training clips."""
    return f"unfamiliar, nearest: {display_name(part.nearest)}"


def _event_intervals(events: Iterable[Event]) -> list[Interval]:
    return [Interval(event.start_s, event.end_s, event.label) for event in events]


def _threshold(sound: SoundEvents) -> str:
    return "" if sound.threshold is None else f"{sound.threshold:g}"


def _intervals(prediction: Prediction) -> list[Interval]:
    rows = zip(
        prediction.starts_s, prediction.ends_s, prediction.probabilities.argmax(axis=1), strict=True
    )
    return [
        Interval(float(start_s), float(end_s), prediction.classes[best])
        for start_s, end_s, best in rows
    ]


def _cell(text: str) -> str:
    """A cell of one line that no spreadsheet takes for a formula."""
    line = one_line(text)
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line
