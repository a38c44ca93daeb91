"""The queue of a data set: its candidates, what was said of them, what to ask next and suggest.

What a network heard, and the opinion that follows from it and the labels, are replaced as a whole:
any thread may ask while another one listens or judges.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation import active_learning, catalog, database, embedding, event_log, tasks
from audioclf.annotation.active_learning import FILED, Pick, Space
from audioclf.annotation.event_log import LABEL, Mark, Suggested
from audioclf.annotation.project import LabelledSet
from audioclf.annotation.tasks import Candidate, Cutting
from audioclf.models.checkpoint import Checkpoint

RECENT = 50  # labels over which suggestions are judged
OWN = "your labels"


@dataclass(frozen=True)
class Opinion:
    """What is suggested for every candidate, and from which points."""

    where: Space
    classes: tuple[str, ...]  # none: nothing is known yet
    probabilities: NDArray[np.float32]  # (candidates, classes)
    by: str


class Asked(NamedTuple):
    """A candidate as it is shown: with what is suggested, and what was said of it before."""

    candidate: Candidate
    suggested: Suggested | None
    mark: Mark | None


class Accuracy(NamedTuple):
    """How often suggestions were what the person then said: of the recent labels."""

    n_right: int
    n_labels: int
    n_right_by_chance: int  # of those that came at random
    n_by_chance: int


class LabelQueue:
    """A set while it is labelled. Raises ValueError for more candidates than anybody could hear."""

    def __init__(self, one: LabelledSet, cutting: Cutting) -> None:
        self.one, self.cutting = one, cutting
        self.candidates = tasks.of_set(one, cutting)
        self.numbers = {candidate: number for number, candidate in enumerate(self.candidates)}
        self.opinion: Opinion | None = None
        self.unheard: frozenset[int] = frozenset()  # candidates of files that cannot be heard
        self._changing = threading.Lock()

    def marks(self, everything: Sequence[Mark] | None = None) -> dict[int, Mark]:
        """What counts now of candidates; `everything`: what counts now, where that was read."""
        if everything is None:
            with database.opened(self.one.store) as db:
                everything = event_log.current(db)
        found = {}
        for mark in everything:  # a region that lies as a candidate does speaks of it too
            number = self.numbers.get(Candidate(mark.file, mark.start_s, mark.end_s))
            if number is not None:
                found[number] = mark
        return found

    def listen(
        self, network: Checkpoint, kind: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[embedding.Part]:
        """Hear all candidates, then have an opinion of them while it is wanted; file by file.

        What cannot be heard is remembered with the reason, and not asked about.
        """
        own = EmbeddingPass(self, network, kind)
        while own.missing:
            file = next(iter(own.missing))
            yield own.add(file, embedding.windows_of(self.one, network, file, kind))
        own.finish(is_wanted)

    def adopt(self, opinion: Opinion, is_wanted: Callable[[], bool]) -> None:
        """Have this opinion, while it is wanted; then what follows of the labels."""
        with self._changing:
            if is_wanted():
                self.opinion = opinion
        self.judge()

    def judge(self) -> None:
        """Have a new opinion from the labels as they are now; a network's own stays as it is."""
        before = self.opinion
        if before is None or before.by != OWN:
            return
        classes = self.classes()
        known = {
            number: classes.index(mark.names[0])
            for number, mark in self.marks().items()
            if mark.kind == LABEL and mark.names[0] in classes and number not in self.unheard
        }
        found = _unknowing(before.where)
        if len(set(known.values())) > 1:
            probabilities = active_learning.judge(before.where, known, len(classes))
            found = replace(before, classes=tuple(classes), probabilities=probabilities)
        with self._changing:
            if self.opinion is before:
                self.opinion = found

    def leave_out(self, file: str, why: str) -> None:
        """Do not ask about a file that cannot be heard; remembered, unless it is only away."""
        if self.one.path_of(file).is_file():
            with database.opened(self.one.store) as db:
                catalog.set_trouble(db, file, why)
        own = {number for number, candidate in enumerate(self.candidates) if candidate.file == file}
        self.unheard = self.unheard | own

    def pass_over(self, candidate: Candidate) -> None:
        """Do not ask about this one until the set is opened again."""
        self.unheard = self.unheard | {self.numbers[candidate]}

    def look_again(self) -> None:
        """Ask about files again that were only away for a while."""
        troubles = {file.place for file in self.one.files() if file.trouble}
        self.unheard = frozenset(
            number for number, one in enumerate(self.candidates) if one.file in troubles
        )

    def upcoming(
        self,
        order: str,
        n: int,
        without: Collection[Candidate] = (),
        marks: Mapping[int, Mark] | None = None,
    ) -> list[Asked]:
        """What to ask about next, at most n; `without`: what is on its way already, or was skipped.

        As filed until a network has heard everything. Raises ValueError for an unknown order.
        """
        if order not in active_learning.ORDERS:
            raise ValueError(
                f"There is no order “{order}”: choose one of {active_learning.ORDERS}."
            )
        marks = self.marks() if marks is None else marks
        away = {self.numbers[one] for one in without if one in self.numbers}
        done = set(marks) | self.unheard | away
        opinion = self.opinion
        if opinion is None or order == FILED:
            left = (number for number in range(len(self.candidates)) if number not in done)
            picks = [Pick(number) for number, _ in zip(left, range(n), strict=False)]
        else:
            picks = list(_picks(opinion, done, order, n, len(marks)))
        return [self.asked(pick.candidate, marks, by_chance=pick.by_chance) for pick in picks]

    def asked(self, number: int, marks: Mapping[int, Mark], *, by_chance: bool = False) -> Asked:
        """A candidate as it is shown."""
        suggested = self.suggested(number, by_chance=by_chance)
        return Asked(self.candidates[number], suggested, marks.get(number))

    def suggested(self, number: int, *, by_chance: bool = False) -> Suggested | None:
        """What is suggested for a candidate."""
        opinion = self.opinion
        if opinion is None or not opinion.classes or number in self.unheard:
            return None
        (found,) = active_learning.suggest(
            opinion.probabilities[[number]], list(opinion.classes), opinion.by
        )
        return Suggested(found.name, round(found.probability, 4), opinion.by, by_chance)

    def alike(self, candidate: Candidate, n: int) -> list[Asked]:
        """The candidates without a label that are most like this one, the nearest first.

        Raises ValueError before a network has heard them.
        """
        number, opinion = self.numbers.get(candidate), self.opinion
        if opinion is None or number is None:
            raise ValueError("What is alike is known when a network has heard all: wait a little.")
        marks = self.marks()
        without = [other for other in {*marks, *self.unheard} if other != number]
        found = active_learning.nearest(opinion.where, number, n, without)
        return [self.asked(other, marks) for other in found]

    def classes(self) -> list[str]:
        """The classes of the set."""
        with database.opened(self.one.store) as db:
            return catalog.classes(db)


