"""All candidates of a set at a glance: a list of them, those that are alike, and a map."""

from audioclf.annotation import active_learning
from audioclf.annotation.event_log import Mark
from audioclf.ui.annotate.payloads import Values, answering, number_of, place_of, shown
from audioclf.ui.annotate.sessions import NO_SUGGESTIONS, Desk, candidate_of, desk_of

MOST_ALIKE, ROWS = 24, 50


@answering
def find_alike(asked: Values) -> Values:
    """The candidates without a label that are most like one, the nearest first."""
    desk = desk_of(asked)
    candidate = candidate_of(desk, asked)
    if desk.queue.opinion is None:
        raise ValueError(_why_not(desk, "What is alike is known"))
    found = desk.queue.alike(candidate, MOST_ALIKE)
    return {"alike": [shown(one) for one in found]}


@answering
def draw_map(asked: Values) -> Values:
    """Every candidate as a point from 0 to 1 each way, with its class or none."""
    desk = desk_of(asked)
    opinion = desk.queue.opinion
    if opinion is None:
        raise ValueError(_why_not(desk, "The map is there"))
    marks, points = desk.queue.marks(), active_learning.on_a_map(opinion.where)
    drawn = [
        {**place_of(one), "x": round(float(x), 4), "y": round(float(y), 4),
         "name": next(iter(marks[n].names), "") if n in marks else "", "is_said": n in marks}
        for n, (one, (x, y)) in enumerate(zip(desk.queue.candidates, points, strict=True))
        if n not in desk.queue.unheard
    ]  # fmt: skip
    return {"points": drawn}


@answering
def list_sounds(asked: Values) -> Values:
    """Candidates from number `first` on, of those whose name or class holds `text`."""
    desk = desk_of(asked)
    marks, first = desk.queue.marks(), max(0, int(number_of(asked, "first", 0)))
    text, only = str(asked.get("text") or "").casefold(), str(asked.get("only") or "")
    found = [
        number
        for number, one in enumerate(desk.queue.candidates)
        if _is_meant(marks.get(number), only)
        and (not text or text in one.file.casefold() or text in _names(marks.get(number)))
    ]
    rows = [shown(desk.queue.asked(n, marks)) for n in found[first : first + ROWS]]
    return {"rows": rows, "n_found": len(found), "first": first}


def _why_not(desk: Desk, what: str) -> str:
    """Why there is no opinion of the sounds yet."""
    if desk.asked is None or desk.asked[0] == NO_SUGGESTIONS:
        return f"{what} when a network listens: choose who suggests, under “Suggestions”."
    return desk.trouble or f"{what} when a network has heard all sounds: wait a little."


def _is_meant(mark: Mark | None, only: str) -> bool:
    if only == "nothing":
        return mark is None
    return not only or (mark is not None and only == mark.kind)


def _names(mark: Mark | None) -> str:
    return " ".join(mark.names).casefold() if mark else ""
