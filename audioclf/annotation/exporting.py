"""Labels given to other tools, with the sounds and a card; `label_import` takes them.

Whatever the format, `audioclf-events.csv` beside it holds everything that counts.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from audioclf.annotation import database, event_log
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import excerpt
from audioclf.datasets import dataset
from audioclf.datasets.formats import audiofolder
from audioclf.datasets.formats.base import Label
from audioclf.datasets.formats.registry import Format, format_named
from audioclf.storage import csv_cells
from audioclf.storage.atomic import atomic_folder, zip_folder
from audioclf.storage.deadline import Check, never
from audioclf.text import escape_markdown

T = TypeVar("T")
FULL_CSV = "audioclf-events.csv"
MARKS = (
    "file", "start_s", "end_s", "kind", "label", "who", "at", "suggested", "probability", "by",
    "by_chance", "accepted",
)  # fmt: skip
TRAIN, TEST, TEST_FOLD, N_FOLDS = "train", "test", 1, 5
README = """---
task_categories:
- audio-classification
tags:
- audio
---

# {name}

{n_files} sounds, {n_labels} labels of {n_classes} classes. Labelled with audioclf; `{everything}`
holds everything that was said and what was suggested. Whose recordings these are, and what may be
done with them, is for you to add.

| class | labels |
|---|---|
{classes}
"""


@dataclass(frozen=True)
class Export:
    """What is given away, and how."""

    form: str = "csv"
    with_sounds: bool = False
    clips: str = ""  # flac or wav: with sounds, of which every stretch is a file of its own
    is_split: bool = False  # into training and test sounds, or folds, by recording
    one_class: bool = False  # without what has several


TRAINING_EXPORT = Export("audiofolder", clips="wav", one_class=True)


def write_labels(
    one: AnnotationProject, chosen: Export, output: Path, check: Check = never
) -> Path:
    """The labels for another tool, as a new folder or a ZIP.

    Raises ValueError where there are none, and for what the format cannot hold.
    """
    if output.exists():
        raise ValueError(f"“{output.name}” is there already: name a new file or folder.")
    with exported_folder(one, chosen, check) as folder:
        if output.suffix == ".zip":
            zip_folder(folder, output)
        else:
            with atomic_folder(output) as partial:
                shutil.copytree(folder, partial, dirs_exist_ok=True)
    return output


@contextmanager
def exported_folder(one: AnnotationProject, chosen: Export, check: Check = never) -> Iterator[Path]:
    """The export as a folder that is there as long as it is needed. Raises ValueError.

    check: asked between the steps, and raises ValueError where the time is over.
    """
    form = format_named(chosen.form)
    labels = sorted(one.labels(), key=lambda label: (label.file, label.start_s or 0.0))
    if chosen.one_class:
        labels = _of_one_class(labels)
    if not labels:
        raise ValueError(f"Nothing in “{one.name}” is labelled yet: label some sounds first.")
    if chosen.clips and chosen.clips not in excerpt.FORMS:
        raise ValueError(f"Clips are written as {' or '.join(excerpt.FORMS)}: choose one of them.")
    with tempfile.TemporaryDirectory() as temporary:
        folder, cut = Path(temporary, "export", one.name), Path(temporary, "cut")
        written, durations, sources = labels, one.durations(), dict[str, Path]()
        if chosen.clips:
            written, sources = _as_clips(one, _checked(labels, check), cut, chosen.clips)
            durations |= _lengths(written, labels)
        for prefix, part, own in _parts(form, written, chosen):
            _write(own, part, durations, folder / prefix)
            if chosen.with_sounds or chosen.clips:
                targets = _checked(_targets(own, part, durations).items(), check)
                _copy(one, targets, sources, folder / prefix)
        check()
        _keep(folder / FULL_CSV, _everything(one))
        _keep(folder / "README.md", _readme(one, labels))
        yield folder


def _parts(
    form: Format, labels: list[Label], chosen: Export
) -> list[tuple[str, list[Label], Format]]:
    """What is written where: everything, or what to teach and what to test with.

    Both under the folders that other tools expect, and in the same kind of table.
    """
    if not chosen.is_split:
        return [("", labels, form)]
    labels = _in_folds(labels)
    if chosen.form != "audiofolder":  # it holds folds
        return [("", labels, form)]
    if audiofolder.has_several(labels):
        form = form._replace(write=audiofolder.write_lines)
    return [
        (TRAIN, [label for label in labels if label.fold != TEST_FOLD], form),
        (TEST, [label for label in labels if label.fold == TEST_FOLD], form),
    ]


def _checked(things: Iterable[T], check: Check) -> Iterator[T]:
    for thing in things:
        check()
        yield thing


def _of_one_class(labels: list[Label]) -> list[Label]:
    """A label per place, without the places that have several classes."""
    found: dict[tuple[str, float | None, float | None], dict[str, Label]] = {}
    for label in labels:
        found.setdefault((label.file, label.start_s, label.end_s), {})[label.name] = label
    return [next(iter(own.values())) for own in found.values() if len(own) == 1]


def _write(form: Format, labels: list[Label], durations: dict[str, float], folder: Path) -> None:
    for name, text in form.write(labels, durations).items():
        _keep(_inside(folder, name), text)


def _targets(form: Format, labels: list[Label], durations: dict[str, float]) -> dict[str, str]:
    """Where the format says that sounds lie, by what the labels call them."""
    if form.holds_stretches:
        return {label.file: label.file for label in labels}
    again = [label.file for label in form.read(form.write(labels, durations))]
    files = [label.file for label in labels]
    return dict(zip(files, again if set(again) != set(files) else files, strict=True))


def _copy(
    one: AnnotationProject,
    targets: Iterable[tuple[str, str]],
    sources: dict[str, Path],
    folder: Path,
) -> None:
    for file, target in targets:
        path = _inside(folder, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(sources.get(file) or one.path_of(file), path)
        except OSError as error:
            why = error.strerror or error
            raise ValueError(f"“{file}” cannot be copied ({why}): bring it back.") from error


def _as_clips(
    one: AnnotationProject, labels: Iterable[Label], folder: Path, form: str
) -> tuple[list[Label], dict[str, Path]]:
    """The labels with every stretch as a file of its own, and where these lie.

    All of one recording are a group.
    """
    folder.mkdir()
    cut: dict[tuple[str, float, float], str] = {}
    sources: dict[str, Path] = {}
    found = []
    for label in labels:
        group = label.group or label.file
        if label.start_s is None or label.end_s is None:
            found.append(replace(label, group=group))
            continue
        where = (label.file, label.start_s, label.end_s)
        if where not in cut:
            name = f"{len(cut) + 1:05}_{Path(label.file).stem[:60]}.{form}"
            cut[where], sources[f"clips/{name}"] = f"clips/{name}", folder / name
            excerpt.cut(one.path_of(label.file), folder / name, label.start_s, label.end_s)
        found.append(replace(label, file=cut[where], start_s=None, end_s=None, group=group))
    return found, sources


def _in_folds(labels: list[Label]) -> list[Label]:
    """The labels with folds, each with its share of every class, none with half a recording."""
    groups = np.array([label.group or label.file for label in labels])
    names = np.array([label.name for label in labels])
    folds = dataset.grouped_folds(names, groups, N_FOLDS)
    return [replace(label, fold=fold) for label, fold in zip(labels, folds, strict=True)]


def _lengths(clips: list[Label], labels: list[Label]) -> dict[str, float]:
    """How long the clips are that were cut, in seconds."""
    return {
        clip.file: (label.end_s or 0.0) - (label.start_s or 0.0)
        for clip, label in zip(clips, labels, strict=True)
        if clip.file != label.file
    }


def _everything(one: AnnotationProject) -> str:
    """All that counts, also what is no label: a row per class of a mark, with what stood there."""
    with database.connect(one.store) as db:
        events = event_log.current(db)
    rows = []
    for event in events:
        shown = event.suggested
        row = {
            **vars(event), "accepted": bool(event.accepted), "by": shown and shown.source,
            "suggested": shown and shown.name, "probability": shown and shown.probability,
            "by_chance": shown and shown.is_random,
        }  # fmt: skip
        rows += [{**row, "label": name} for name in event.names or ("",)]
    return csv_cells.write(MARKS, rows)


def _readme(one: AnnotationProject, labels: list[Label]) -> str:
    counts = Counter(label.name for label in labels)
    rows = [f"| {escape_markdown(name)} | {n} |" for name, n in counts.most_common()]
    return README.format(
        name=escape_markdown(one.name), n_files=len({label.file for label in labels}), n_labels=len(labels),
        n_classes=len(counts), classes="\n".join(rows), everything=FULL_CSV,
    )  # fmt: skip


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _inside(folder: Path, name: str) -> Path:
    """A place in a folder. Raises ValueError where it would lie elsewhere."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"“{name[:80]}” would lie outside of the data set: rename it.")
    return path
