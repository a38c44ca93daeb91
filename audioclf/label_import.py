"""Labels taken from other tools; `label_export` gives them away."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from audioclf.label_export import EVERYTHING
from audioclf.labelled import LabelledSet
from audioclf.labels import Label, class_name, contents, database, store
from audioclf.labels.contents import File
from audioclf.labels.formats import format_named
from audioclf.labels.store import LABEL, Mark

TEXTS = frozenset({".csv", ".jsonl", ".json", ".txt", ".textgrid"})


class Taken(NamedTuple):
    """How many labels are new, and how many lie where there is no sound."""

    n_new: int
    n_left_out: int


def read_labels(one: LabelledSet, paths: Sequence[Path], form: str, who: str) -> Taken:
    """Take labels from files of another tool. Raises ValueError, and takes nothing then.

    A file of sound is found by its place in the set, or by its name where only one has it. Labels
    that stand there already are not said again; those shorter than a sample, or behind the sound's
    end, are left out.
    """
    texts = _texts(paths)
    if not texts:
        raise ValueError("There are no files of that format here: name the files, or their folder.")
    found = format_named(form).read(texts)
    places = _places(one)
    marks = [_mark(label, places, who) for label in found]
    some = [mark for mark in marks if mark is not None]
    with database.opened(one.store) as db, database.whole(db):
        said = {_what(mark) for mark in store.current(db)}
        new = [mark for mark in _together(some) if _what(mark) not in said]
        for name in dict.fromkeys(name for mark in new for name in mark.names):
            contents.add_class(db, name)
        for mark in new:
            store.add(db, mark)
    return Taken(len(new), len(marks) - len(some))


def _texts(paths: Sequence[Path]) -> dict[str, str]:
    """The contents of files, and of those in folders, by their place. Raises ValueError."""
    found = {}
    for path in paths:
        if not path.exists():
            raise ValueError(f"There is no file “{path}”: name the one with the labels.")
        inside = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in TEXTS]
        for file in inside if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            try:
                found[name] = file.read_text(encoding="utf-8")
            except UnicodeError:
                raise ValueError(f"“{file.name}” is no text in UTF-8: save it as that.") from None
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
        ends = contents.on_samples(file, label.start_s, label.end_s)
        if ends[0] == ends[1]:
            return None
    return Mark(file.place, LABEL, (class_name(label.name),), *ends, who=label.who or who)


def _what(mark: Mark) -> tuple[object, ...]:
    return mark.file, mark.start_s, mark.end_s, mark.names


def _together(marks: list[Mark]) -> list[Mark]:
    """One mark per place, with all its classes."""
    found: dict[object, Mark] = {}
    for mark in marks:
        before = found.get(mark.place)
        names = (*before.names, *mark.names) if before else mark.names
        found[mark.place] = Mark(
            mark.file, LABEL, tuple(dict.fromkeys(names)), mark.start_s, mark.end_s, who=mark.who
        )
    return list(found.values())
