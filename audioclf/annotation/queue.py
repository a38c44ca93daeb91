"""The queue of a project: its tasks, their annotations, what comes next and what is suggested.

The embeddings and the suggestion model that follows from them and the labels are replaced as a
whole: any thread may ask for the next task while another one embeds or fits.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation import active_learning, catalog, database, embedding, event_log, tasks
from audioclf.annotation.active_learning import EmbeddingSpace, QueueOrder, Selection
from audioclf.annotation.coverage import TaskIndex
from audioclf.annotation.event_log import AnnotationEvent, EventKind, Suggestion
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.tasks import AnnotationTask, Segmentation
from audioclf.inference.prediction import normalize_class_name
from audioclf.models.checkpoint import Checkpoint

RECENT = 50  # labels over which suggestions are evaluated
YOUR_LABELS = "your labels"


@dataclass(frozen=True)
class SuggestionModel:
    """The class probabilities of every task, and the embeddings that they follow from."""

    space: EmbeddingSpace
    classes: tuple[str, ...]  # none: nothing is suggested yet
    probabilities: NDArray[np.float32]  # (tasks, classes)
    source: str
    confidences: NDArray[np.floating] | None = None  # (tasks,), NaN: not known


class QueueItem(NamedTuple):
    """A task as it is shown: with its suggestion and its annotation so far."""

    task: AnnotationTask
    suggestion: Suggestion | None
    event: AnnotationEvent | None


class Accuracy(NamedTuple):
    """How often suggestions were what the annotator then chose, over the recent labels."""

    n_right: int
    n_labels: int
    n_right_random: int  # of the tasks that were drawn at random
    n_random: int


class LabelQueue:
    """The queue of a project. Raises ValueError for more tasks than anybody could annotate."""

    def __init__(self, project: AnnotationProject, segmentation: Segmentation) -> None:
        self.project, self.segmentation = project, segmentation
        self.tasks = tasks.build_tasks(project, segmentation)
        self.index = TaskIndex(self.tasks)
        self.numbers = self.index.numbers
        self.model: SuggestionModel | None = None
        self.excluded: frozenset[int] = frozenset()  # tasks that were skipped or cannot be read
        self.imported: dict[int, Suggestion] = {}  # of other tools, by the task's number
        self._changing = threading.Lock()
        self._read_imported()

    def events(
        self, current: Sequence[AnnotationEvent] | None = None
    ) -> dict[int, AnnotationEvent]:
        """The annotations of tasks by number, also of those that a label elsewhere overlaps.

        current: the current events, if they are read already.
        """
        if current is None:
            with database.connect(self.project.store) as db:
                current = event_log.current(db)
        return self.index.answers(current)

    def embed_all(
        self, embedding_model: Checkpoint, kind: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[embedding.TaskEmbeddings]:
        """Embed all tasks file by file, then set the suggestion model while it is wanted.

        Files that cannot be read are stored with the reason and excluded.
        """
        embedding_pass = EmbeddingPass(self, embedding_model, kind)
        while embedding_pass.missing:
            file = next(iter(embedding_pass.missing))
            windows = embedding.embed_windows(self.project, embedding_model, file, kind)
            yield embedding_pass.add(file, windows)
        embedding_pass.finish(is_wanted)

    def set_model(self, model: SuggestionModel, is_wanted: Callable[[], bool]) -> None:
        """Set the suggestion model while it is wanted, then fit it to the labels."""
        with self._changing:
            if is_wanted():
                self.model = model
        self.refit()

    def refit(self) -> None:
        """Fit the suggestion model to the labels as they are now; a checkpoint's own is kept."""
        before = self.model
        if before is None or before.source != YOUR_LABELS:
            return
        classes = self.classes()
        labels = {
            number: classes.index(event.names[0])
            for number, event in self.events().items()
            if event.kind == EventKind.LABEL
            and event.names[0] in classes
            and number not in self.excluded
        }
        model = _without_classes(before.space)
        if len(set(labels.values())) > 1:
            probabilities = active_learning.fit_predict(before.space, labels, len(classes))
            model = replace(
                before,
                classes=tuple(classes),
                probabilities=probabilities,
                confidences=active_learning.confidence(before.space, labels, probabilities),
            )
        with self._changing:
            if self.model is before:
                self.model = model

    def exclude(self, file: str, reason: str) -> None:
        """Exclude a file that cannot be read; stored, unless the file is only missing for now."""
        if self.project.path_of(file).is_file():
            with database.connect(self.project.store) as db:
                catalog.set_error(db, file, reason)
        numbers = {number for number, task in enumerate(self.tasks) if task.file == file}
        self.excluded = self.excluded | numbers

    def skip(self, task: AnnotationTask) -> None:
        """Exclude one task until the queue is opened again."""
        self.excluded = self.excluded | {self.numbers[task]}

    def retry(self) -> None:
        """Include files again that were only missing, and suggestions that were imported."""
        self._read_imported()
        unreadable = {file.relative_path for file in self.project.files() if file.error}
        self.excluded = frozenset(
            number for number, task in enumerate(self.tasks) if task.file in unreadable
        )

    def _read_imported(self) -> None:
        """The most probable suggestion of other tools for every task that one overlaps."""
        with database.connect(self.project.store) as db:
            events = event_log.suggestions(db)
        best: dict[int, Suggestion] = {}
        for event in events:
            for number, _ in self.index.overlapped(event):
                if event.suggested is not None:
                    known = best.get(number, event.suggested)
                    best[number] = max(known, event.suggested, key=lambda s: s.probability or 0.0)
        self.imported = best

    def next_items(
        self,
        order: str,
        n: int,
        without: Collection[AnnotationTask] = (),
        events: Mapping[int, AnnotationEvent] | None = None,
    ) -> list[QueueItem]:
        """The next tasks, at most n; `without`: those that are prefetched already, or skipped.

        In the order of files until all are embedded. Raises ValueError for an unknown order.
        """
        if order not in tuple(active_learning.QueueOrder):
            raise ValueError(
                f"There is no order “{order}”: choose one of "
                f"{', '.join(active_learning.QueueOrder)}."
            )
        events = self.events() if events is None else events
        reserved = {self.numbers[task] for task in without if task in self.numbers}
        done = set(events) | self.excluded | reserved
        model = self.model
        if model is None or order == QueueOrder.FILED:
            left = (number for number in range(len(self.tasks)) if number not in done)
            selections = [Selection(number) for number, _ in zip(left, range(n), strict=False)]
        else:
            selections = list(_select(model, done, order, n, len(events)))
        return [
            self.item(selection.candidate, events, is_random=selection.is_random)
            for selection in selections
        ]

    def item(
        self, number: int, events: Mapping[int, AnnotationEvent], *, is_random: bool = False
    ) -> QueueItem:
        """A task as it is shown."""
        suggestion = self.suggestion(number, is_random=is_random)
        return QueueItem(self.tasks[number], suggestion, events.get(number))

    def suggestion(self, number: int, *, is_random: bool = False) -> Suggestion | None:
        """The suggestion for a task: that of another tool, else of the suggestion model."""
        if number in self.imported and number not in self.excluded:
            return self.imported[number]._replace(is_random=is_random)
        model = self.model
        if model is None or not model.classes or number in self.excluded:
            return None
        confidences = None if model.confidences is None else model.confidences[[number]]
        (suggestion,) = active_learning.suggest(
            model.probabilities[[number]], list(model.classes), model.source, confidences
        )
        return suggestion._replace(is_random=is_random)

    def similar(self, task: AnnotationTask, n: int) -> list[QueueItem]:
        """The tasks without an annotation that are most similar to this one, the nearest first.

        Raises ValueError before they are embedded.
        """
        number, model = self.numbers.get(task), self.model
        if model is None or number is None:
            raise ValueError("Similar clips are known when all are embedded: wait a little.")
        events = self.events()
        without = [other for other in {*events, *self.excluded} if other != number]
        nearest = active_learning.nearest(model.space, number, n, without)
        return [self.item(other, events) for other in nearest]

    def classes(self) -> list[str]:
        """The classes of the project."""
        with database.connect(self.project.store) as db:
            return catalog.classes(db)


