"""Annotation tasks: the clips that a person is asked about, one at a time.

A short file is one task; a long recording is segmented at silences or into windows. Silences are
detected once per setting and stored in the project.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import io, silence
from audioclf.audio.io import Samples
from audioclf.audio.silence import Split

SEGMENTATION = "segmentation"  # what the setting is called in the store
MAX_TASKS = 100_000  # tasks of a project: more is a sign of windows that are too short


class SegmentationKind(StrEnum):
    """Where long recordings are cut."""

    WHOLE = "whole"  # nowhere
    SILENCES = "silences"
    WINDOWS = "windows"


class AnnotationTask(NamedTuple):
    """A file, or a segment of one in seconds."""

    file: str
    start_s: float | None = None  # None: the whole file
    end_s: float | None = None


@dataclass(frozen=True)
class Segmentation:
    """How long recordings are segmented into tasks."""

    kind: str = SegmentationKind.WINDOWS
    long_s: float = 30.0  # what is shorter stays whole
    window_s: float = 5.0
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        if self.kind not in tuple(SegmentationKind):
            raise ValueError(
                f"There is no segmentation “{self.kind}”: choose one of "
                f"{', '.join(SegmentationKind)}."
            )
        if not (self.long_s >= 0 and 0.1 <= self.window_s <= 3_600):
            raise ValueError("Windows last from 0.1 s to an hour: choose another length.")

    @property
    def key(self) -> str:
        """The settings of silence detection as a key of its stored segments."""
        return json.dumps(asdict(self.split), sort_keys=True)


def build_tasks(project: AnnotationProject, segmentation: Segmentation) -> list[AnnotationTask]:
    """The tasks of a project, file by file, without files that cannot be read.

    Long files whose silences are not detected yet (see `detect_silences`) have none. Raises
    ValueError for more than MAX_TASKS.
    """
    with database.connect(project.store) as db:
        files = catalog.files(db)
        segments = (
            catalog.segments(db, segmentation.key)
            if segmentation.kind == SegmentationKind.SILENCES
            else {}
        )
    tasks: list[AnnotationTask] = []
    for file in files:
        if file.error is None:
            tasks += _of_file(file, segmentation, segments)
        if len(tasks) > MAX_TASKS:
            raise ValueError(f"These are more than {MAX_TASKS:,} clips: choose longer windows.")
    return tasks


def load_segmentation(project: AnnotationProject) -> Segmentation:
    """How a project is segmented: as it was stored with it, else as its annotations lie.

    A project of an earlier version has none stored; of the default and of every setting whose
    silences were detected, the one is taken whose tasks have most of the annotations. Raises
    ValueError for a store that cannot be read.
    """
    with database.connect(project.store) as db:
        stored = catalog.setting(db, SEGMENTATION)
        keys = catalog.segment_settings(db)
        places = {(event.file, event.start_s, event.end_s) for event in event_log.current(db)}
    if stored is not None:
        with contextlib.suppress(TypeError, ValueError):
            return Segmentation(**{**stored, "split": Split(**stored["split"])})
    candidates = [Segmentation()]
    for key in keys:
        with contextlib.suppress(TypeError, ValueError):
            split = Split(**json.loads(key))
            candidates.append(Segmentation(SegmentationKind.SILENCES, split=split))
    if len(candidates) == 1 or not places:
        return candidates[0]
    return max(
        candidates, key=lambda one: len(places & set(map(tuple, _tasks_or_none(project, one))))
    )


def _tasks_or_none(project: AnnotationProject, segmentation: Segmentation) -> list[AnnotationTask]:
    with contextlib.suppress(ValueError):
        return build_tasks(project, segmentation)
    return []


def store_segmentation(project: AnnotationProject, segmentation: Segmentation) -> None:
    """Store how the project is segmented; its annotations stay as they are."""
    with database.connect(project.store) as db:
        catalog.set_setting(db, SEGMENTATION, asdict(segmentation))


def detect_silences(project: AnnotationProject, segmentation: Segmentation) -> Iterator[int]:
    """Detect the silences of pending long files and store the segments between them.

    Yields how many files are left after each. Files that cannot be read are stored with the reason.
    """
    with database.connect(project.store) as db:
        missing = pending_files(db, segmentation)
        for n_left, file in zip(range(len(missing) - 1, -1, -1), missing, strict=True):
            try:
                ends = find_segments(project, file, segmentation.split)
            except ValueError as error:
                catalog.set_error(db, file.relative_path, str(error))
            else:
                catalog.save_segments(db, file.relative_path, segmentation.key, ends)
            yield n_left


def is_segmented(project: AnnotationProject, segmentation: Segmentation) -> bool:
    """Whether the segments of all long files are known."""
    with database.connect(project.store) as db:
        return not pending_files(db, segmentation)


def pending_files(db: sqlite3.Connection, segmentation: Segmentation) -> list[File]:
    """Long files whose silences are not detected yet."""
    if segmentation.kind != SegmentationKind.SILENCES:
        return []
    segmented = catalog.segments(db, segmentation.key)
    return [
        file
        for file in catalog.files(db)
        if file.error is None
        and is_long(file, segmentation)
        and file.relative_path not in segmented
    ]


def find_segments(
    project: AnnotationProject, file: File, split: Split
) -> list[tuple[float, float]]:
    """The segments of a file that are not silent, in seconds. Raises ValueError."""
    path = project.path_of(file.relative_path)
    rate_hz = io.read_header(path).sample_rate_hz
    segments = silence.split_blocks(io.read_blocks(path), rate_hz, split)
    return [(float(start), float(end)) for start, end in segments]


def preview(
    file: File, segmentation: Segmentation, samples: Samples, rate_hz: int
) -> list[tuple[float, float]]:
    """The tasks in the beginning of a long file, in seconds."""
    if segmentation.kind == SegmentationKind.SILENCES:
        segments = silence.split(samples, rate_hz, segmentation.split)
        return [(float(start), float(end)) for start, end in segments]
    end_s = len(samples) / rate_hz
    part = File(file.relative_path, end_s, rate_hz)
    return [
        (one.start_s or 0.0, one.end_s or end_s) for one in _windows(part, segmentation.window_s)
    ]


def is_long(file: File, segmentation: Segmentation) -> bool:
    """Whether a file is segmented; one of unknown length is not."""
    return (
        segmentation.kind != SegmentationKind.WHOLE
        and (file.duration_s or 0.0) > segmentation.long_s
    )


def _of_file(
    file: File, segmentation: Segmentation, segments: dict[str, list[tuple[float, float]]]
) -> Iterator[AnnotationTask]:
    if not is_long(file, segmentation):
        yield AnnotationTask(file.relative_path)
    elif segmentation.kind == SegmentationKind.SILENCES:
        for start_s, end_s in segments.get(file.relative_path, ()):
            yield AnnotationTask(file.relative_path, start_s, end_s)
    else:
        yield from _windows(file, segmentation.window_s)


def _windows(file: File, window_s: float) -> Iterator[AnnotationTask]:
    """Windows of equal length; the last one is as long as they are, and ends with the file."""
    duration_s, rate_hz = file.duration_s or 0.0, file.rate_hz or 1
    n_samples, n_window = round(duration_s * rate_hz), round(window_s * rate_hz)
    starts = list(range(0, max(1, n_samples - n_window + 1), n_window))
    if starts[-1] + n_window < n_samples - n_window // 10:
        starts.append(n_samples - n_window)
    for start in starts:
        end = min(start + n_window, n_samples)
        yield AnnotationTask(file.relative_path, start / rate_hz, end / rate_hz)


def overlap_weights(task: AnnotationTask, starts_s: np.ndarray, ends_s: np.ndarray) -> np.ndarray:
    """How much each window overlaps a task, (windows,), normalised to sum 1.

    A task that no window overlaps takes the nearest one.
    """
    if task.start_s is None or task.end_s is None:
        return np.full(len(starts_s), 1 / len(starts_s))
    overlap = np.minimum(ends_s, task.end_s) - np.maximum(starts_s, task.start_s)
    weight = np.maximum(overlap, 0.0)
    if weight.sum() == 0:
        weight = (np.arange(len(overlap)) == overlap.argmax()).astype(float)
    weights: np.ndarray = weight / weight.sum()
    return weights
