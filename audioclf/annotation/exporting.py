"""Export of annotations for other tools, with audio files and a card; `importing` is the reverse.

Whatever the format, the export also has `audioclf-marks.csv` with all current annotations.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from audioclf.annotation import database, event_log
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import excerpt
from audioclf.audio.excerpt import ClipFormat
from audioclf.datasets import dataset
from audioclf.datasets.formats import audiofolder, label_studio
from audioclf.datasets.formats.base import Label
from audioclf.datasets.formats.registry import Format, format_named
from audioclf.storage import csv_cells
from audioclf.storage.atomic import atomic_folder, zip_folder
from audioclf.storage.deadline import Check, never
from audioclf.storage.hub_card import dataset_card
from audioclf.text import escape_markdown

T = TypeVar("T")
FULL_CSV = "audioclf-marks.csv"
COLUMNS = (
    "file", "start_s", "end_s", "kind", "label", "who", "at", "suggested", "probability", "by",
    "by_chance", "accepted",
)  # fmt: skip
FOLDED = ("esc50", "urbansound8k")  # formats whose every row has a fold
TRAIN, TEST, TEST_FOLD, N_FOLDS = "train", "test", 1, 5
README = """# {name}

{n_files} audio files, {n_labels} labels of {n_classes} classes. Labelled with audioclf;
`{everything}` has all annotations and what was suggested. Add the attribution and the licence of
the recordings.

