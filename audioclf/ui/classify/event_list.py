"""What happened when: the events of a sound in words, and as the page lists them."""

from collections.abc import Sequence
from typing import Any

from audioclf.inference.events import Event, Segment, SoundEvents, Unfamiliar, is_unfamiliar
from audioclf.inference.levels import Levels
from audioclf.inference.prediction import SURENESS, Prediction, display_name
from audioclf.inference.unfamiliar import Judgement
from audioclf.text import listed
from audioclf.ui.plotting import figures

MOST_NAMED = 5  # classes in the headline
MOST_LISTED = 2_000  # events that the page gets
SOMETHING = "something unfamiliar"  # beside the classes that are familiar


def headline(
    sound_events: SoundEvents, prediction: Prediction, judgement: Judgement | None = None
) -> str:
    """The answer in a line, such as “Dog bark, rain and rooster” or “Rain, quite sure (87 %)”."""
    unlike = _unlike(sound_events, judgement)
    if unlike:
        return unlike
    names = list(dict.fromkeys(event.label for event in sound_events.events))
    if not names:
        if _length_s(sound_events.quiet) >= sound_events.duration_s - 0.1:
            return "Quiet: nothing here is loud enough to be judged"
        return prediction.summary()
    if len(names) == 1 and not sound_events.unknown:
        return _sure(names[0], sound_events.events)
    shown = [display_name(name).lower() for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    if sound_events.unknown:
        shown.append(SOMETHING)
    text = listed(shown)
    return text[:1].upper() + text[1:]


def _unlike(sound_events: SoundEvents, judgement: Judgement | None) -> str:
    """The answer where the sound, most of what is loud, or all that was found is unfamiliar."""
    if judgement and judgement.is_unfamiliar:
        return judgement.summary()
    unknown, loud_s = sound_events.unknown, sound_events.duration_s - _length_s(sound_events.quiet)
    if not unknown or (sound_events.events and _length_s(unknown) <= 0.5 * loud_s):
        return ""
    return max(unknown, key=lambda part: part.end_s - part.start_s).summary()


def _length_s(parts: Sequence[Segment] | Sequence[Unfamiliar]) -> float:
    return sum(part.end_s - part.start_s for part in parts)


def _sure(name: str, events: Sequence[Event]) -> str:
    """A class alone, and how sure that is: the mean over its events, by their length."""
    length_s = sum(event.end_s - event.start_s for event in events)
    mean = sum(event.confidence * (event.end_s - event.start_s) for event in events) / length_s
    how = next(text for least, text in SURENESS if mean >= least)
    shown = "over 99" if mean >= 0.995 else f"{100 * mean:.0f}"
    return f"{display_name(name).capitalize()}, {how} ({shown} %)"


def events_json(
    sound_events: SoundEvents, colours: dict[str, str], *, is_refined: bool
) -> dict[str, Any]:
    """The events as the page lists them, where it is quiet, and what is unfamiliar."""
    return {
        "items": [
            {**event.to_dict(), "colour": colours.get(event.label)}
            for event in sound_events.events[:MOST_LISTED]
        ],
        "n_events": len(sound_events.events),
        "unknown": [part.to_dict() for part in sound_events.unknown],
        "is_refined": is_refined,
    }


def event_colours(
    sound_events: SoundEvents, prediction: Prediction, *, many: bool
) -> dict[str, str]:
    """The colour of each class: that of the windows, or its own where the windows have none."""
    if not many:
        return figures.class_colours(prediction.classes)
    return figures.class_colours([*dict.fromkeys(event.label for event in sound_events.events)])


def quiet_windows(windows: Sequence[dict[str, Any]], levels: Levels) -> list[int]:
    """The numbers of the windows in which nothing is loud enough to be judged."""
    return [
        number
        for number, window in enumerate(windows)
        if levels.of_segment(window["start_s"], window["end_s"]) < levels.quiet_below_db
    ]


def unfamiliar_windows(
    windows: Sequence[dict[str, Any]], unknown: Sequence[Unfamiliar]
) -> list[int]:
    """The numbers of the windows that lie for more than a half in unfamiliar parts."""
    return [
        number
        for number, window in enumerate(windows)
        if is_unfamiliar(window["start_s"], window["end_s"], unknown)
    ]