class EmbeddingPass:
    """The embeddings of all tasks of a queue by one checkpoint, collected file by file."""

    def __init__(self, queue: LabelQueue, embedding_model: Checkpoint, kind: str) -> None:
        embedding.check(embedding_model, kind)
        self.queue, self.embedding_model, self.kind = queue, embedding_model, kind
        self.missing = embedding.numbers_by_file(queue.tasks)  # files that are yet to come
        self._values: NDArray[np.float32] | None = None
        self._excluded: set[int] = set()

    def add(self, file: str, windows: embedding.Windows | str) -> embedding.TaskEmbeddings:
        """Add the windows of a file; one that cannot be read is stored with the reason."""
        numbers = self.missing.pop(file)
        embedded = embedding.average_windows(self.queue.tasks, file, numbers, windows)
        if embedded.error:
            self._excluded.update(embedded.numbers)
            self.queue.exclude(embedded.file, embedded.error)
            return embedded
        if self._values is None:
            shape = len(self.queue.tasks), embedded.values.shape[1]
            self._values = np.zeros(shape, np.float32)
        self._values[embedded.numbers] = embedded.values
        return embedded

    def finish(self, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Set the queue's suggestion model from all embeddings, while it is wanted."""
        self.queue.excluded = self.queue.excluded | self._excluded
        if self._values is None:
            return
        if self.kind == embedding.SuggestionKind.OWN_LABELS:
            model = _without_classes(active_learning.embedding_space(self._values))
        else:
            model = _from_checkpoint(self.embedding_model, self._values, self.queue.classes())
        self.queue.set_model(model, is_wanted)


def accuracy(events: Sequence[AnnotationEvent]) -> Accuracy:
    """How often suggestions were right, of the last labels that had one, in the log's order."""
    recent = [e for e in events if e.kind == EventKind.LABEL and e.suggested is not None][-RECENT:]
    random = [e for e in recent if e.suggested and e.suggested.is_random]
    return Accuracy(_n_right(recent), len(recent), _n_right(random), len(random))


def _without_classes(space: EmbeddingSpace) -> SuggestionModel:
    """A model that suggests nothing yet."""
    return SuggestionModel(space, (), np.zeros((len(space.points), 0), np.float32), YOUR_LABELS)


def _n_right(events: Sequence[AnnotationEvent]) -> int:
    return sum(e.suggested is not None and e.suggested.name in e.names for e in events)


def _select(
    model: SuggestionModel, done: set[int], order: str, n: int, seed: int
) -> Iterator[Selection]:
    rng = np.random.default_rng(seed)
    for _ in range(n):
        selection = active_learning.next_candidate(
            model.space, done, model.probabilities, order, rng
        )
        if selection is None:
            return
        done.add(selection.candidate)
        yield selection


def _from_checkpoint(
    embedding_model: Checkpoint, values: NDArray[np.float32], classes: list[str]
) -> SuggestionModel:
    """A checkpoint's own predictions of the project's classes, in the project's spelling."""
    names = embedding.matching_classes(embedding_model, classes)
    probabilities = values[:, [embedding_model.classes.index(name) for name in names]]
    if not embedding_model.is_multi_label:
        total = probabilities.sum(axis=1, keepdims=True)
        probabilities = probabilities / np.maximum(total, 1e-9)
    spelling = {normalize_class_name(name): name for name in classes}
    spelled = tuple(spelling.get(normalize_class_name(name), name) for name in names)
    return SuggestionModel(
        active_learning.embedding_space(values), spelled, probabilities, embedding_model.name
    )
