"""Agreement of labellers on what they labelled blind of each other.

Two labellers: Cohen (1960), "A Coefficient of Agreement for Nominal Scales", Educational and
Psychological Measurement 20. Any number of them, with gaps: Krippendorff (2011), "Computing
Krippendorff's Alpha-Reliability", University of Pennsylvania.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from audioclf.annotation import event_log
from audioclf.annotation.event_log import AnnotationEvent, EventKind

Ratings = Mapping[str, Mapping[Any, str]]  # the class of every target, by labeller


@dataclass(frozen=True)
class Agreement:
    """How far labellers agree beyond chance: 1 always, 0 as often as by chance.

    `kappa` is that of two labellers, overall and per class against all others; None for other
    numbers of labellers, and where one class alone was named.
    """

    labellers: tuple[str, ...]
    n_shared: int  # targets that at least two have labelled
    n_equal: int  # of these, where all who labelled them say the same
    kappa: float | None
    kappa_per_class: dict[str, float | None]
    alpha: float | None


def of_store(db: sqlite3.Connection) -> Agreement:
    """The agreement of all labellers of a project, from their events."""
    return measure(ratings(event_log.history(db)))


def ratings(history: Sequence[tuple[AnnotationEvent, int | None]]) -> dict[str, dict[Any, str]]:
    """The last class of each labeller for each target, from all events in the log's order.

    Several classes of one target count as one of their own. “Not sure” and “bad audio” are none.
    """
    undone = {number for _, number in history if number is not None}
    by_labeller: dict[str, dict[Any, str]] = {}
    for event, _ in history:
        if event.kind == EventKind.UNDO or event.number in undone or event.region:
            continue
        own = by_labeller.setdefault(event.annotator, {})
        own.pop(event.target, None)
        if event.kind == EventKind.LABEL:
            own[event.target] = ", ".join(sorted(event.names))
    return {name: own for name, own in by_labeller.items() if own}


def measure(labels: Ratings) -> Agreement:
    """Agreement of labellers on the targets that at least two of them have labelled."""
    by_target: dict[Any, list[str]] = {}
    for own in labels.values():
        for target, name in own.items():
            by_target.setdefault(target, []).append(name)
    units = [names for names in by_target.values() if len(names) > 1]
    classes = sorted({name for names in units for name in names})
    kappa, per_class = None, dict[str, float | None]()
    if len(labels) == 2:
        first, second = (
            [own[target] for target in sorted(by_target, key=str) if len(by_target[target]) > 1]
            for own in labels.values()
        )
        kappa = cohen_kappa(first, second)
        per_class = {
            name: cohen_kappa([a == name for a in first], [b == name for b in second])
            for name in classes
        }
    n_equal = sum(len(set(names)) == 1 for names in units)
    alpha = krippendorff_alpha(units)
    return Agreement(tuple(labels), len(units), n_equal, kappa, per_class, alpha)


def disagreements(labels: Ratings) -> list[Any]:
    """The targets that labellers gave different classes, in the order of their first label."""
    named: dict[Any, set[str]] = {}
    for own in labels.values():
        for target, name in own.items():
            named.setdefault(target, set()).add(name)
    return [target for target, names in named.items() if len(names) > 1]


def cohen_kappa(first: Sequence[Any], second: Sequence[Any]) -> float | None:
    """Cohen's kappa of two labellers' classes of the same targets; None where chance is certain."""
    if len({*first, *second}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(first, second))


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for classes: the classes that each target was given, by two or more.

    None where one class alone was named.
    """
    totals: Counter[str] = Counter()
    disagreement = 0.0
    for names in units:
        totals.update(names)
        differing = sum(a != b for a, b in combinations(names, 2))
        disagreement += 2 * differing / (len(names) - 1)
    n_values = totals.total()
    expected = n_values**2 - sum(count**2 for count in totals.values())
    if expected == 0:
        return None
    return 1 - (n_values - 1) * disagreement / expected