class EmbeddingPass:
    """What a network makes of all candidates of a queue, collected file by file."""

    def __init__(self, queue: LabelQueue, network: Checkpoint, kind: str) -> None:
        embedding.check(network, kind)
        self.queue, self.network, self.kind = queue, network, kind
        self.missing = embedding.numbers_by_file(queue.candidates)  # files that are yet to come
        self._values: NDArray[np.float32] | None = None
        self._excluded: set[int] = set()

    def add(self, file: str, windows: embedding.Windows | str) -> embedding.Part:
        """Take what was made of a file; what cannot be heard is remembered with the reason."""
        numbers = self.missing.pop(file)
        part = embedding.part_of(self.queue.candidates, file, numbers, windows)
        if part.trouble:
            self._excluded.update(part.numbers)
            self.queue.leave_out(part.file, part.trouble)
            return part
        if self._values is None:
            shape = len(self.queue.candidates), part.values.shape[1]
            self._values = np.zeros(shape, np.float32)
        self._values[part.numbers] = part.values
        return part

    def finish(self, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Have an opinion of all candidates, while it is wanted."""
        self.queue.unheard = self.queue.unheard | self._excluded
        if self._values is None:
            return
        if self.kind == embedding.OWN_LABELS:
            found = _unknowing(active_learning.space(self._values))
        else:
            found = _network_s(self.network, self._values, self.queue.classes())
        self.queue.adopt(found, is_wanted)


def accuracy(marks: Sequence[Mark]) -> Accuracy:
    """Of the last labels that had a suggestion, as they count now, in the order of the history."""
    recent = [m for m in marks if m.kind == LABEL and m.suggested is not None][-RECENT:]
    by_chance = [m for m in recent if m.suggested and m.suggested.by_chance]
    return Accuracy(_n_right(recent), len(recent), _n_right(by_chance), len(by_chance))


def _unknowing(where: Space) -> Opinion:
    return Opinion(where, (), np.zeros((len(where.points), 0), np.float32), OWN)


def _n_right(marks: Sequence[Mark]) -> int:
    return sum(mark.suggested is not None and mark.suggested.name in mark.names for mark in marks)


def _picks(opinion: Opinion, done: set[int], order: str, n: int, n_said: int) -> Iterator[Pick]:
    rng = np.random.default_rng(n_said)
    for _ in range(n):
        pick = active_learning.next_candidate(
            opinion.where, done, opinion.probabilities, order, rng
        )
        if pick is None:
            return
        done.add(pick.candidate)
        yield pick


def _network_s(network: Checkpoint, values: NDArray[np.float32], classes: list[str]) -> Opinion:
    """A network's own opinion, of the classes that the set has too; under the set's names."""
    names = embedding.fitting(network, classes)
    found = values[:, [network.classes.index(name) for name in names]]
    if not network.is_multi_label:
        found = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)
    own = {name.casefold().replace("_", " "): name for name in classes}
    spelt = tuple(own.get(name.casefold().replace("_", " "), name) for name in names)
    return Opinion(active_learning.space(values), spelt, found, network.name)
