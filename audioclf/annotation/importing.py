"""Import of annotations from the files of other tools; `exporting` is the reverse."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.event_log import AnnotationEvent, EventKind, Suggestion
from audioclf.annotation.exporting import FULL_CSV
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets.formats import birdnet
from audioclf.datasets.formats.base import Label, class_name, decoded
from audioclf.datasets.formats.registry import DETECTIONS, format_named
from audioclf.storage.deadline import Check, never

T = TypeVar("T")
CHECKED_EVERY = 200
UPLOAD_NUMBER = re.compile(r"^[0-9a-f]{8}-")  # before the name of a file in Label Studio
TEXTS = frozenset({".csv", ".jsonl", ".json", ".txt", ".textgrid"})


@dataclass(frozen=True)
class ImportLimits:
    """What may be imported at once; None is no limit."""

    max_bytes: int | None = None
    max_classes: int | None = None  # of the set, those included that it has
    max_names: int | None = None  # classes of one target
    check: Check = never  # called between the steps; raises ValueError when the time is over


ANY = ImportLimits()


class ImportResult(NamedTuple):
    """How many labels are new, and how many were skipped since they lie outside of their file."""

    n_new: int
    n_skipped: int


def read_labels(
    project: AnnotationProject,
    paths: Sequence[Path],
    form: str,
    annotator: str,
    limits: ImportLimits = ANY,
) -> ImportResult:
    """Import labels from files of another tool, all or none.

    An audio file is found by its relative path, or by its name where that is unique. Labels that
    are there already are not added again; those shorter than a sample, or behind the end of the
    file, are skipped.

    Parameters
    ----------
    project : AnnotationProject
        The project, which has the audio files already.
    paths : sequence of Path
        Files with labels, or folders with such files.
    form : str
        The format, a name in `audioclf.datasets.formats.registry.FORMATS`; or one of DETECTIONS
        there, whose contents become suggestions.
    annotator : str
        Who labelled them, where a label does not tell.
    limits : ImportLimits, optional
        What may be imported at once; everything by default.

    Returns
    -------
    ImportResult
        How many labels are new, and how many were skipped.

    Raises
    ------
    ValueError
        For files that are missing or not of that format, labels of unknown sounds, and what is
        beyond the limits: nothing is imported then.
    """
    if form in DETECTIONS:
        return read_detections(project, paths, limits)
    texts = _texts(paths, limits)
    if not texts:
        raise ValueError("There are no files of that format here: name the files, or their folder.")
    labels = format_named(form).read(texts)
    files = _files_by_name(project)
    limits.check()
    events = [_event(label, files, annotator) for label in _checked(labels, limits.check)]
    events_per_target = _merge_per_target([event for event in events if event is not None])
    if limits.max_names and any(len(event.names) > limits.max_names for event in events_per_target):
        raise ValueError(
            f"At most {limits.max_names} classes can be named of one clip: import fewer."
        )
    with database.connect(project.store) as db, database.transaction(db):
        existing = {_content(event) for event in event_log.current(db)}
        new = [event for event in events_per_target if _content(event) not in existing]
        names = (name for event in new for name in event.names)
        catalog.add_classes(db, names, limits.max_classes)
        for event in _checked(new, limits.check):
            event_log.add(db, event)
    return ImportResult(len(new), events.count(None))


def read_detections(
    project: AnnotationProject, paths: Sequence[Path], limits: ImportLimits = ANY
) -> ImportResult:
    """Import what BirdNET-Analyzer detected, all or none: as suggestions, which are no labels.

    A recording is found as `read_labels` finds it, and what is there already is not added again.
    Raises ValueError as that does.
    """
    texts = _texts(paths, limits)
    if not texts:
        raise ValueError("There are no tables here: name those of BirdNET-Analyzer.")
    files = _files_by_name(project)
    events = []
    for detection in _checked(birdnet.read(texts), limits.check):
        event = _event(detection.label, files, birdnet.SOURCE)
        if event is not None:
            suggested = Suggestion(event.names[0], detection.probability, birdnet.SOURCE)
            event = replace(event, names=(), suggested=suggested)
        events.append(event)
    with database.connect(project.store) as db, database.transaction(db):
        known = {(one.target, one.suggested) for one in event_log.suggestions(db)}
        new = [e for e in events if e is not None and (e.target, e.suggested) not in known]
        names = [event.suggested.name for event in new if event.suggested]
        catalog.add_classes(db, names, limits.max_classes)
        for event in _checked(new, limits.check):
            event_log.add_suggestion(db, event)
    return ImportResult(len(new), events.count(None))


def _checked(items: Sequence[T], check: Check) -> Iterator[T]:
    """The items; every few hundred the time limit is checked."""
    for number, item in enumerate(items):
        if number % CHECKED_EVERY == 0:
            check()
        yield item


def check_size(n_bytes: int, limits: ImportLimits) -> None:
    """Raise ValueError for files that are larger together than the limits allow."""
    if limits.max_bytes is not None and n_bytes > limits.max_bytes:
        mb = limits.max_bytes / 1e6
        raise ValueError(f"These files are larger than {mb:g} MB together: import them in parts.")


def _texts(paths: Sequence[Path], limits: ImportLimits) -> dict[str, str]:
    """The contents of files, and of those in folders, by relative path. Raises ValueError."""
    texts, n_bytes = {}, 0
    for path in paths:
        if not path.exists():
            raise ValueError(f"There is no file “{path}”: name the one with the labels.")
        inside = [inner for inner in sorted(path.rglob("*")) if inner.suffix.lower() in TEXTS]
        for file in inside if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            n_bytes += file.stat().st_size
            check_size(n_bytes, limits)
            limits.check()
            texts[name] = decoded(file.read_bytes(), file.name)
    texts.pop(FULL_CSV, None)  # which every export has too
    return texts


def _files_by_name(project: AnnotationProject) -> dict[str, File]:
    """The files of the set by every name that a label may call them."""
    files = project.files()
    names: dict[str, list[File]] = {}
    for file in files:
        name = PurePosixPath(file.relative_path)
        for key in {
            name.name, name.stem, _as_uploaded(name.name), name.with_suffix("").as_posix(),
        }:  # fmt: skip
            names.setdefault(key, []).append(file)
    unique = {name: own[0] for name, own in names.items() if len(own) == 1}
    return {**unique, **{file.relative_path: file for file in files}}


def _find_file(name: str, files: dict[str, File]) -> File:
    """The file that a label names: by its path, or by its name where that is unique.

    Label Studio names files by addresses: behind `?d=` is a path, and an upload has a number in
    hexadecimal digits before its name. Raises ValueError for an unknown one.
    """
    path = unquote(name.rpartition("?d=")[2] if "?d=" in name else name).replace("\\", "/")
    last = PurePosixPath(path).name
    bare = UPLOAD_NUMBER.sub("", last)
    for key in (name, path, last, bare, _as_uploaded(last), _as_uploaded(bare)):
        if key in files:
            return files[key]
    raise ValueError(f"“{name}” is not among the sounds of this data set: add it first.")


def _as_uploaded(name: str) -> str:
    """A file's name as Label Studio spells it: without what Django takes out of it."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