| class | labels |
|---|---|
{classes}
"""


@dataclass(frozen=True)
class Export:
    """What is exported, and how."""

    format: str = "csv"
    with_sounds: bool = False
    clips: str = ""  # flac or wav: audio files with one file per segment
    is_split: bool = False  # into training and test sets, or folds, by recording
    one_class: bool = False  # without clips of several classes
    audio_prefix: str = label_studio.LOCAL_PREFIX  # before files, in tasks of Label Studio


TRAINING_EXPORT = Export("audiofolder", clips=ClipFormat.WAV, one_class=True)


def write_labels(
    project: AnnotationProject, export: Export, output: Path, check: Check = never
) -> Path:
    """Write the labels for another tool, as a new folder or a ZIP.

    Parameters
    ----------
    project : AnnotationProject
        The project whose current labels are written.
    export : Export
        The format, and whether sounds, clips and a split belong to it.
    output : Path
        The new folder; a ZIP where its name ends with `.zip`.
    check : callable, optional
        Called between the steps; raises ValueError when the time is over.

    Returns
    -------
    Path
        The path `output`.

    Raises
    ------
    ValueError
        Where nothing is labelled, `output` exists already, a sound is missing, and for what the
        format cannot hold.
    """
    if output.exists():
        raise ValueError(f"“{output.name}” is there already: name a new file or folder.")
    with exported_folder(project, export, check) as folder:
        if output.suffix == ".zip":
            zip_folder(folder, output)
        else:
            with atomic_folder(output) as partial:
                shutil.copytree(folder, partial, dirs_exist_ok=True)
    return output


@contextmanager
def exported_folder(
    project: AnnotationProject, export: Export, check: Check = never
) -> Iterator[Path]:
    """The export as a temporary folder. Raises ValueError.

    check: called between the steps; raises ValueError when the time is over.
    """
    writer = format_named(export.format)
    if export.format == "label_studio":
        writer = writer._replace(write=partial(label_studio.write, prefix=export.audio_prefix))
    labels = sorted(project.labels(), key=lambda label: (label.file, label.start_s or 0.0))
    if export.one_class:
        labels = _of_one_class(labels)
    if not labels:
        raise ValueError(
            f"Nothing in “{project.read_name()}” is labelled yet: label some sounds first."
        )
    if export.clips and export.clips not in tuple(ClipFormat):
        raise ValueError(f"Clips are written as {' or '.join(ClipFormat)}: choose one of them.")
    with tempfile.TemporaryDirectory() as temporary:
        folder, cut = Path(temporary, "export", project.read_name()), Path(temporary, "cut")
        written, durations, sources = labels, project.durations(), dict[str, Path]()
        if export.clips:
            written, sources = _as_clips(project, labels, cut, export.clips, check)
            durations |= _lengths(written, labels)
        for prefix, part, part_writer in _parts(writer, written, export):
            _write(part_writer, part, durations, folder / prefix)
            if export.with_sounds or export.clips:
                targets = _checked(_targets(part_writer, part, durations).items(), check)
                _copy(project, targets, sources, folder / prefix)
        check()
        _write_text(folder / FULL_CSV, _full_csv(project))
        _write_text(folder / "README.md", _readme(project, labels))
        yield folder


def _parts(
    writer: Format, labels: list[Label], export: Export
) -> list[tuple[str, list[Label], Format]]:
    """The subfolder, labels and format of each part: everything, or a training and a test set.

    Both lie in the folders that other tools expect, with the same kind of table.
    """
    if not export.is_split:
        return [("", _in_folds_if_any(labels) if export.format in FOLDED else labels, writer)]
    labels = _in_folds(labels)
    if export.format != "audiofolder":  # it holds folds
        return [("", labels, writer)]
    if audiofolder.has_several(labels):
        writer = writer._replace(write=audiofolder.write_lines)
    return [
        (TRAIN, [label for label in labels if label.fold != TEST_FOLD], writer),
        (TEST, [label for label in labels if label.fold == TEST_FOLD], writer),
    ]


def _checked(items: Iterable[T], check: Check) -> Iterator[T]:
    for item in items:
        check()
        yield item


def _of_one_class(labels: list[Label]) -> list[Label]:
    """One label per clip, without clips of several classes."""
    by_clip: dict[tuple[str, float | None, float | None], dict[str, Label]] = {}
    for label in labels:
        by_clip.setdefault((label.file, label.start_s, label.end_s), {})[label.name] = label
    return [next(iter(names.values())) for names in by_clip.values() if len(names) == 1]


def _write(writer: Format, labels: list[Label], durations: dict[str, float], folder: Path) -> None:
    for name, text in writer.write(labels, durations).items():
        _write_text(_inside(folder, name), text)


def _targets(writer: Format, labels: list[Label], durations: dict[str, float]) -> dict[str, str]:
    """The paths at which the format expects audio files, by the files of the labels."""
    if writer.holds_segments:
        return {label.file: label.file for label in labels}
    read_back = [label.file for label in writer.read(writer.write(labels, durations))]
    files = [label.file for label in labels]
    return dict(zip(files, read_back if set(read_back) != set(files) else files, strict=True))


def _copy(
    project: AnnotationProject,
    targets: Iterable[tuple[str, str]],
    sources: dict[str, Path],
    folder: Path,
) -> None:
    for file, target in targets:
        path = _inside(folder, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(sources.get(file) or project.path_of(file), path)
        except OSError as error:
            reason = error.strerror or error
            raise ValueError(f"“{file}” cannot be copied ({reason}): restore it.") from error


def _as_clips(
    project: AnnotationProject, labels: list[Label], folder: Path, suffix: str, check: Check
) -> tuple[list[Label], dict[str, Path]]:
    """The labels with every segment as a file of its own, and the paths of these files.

    All segments of one recording are a group; which recordings share a source is not known.
    """
    folder.mkdir()
    recordings = {label.file for label in labels if not label.is_whole}
    cut: dict[tuple[str, float, float], str] = {}
    sources: dict[str, Path] = {}
    clips = []
    for label in _checked(labels, check):
        group = label.group or (label.file if label.file in recordings else "")
        if label.start_s is None or label.end_s is None:
            clips.append(replace(label, group=group))
            continue
        segment = (label.file, label.start_s, label.end_s)
        if segment not in cut:
            name = f"{len(cut) + 1:05}_{Path(label.file).stem[:60]}.{suffix}"
            cut[segment], sources[f"clips/{name}"] = f"clips/{name}", folder / name
            excerpt.cut(project.path_of(label.file), folder / name, label.start_s, label.end_s)
        clips.append(replace(label, file=cut[segment], start_s=None, end_s=None, group=group))
    return clips, sources


def _in_folds(labels: list[Label]) -> list[Label]:
    """The labels with folds, stratified by class and grouped by recording."""
    groups = np.array([label.group or label.file for label in labels])
    names = np.array([label.name for label in labels])
    folds = dataset.grouped_folds(names, groups, N_FOLDS)
    return [replace(label, fold=fold) for label, fold in zip(labels, folds, strict=True)]


def _in_folds_if_any(labels: list[Label]) -> list[Label]:
    """The labels with folds, or without where there is but one recording."""
    try:
        return _in_folds(labels)
    except ValueError:
        return labels


def _lengths(clips: list[Label], labels: list[Label]) -> dict[str, float]:
    """Durations of the clips that were cut, in seconds."""
    return {
        clip.file: (label.end_s or 0.0) - (label.start_s or 0.0)
        for clip, label in zip(clips, labels, strict=True)
        if clip.file != label.file
    }


def _full_csv(project: AnnotationProject) -> str:
    """All current annotations, also those that are no labels, with what was suggested.

    One row per class of an event; the columns keep the names that they had in earlier versions.
    """
    with database.connect(project.store) as db:
        events = event_log.current(db)
    rows = []
    for event in events:
        suggestion = event.suggested
        row = {
            "file": event.file, "start_s": event.start_s, "end_s": event.end_s,
            "kind": event.kind, "who": event.annotator, "at": event.created_at,
            "accepted": bool(event.accepted), "by": suggestion and suggestion.source,
            "suggested": suggestion and suggestion.name,
            "probability": suggestion and suggestion.probability,
            "by_chance": suggestion and suggestion.is_random,
        }  # fmt: skip
        rows += [{**row, "label": name} for name in event.names or ("",)]
    return csv_cells.write(COLUMNS, rows)


def _readme(project: AnnotationProject, labels: list[Label]) -> str:
    counts = Counter(label.name for label in labels)
    rows = [f"| {escape_markdown(name)} | {n} |" for name, n in counts.most_common()]
    body = README.format(
        name=escape_markdown(project.read_name()), n_files=len({label.file for label in labels}),
        n_labels=len(labels), n_classes=len(counts), classes="\n".join(rows), everything=FULL_CSV,
    )  # fmt: skip
    return dataset_card(body, task_categories=["audio-classification"], tags=["audio"])


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _inside(folder: Path, name: str) -> Path:
    """The path of a file in a folder. Raises ValueError where it would lie outside of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"“{name[:80]}” would lie outside of the data set: rename it.")
    return path
