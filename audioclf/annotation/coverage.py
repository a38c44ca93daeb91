"""Which tasks the annotations of a project answer, however it is segmented now.

An annotation that lies exactly as a task does is the task's own. Any other one answers a task when
they share at least half of the shorter of both: a region of a second answers the window around it,
and a window that it only touches stays open.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from audioclf.annotation.event_log import AnnotationEvent
from audioclf.annotation.tasks import AnnotationTask

LEAST_SHARE = 0.5  # of the shorter of both
ROUNDING_S = 1e-6


@dataclass(frozen=True)
class _FileTasks:
    """The tasks of a file in their order; both ends grow from one to the next, in seconds."""

    numbers: tuple[int, ...]
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]


class TaskIndex:
    """The tasks of a queue by file and time."""

    def __init__(self, tasks: Sequence[AnnotationTask]) -> None:
        self.numbers = {task: number for number, task in enumerate(tasks)}
        by_file: dict[str, list[int]] = defaultdict(list)
        for number, task in enumerate(tasks):
            by_file[task.file].append(number)
        self._files = {
            file: _FileTasks(
                tuple(numbers),
                tuple(tasks[n].start_s or 0.0 for n in numbers),
                tuple(_end(tasks[n].end_s) for n in numbers),
            )
            for file, numbers in by_file.items()
        }

    def overlapped(self, event: AnnotationEvent) -> list[tuple[int, float]]:
        """The tasks that an annotation answers, each with the seconds that they share."""
        tasks = self._files.get(event.file)
        if tasks is None:
            return []
        start_s, end_s = event.start_s or 0.0, _end(event.end_s)
        first = bisect_right(tasks.ends_s, start_s)
        last = bisect_left(tasks.starts_s, end_s)
        answered = []
        for index in range(first, last):
            task_start_s, task_end_s = tasks.starts_s[index], tasks.ends_s[index]
            shared_s = min(end_s, task_end_s) - max(start_s, task_start_s)
            shorter_s = min(end_s - start_s, task_end_s - task_start_s)
            if shared_s == shorter_s or shared_s >= LEAST_SHARE * shorter_s - ROUNDING_S:
                answered.append((tasks.numbers[index], shared_s))
        return answered

    def answers(self, events: Iterable[AnnotationEvent]) -> dict[int, AnnotationEvent]:
        """The annotation of each task that has one, by the task's number.

        Where only annotations of other places answer a task, it is the one that shares most with
        it, with the classes of all of them and without a suggestion: nothing was suggested here.
        """
        exact: dict[int, AnnotationEvent] = {}
        around: dict[int, list[tuple[float, AnnotationEvent]]] = defaultdict(list)
        for event in events:  # a region that lies as a task does annotates it too
            number = self.numbers.get(AnnotationTask(event.file, event.start_s, event.end_s))
            if number is not None:
                exact[number] = event
            else:
                for other, shared_s in self.overlapped(event):
                    around[other].append((shared_s, event))
        joined = {number: _join(pairs) for number, pairs in around.items() if number not in exact}
        return exact | joined


def _end(end_s: float | None) -> float:
    return float("inf") if end_s is None else end_s


def _join(pairs: list[tuple[float, AnnotationEvent]]) -> AnnotationEvent:
    """One annotation of a task from those around it; a label counts before what is none."""
    pairs = sorted(pairs, key=lambda pair: (not pair[1].names, -pair[0]))
    names = dict.fromkeys(name for _, event in pairs for name in event.names)
    return replace(pairs[0][1], names=tuple(names), suggested=None, accepted=None)