def _event(label: Label, files: dict[str, File], annotator: str) -> AnnotationEvent | None:
    """A label as an event, its ends on samples; None where it is outside of the file."""
    file = _find_file(label.file, files)
    ends: tuple[float | None, float | None] = (None, None)
    if label.start_s is not None and label.end_s is not None:
        ends = catalog.on_samples(file, label.start_s, label.end_s)
        if ends[0] == ends[1]:
            return None
    person = label.annotator.encode("utf-8", "replace").decode() or annotator
    return AnnotationEvent(
        file.relative_path, EventKind.LABEL, (class_name(label.name),), *ends, annotator=person
    )


def _content(event: AnnotationEvent) -> tuple[object, ...]:
    return event.file, event.start_s, event.end_s, event.names


def _merge_per_target(events: list[AnnotationEvent]) -> list[AnnotationEvent]:
    """One event per target, with all its classes."""
    last = {event.target: event for event in events}
    names: dict[object, dict[str, None]] = {target: {} for target in last}
    for event in events:
        names[event.target].update(dict.fromkeys(event.names))
    return [
        AnnotationEvent(
            event.file,
            EventKind.LABEL,
            tuple(names[target]),
            event.start_s,
            event.end_s,
            annotator=event.annotator,
        )
        for target, event in last.items()
    ]
