"""What the queue on the page asks for while somebody labels: plain values in, plain values out.

Whoever calls these names a data set by its id, which on a public page nobody guesses.
"""

from typing import Any

from audioclf.annotation import active_learning, catalog, database, event_log, tasks
from audioclf.annotation.event_log import Mark
from audioclf.annotation.queue import Asked, accuracy
from audioclf.annotation.tasks import Candidate
from audioclf.audio import excerpt
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.ui.annotate import sessions
from audioclf.ui.annotate.payloads import (
    Values,
    answering,
    decoding,
    most_classes,
    names_of,
    number_of,
    seen,
    shown,
    suggested_of,
    token_of,
    who,
    word,
)
from audioclf.ui.annotate.sessions import Desk, candidate_of, desk_of
from audioclf.ui.page.state import limits
from audioclf.ui.plotting import figures

AHEAD, MOST_AHEAD = 4, 16  # candidates that are prepared before they are shown
MOST_HELD = 500
LONGEST_S = 120.0  # of a candidate that is heard and seen


@answering
def open_queue(asked: Values) -> Values:
    """A set as it is now, and what to ask first.

    asked: set, cutting, kind and network (whom to listen to), order, n.
    """
    desk = desk_of(asked)
    one = desk.queue.one
    desk.queue.look_again()
    with database.opened(one.store) as db:
        missing = len(tasks.unlistened(db, desk.queue.cutting))
    if not missing:
        sessions.listen(desk, asked.get("kind"), asked.get("network"))
    return {**_state(desk, asked), "name": one.name, "n_uncut": missing, "max_name": MAX_NAME}


@answering
def cut_recordings(asked: Values) -> Values:
    """Look for silences in long recordings for some seconds; `n_left` says how many are left."""
    return {"n_left": sessions.cut_long(asked)}


@answering
def ask_next(asked: Values) -> Values:
    """What to ask next: `held` is on its way to the person already, or was skipped."""
    return _state(desk_of(asked), asked)


@answering
def prepare_candidate(asked: Values) -> Values:
    """A candidate to be heard and seen: a WAV, its waveform and spectrogram."""
    desk = desk_of(asked)
    one = candidate_of(desk, asked)
    start_s = one.start_s or 0.0
    end_s = min(float("inf") if one.end_s is None else one.end_s, start_s + LONGEST_S)
    with decoding():
        try:
            path = desk.queue.one.path_of(one.file)
            samples, rate_hz = excerpt.samples_of(path, start_s, end_s, limits())
        except excerpt.EmptyPartError as error:  # the file is another one by now
            desk.queue.pass_over(one)
            return {"trouble": str(error)}
        except ValueError as error:
            desk.queue.leave_out(one.file, str(error))
            return {"trouble": str(error)}
        is_beginning = len(samples) / rate_hz > LONGEST_S - 0.01
        return {**seen(samples, rate_hz), "is_beginning": is_beginning}


@answering
def say_label(asked: Values) -> Values:
    """Keep what a person said of a candidate; then what to ask next.

    asked: token (the same one is kept once), file, start_s, end_s, mark, names, suggested (what
    stood there: name, probability, by, by_chance) and accepted (whether it was taken as it stood).
    """
    desk = desk_of(asked)
    one = candidate_of(desk, asked)
    suggested = suggested_of(asked.get("suggested"))
    accepted = (
        (suggested.by, suggested.probability) if suggested and asked.get("accepted") else None
    )
    mark = Mark(
        one.file, str(asked.get("mark")), names_of(asked), one.start_s, one.end_s,
        who=who(asked), accepted=accepted, suggested=suggested, token=token_of(asked),
    )  # fmt: skip
    with database.opened(desk.queue.one.store) as db, database.whole(db):
        event_log.add(db, mark)
        catalog.add_classes(db, mark.names, most_classes())
    sessions.judge_later(desk)
    return _state(desk, asked)


@answering
def undo_label(asked: Values) -> Values:
    """Take back what bears `token`, or else the last word of this person; `undone` is of what."""
    desk = desk_of(asked)
    with database.opened(desk.queue.one.store) as db:
        own, token = (word(asked[name]) if asked.get(name) else "" for name in ("own", "token"))
        taken = event_log.undo(db, who(asked), token, own)
    sessions.judge_later(desk)
    if taken is None:
        return {**_state(desk, asked), "undone": None}
    undone = {"file": taken.file, "start_s": taken.start_s, "end_s": taken.end_s,
              "region": taken.region, "names": taken.names}  # fmt: skip
    return {**_state(desk, asked), "undone": undone}


@answering
def add_classes(asked: Values) -> Values:
    """Add classes to the set, in the order in which they are named."""
    desk = desk_of(asked)
    names = names_of(asked)
    if not names:
        raise ValueError("Type the name of a class first.")
    with database.opened(desk.queue.one.store) as db, database.whole(db):
        catalog.add_classes(db, names, most_classes())
    return _state(desk, asked)


def _state(desk: Desk, asked: Values) -> Values:
    """Where the set stands, and what to ask next."""
    queue = desk.queue
    with database.opened(queue.one.store) as db:
        everything = event_log.current(db)
        classes = catalog.classes(db)
        troubles = catalog.reasons(db)
    marks = queue.marks(everything)
    said = [mark for _, mark in sorted(marks.items(), key=lambda item: item[1].number)]
    counts = dict.fromkeys(classes, 0)
    for name in (name for mark in everything for name in mark.names):
        counts[name] = counts.get(name, 0) + 1
    held = [one for one in map(_candidate, (asked.get("held") or [])[:MOST_HELD])]
    held = [one for one in dict.fromkeys(held) if one in queue.numbers]
    following = _following(desk, asked, held, marks)
    colours = figures.class_colours(classes)
    return {
        "classes": [{"name": c, "n": counts[c], "colour": colours[c]} for c in classes],
        "n_all": len(queue.candidates) - len(queue.unheard),
        "n_said": len(said),
        "kinds": {kind: sum(mark.kind == kind for mark in said) for kind in event_log.KINDS},
        "troubles": troubles[:200],
        "n_troubles": len(troubles),
        "listens": desk.listens(),
        "accuracy": accuracy(said)._asdict(),
        "next": [shown(one) for one in following],
        "held": [shown(queue.asked(queue.numbers[one], marks)) for one in held],
    }


def _following(
    desk: Desk, asked: Values, held: list[Candidate], marks: dict[int, Mark]
) -> list[Asked]:
    """What this window asks about next; what others ask about only where nothing else is."""
    n, window = min(MOST_AHEAD, int(number_of(asked, "n", AHEAD))), str(asked.get("tab") or "")[:40]
    with desk.asking:
        elsewhere = desk.elsewhere(window)
        found = desk.queue.upcoming(_order(asked), n, [*held, *elsewhere], marks)
        if n and not found and elsewhere:  # better twice than never
            found = desk.queue.upcoming(_order(asked), n, held, marks)
        desk.hold(window, [*held, *(one.candidate for one in found)])
    return found


def _order(asked: Values) -> str:
    return str(asked.get("order") or active_learning.USEFUL)


def _candidate(asked: Any) -> Any:
    return Candidate(str(asked.get("file")), asked.get("start_s"), asked.get("end_s"))
