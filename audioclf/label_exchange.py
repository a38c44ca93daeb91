"""Labels taken from other tools, and given to them."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from audioclf._whole import whole_folder, zip_folder
from audioclf.labelled import LabelledSet
from audioclf.labels import Label, store
from audioclf.labels.formats import FORMATS, Format
from audioclf.labels.store import LABEL, Mark

TEXTS = frozenset({".csv", ".jsonl", ".json", ".txt", ".textgrid"})
README = """# {name}

{n_files} sounds, {n_labels} labels of {n_classes} classes{classes}. Labelled with audioclf.
"""


def read_labels(one: LabelledSet, paths: Sequence[Path], form: str, who: str) -> int:
    """Take labels from files of another tool; how many these were. Raises ValueError.

    A file of sound is found by its place in the set, or by its name where only one has it. Labels
    that stand there already are not said again.
    """
    texts = _texts(paths)
    if not texts:
        raise ValueError("There are no files of that format here: name the files, or their folder.")
    found = _format(form).read(texts)
    places = _places(one)
    marks = [_mark(label, places, who) for label in found]
    with store.opened(one.store) as db:
        said = {(m.place, m.names) for m in store.current(db)}
        new = [mark for mark in _together(marks) if (mark.place, mark.names) not in said]
        for name in dict.fromkeys(name for mark in new for name in mark.names):
            store.add_class(db, name)
        for mark in new:
            store.add(db, mark)
    return len(new)


def write_labels(one: LabelledSet, form: str, output: Path, *, with_sounds: bool) -> Path:
    """The labels for another tool, as a new folder or a ZIP; with the sounds where that is asked.

    Raises ValueError where there are none, and for what the format cannot hold.
    """
    chosen, labels = _format(form), one.labels()
    if not labels:
        raise ValueError(f"Nothing in “{one.name}” is labelled yet: label some sounds first.")
    texts = chosen.write(labels, one.durations())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, one.name)
        for name, text in {**texts, "README.md": _readme(one, labels)}.items():
            _inside(folder, name).parent.mkdir(parents=True, exist_ok=True)
            _inside(folder, name).write_text(text, encoding="utf-8")
        if with_sounds:
            places = {label.file: label.file for label in labels}
            if not chosen.holds_stretches:  # these formats say themselves where sounds lie
                read = chosen.read(texts)
                places = {a.file: b.file for a, b in zip(read, labels, strict=False)}
            _copy_sounds(one, places, folder)
        return _publish(folder, output)


def _copy_sounds(one: LabelledSet, places: dict[str, str], folder: Path) -> None:
    """The sounds, from their places in the set to those in the export."""
    for target, source in places.items():
        path = _inside(folder, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_inside(one.sounds, source), path)


def _publish(folder: Path, output: Path) -> Path:
    """The folder under its name, or as a ZIP. Raises ValueError where that is taken."""
    if output.exists():
        raise ValueError(f"“{output.name}” is there already: name a new file or folder.")
    if output.suffix != ".zip":
        with whole_folder(output) as partial:
            shutil.copytree(folder, partial, dirs_exist_ok=True)
        return output
    zip_folder(folder, output)
    return output


def _readme(one: LabelledSet, labels: list[Label]) -> str:
    names = sorted({label.name for label in labels})
    listed = f": {', '.join(names)}" if len(names) <= 50 else ""
    return README.format(
        name=one.name, n_files=len({label.file for label in labels}), n_labels=len(labels),
        n_classes=len(names), classes=listed,
    )  # fmt: skip


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
    return found


def _places(one: LabelledSet) -> dict[str, str]:
    """Places in the set by everything that a label may call them."""
    files = [file.place for file in one.files()]
    names: dict[str, list[str]] = {}
    for file in files:
        names.setdefault(file.rpartition("/")[2], []).append(file)
    unique = {name: own[0] for name, own in names.items() if len(own) == 1}
    return {**unique, **{file: file for file in files}}


def _mark(label: Label, places: dict[str, str], who: str) -> Mark:
    file = places.get(label.file) or places.get(label.file.replace("\\", "/").rpartition("/")[2])
    if file is None:
        raise ValueError(f"“{label.file}” is not among the sounds of this data set: add it first.")
    return Mark(file, LABEL, (label.name,), label.start_s, label.end_s, who=label.who or who)


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


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(f"There is no format “{name}”: choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def _inside(folder: Path, name: str) -> Path:
    """A place in a folder. Raises ValueError where it would lie elsewhere."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"“{name[:80]}” would lie outside of the data set: rename it.")
    return path
