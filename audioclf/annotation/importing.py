"""Labels taken from other tools; `label_export` gives them away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.event_log import LABEL, Mark
from audioclf.annotation.exporting import EVERYTHING
from audioclf.annotation.project import LabelledSet
from audioclf.datasets.formats.base import Label, class_name, decoded
from audioclf.datasets.formats.registry import format_named
from audioclf.storage.deadline import Check, never

T = TypeVar("T")
CHECKED_EVERY = 200
TEXTS = frozenset({".csv", ".jsonl", ".json", ".txt", ".textgrid"})


@dataclass(frozen=True)
class ImportLimits:
    """What may be taken at once; None is no limit."""

    max_bytes: int | None = None
    max_classes: int | None = None  # of the set, those included that it has
    max_names: int | None = None  # classes of one place
    check: Check = never  # asked between the steps: raises ValueError where the time is over


ANY = ImportLimits()


class Taken(NamedTuple):
    """How many labels are new, and how many lie where there is no sound."""

    n_new: int
    n_left_out: int


def read_labels(
    one: LabelledSet, paths: Sequence[Path], form: str, who: str, limits: ImportLimits = ANY
) -> Taken:
    """Take labels from files of another tool. Raises ValueError, and takes nothing then.

    A file of sound is found by its place in the set, or by its name where only one has it. Labels
    that stand there already are not said again; those shorter than a sample, or behind the sound's
    end, are left out.
    """
    texts = _texts(paths, limits)
    if not texts:
        raise ValueError("There are no files of that format here: name the files, or their folder.")
    found = format_named(form).read(texts)
    places = _places(one)
    limits.check()
    marks = [_mark(label, places, who) for label in _checked(found, limits.check)]
    some = _together([mark for mark in marks if mark is not None])
    if limits.max_names and any(len(mark.names) > limits.max_names for mark in some):
        raise ValueError(
            f"At most {limits.max_names} classes can be named of one place: take fewer."
        )
    with database.opened(one.store) as db, database.whole(db):
        said = {_what(mark) for mark in event_log.current(db)}
        new = [mark for mark in some if _what(mark) not in said]
        names = (name for mark in new for name in mark.names)
        catalog.add_classes(db, names, limits.max_classes)
        for mark in _checked(new, limits.check):
            event_log.add(db, mark)
    return Taken(len(new), marks.count(None))


def _checked(things: Sequence[T], check: Check) -> Iterator[T]:
    """The things; every few hundred the time is looked at."""
    for number, thing in enumerate(things):
        if number % CHECKED_EVERY == 0:
            check()
        yield thing


def check_size(n_bytes: int, limits: ImportLimits) -> None:
    """Raise ValueError for files that are larger together than the limits allow."""
    if limits.max_bytes is not None and n_bytes > limits.max_bytes:
        mb = limits.max_bytes / 1e6
        raise ValueError(f"These files are larger than {mb:g} MB together: take them in parts.")


def _texts(paths: Sequence[Path], limits: ImportLimits) -> dict[str, str]:
    """The contents of files, and of those in folders, by their place. Raises ValueError."""
    found, n_bytes = {}, 0
    for path in paths:
        if not path.exists():
            raise ValueError(f"There is no file “{path}”: name the one with the labels.")
        inside = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in TEXTS]
        for file in inside if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            n_bytes += file.stat().st_size
            check_size(n_bytes, limits)
            limits.check()
            found[name] = decoded(file.read_bytes(), file.name)
    found.pop(EVERYTHING, None)  # it stands beside every export
    return found


def _places(one: LabelledSet) -> dict[str, File]:
    """The files of the set by everything that a label may call them."""
    files = one.files()
    names: dict[str, list[File]] = {}
    for file in files:
        names.setdefault(file.place.rpartition("/")[2], []).append(file)
        names.setdefault(file.place.rpartition("/")[2].rpartition(".")[0], []).append(file)
    unique = {name: own[0] for name, own in names.items() if len(own) == 1}
    return {**unique, **{file.place: file for file in files}}


def _mark(label: Label, places: dict[str, File], who: str) -> Mark | None:
    """A label as it is kept, its ends on samples; None where no sound lies there."""
    file = places.get(label.file) or places.get(label.file.replace("\\", "/").rpartition("/")[2])
    if file is None:
        raise ValueError(f"“{label.file}” is not among the sounds of this data set: add it first.")
    ends: tuple[float | None, float | None] = (None, None)
    if label.start_s is not None and label.end_s is not None:
        ends = catalog.on_samples(file, label.start_s, label.end_s)
        if ends[0] == ends[1]:
            return None
    person = label.who.encode("utf-8", "replace").decode() or who
    return Mark(file.place, LABEL, (class_name(label.name),), *ends, who=person)


def _what(mark: Mark) -> tuple[object, ...]:
    return mark.file, mark.start_s, mark.end_s, mark.names


def _together(marks: list[Mark]) -> list[Mark]:
    """One mark per place, with all its classes."""
    last = {mark.place: mark for mark in marks}
    names: dict[object, dict[str, None]] = {place: {} for place in last}
    for mark in marks:
        names[mark.place].update(dict.fromkeys(mark.names))
    return [
        Mark(mark.file, LABEL, tuple(names[place]), mark.start_s, mark.end_s, who=mark.who)
        for place, mark in last.items()
    ]
