"""Labels given to other tools, with the sounds and a card; `label_import` takes them.

Whatever the format, `audioclf-labels.csv` beside it holds everything that is known.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audioclf import dataset, excerpt
from audioclf._whole import whole_folder, zip_folder
from audioclf.labelled import LabelledSet
from audioclf.labels import Label, plain_csv
from audioclf.labels.formats import Format, format_named
from audioclf.markdown import plain

EVERYTHING = "audioclf-labels.csv"
TRAIN, TEST, TEST_FOLD, N_FOLDS = "train", "test", 1, 5
README = """---
task_categories:
- audio-classification
tags:
- audio
---

# {name}

{n_files} sounds, {n_labels} labels of {n_classes} classes. Labelled with audioclf; `{everything}`
holds everything that is known of every label. Whose recordings these are, and what may be done
with them, is for you to add.

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


FOR_TEACHING = Export("audiofolder", clips="wav", one_class=True)


def write_labels(one: LabelledSet, chosen: Export, output: Path) -> Path:
    """The labels for another tool, as a new folder or a ZIP.

    Raises ValueError where there are none, and for what the format cannot hold.
    """
    if output.exists():
        raise ValueError(f"“{output.name}” is there already: name a new file or folder.")
    with made(one, chosen) as folder:
        if output.suffix == ".zip":
            zip_folder(folder, output)
        else:
            with whole_folder(output) as partial:
                shutil.copytree(folder, partial, dirs_exist_ok=True)
    return output


@contextmanager
def made(one: LabelledSet, chosen: Export) -> Iterator[Path]:
    """The export as a folder that is there as long as it is needed. Raises ValueError."""
    form, labels = format_named(chosen.form), one.labels()
    if chosen.one_class:
        places = Counter((label.file, label.start_s, label.end_s) for label in labels)
        labels = [one for one in labels if places[one.file, one.start_s, one.end_s] == 1]
    if not labels:
        raise ValueError(f"Nothing in “{one.name}” is labelled yet: label some sounds first.")
    if chosen.clips and chosen.clips not in excerpt.FORMS:
        raise ValueError(f"Clips are written as {' or '.join(excerpt.FORMS)}: choose one of them.")
    with tempfile.TemporaryDirectory() as temporary:
        folder, cut = Path(temporary, one.name), Path(temporary, "cut")
        written, durations, sources = labels, one.durations(), dict[str, Path]()
        if chosen.clips:
            written, sources = _as_clips(one, labels, cut, chosen.clips)
            lengths = {
                clip.file: _length(label) for clip, label in zip(written, labels, strict=True)
            }
            durations |= {clip: lengths[clip] for clip in sources}
        if chosen.is_split:
            written = _in_folds(written)
        is_in_parts = chosen.is_split and chosen.form == "audiofolder"
        for prefix, part in _parts(written) if is_in_parts else [("", written)]:
            _write(form, part, durations, folder / prefix)
            if chosen.with_sounds or chosen.clips:
                _copy(one, _targets(form, part, durations), sources, folder / prefix)
        _keep(folder / EVERYTHING, plain_csv.write(labels, one.durations())[plain_csv.FILE])
        _keep(folder / "README.md", _readme(one, labels))
        yield folder


def _write(form: Format, labels: list[Label], durations: dict[str, float], folder: Path) -> None:
    for name, text in form.write(labels, durations).items():
        _keep(_inside(folder, name), text)


def _targets(form: Format, labels: list[Label], durations: dict[str, float]) -> dict[str, str]:
    """Where the format says that sounds lie, by what the labels call them."""
    if form.holds_stretches:
        return {label.file: label.file for label in labels}
    read = form.read(form.write(labels, durations))
    return {label.file: again.file for label, again in zip(labels, read, strict=False)}


def _copy(
    one: LabelledSet, targets: dict[str, str], sources: dict[str, Path], folder: Path
) -> None:
    for file, target in targets.items():
        path = _inside(folder, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources.get(file) or one.path_of(file), path)


def _as_clips(
    one: LabelledSet, labels: list[Label], folder: Path, form: str
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


def _parts(labels: Sequence[Label]) -> list[tuple[str, list[Label]]]:
    """Sounds to teach with and sounds to test on, under the folders that other tools expect."""
    return [
        (TRAIN, [label for label in labels if label.fold != TEST_FOLD]),
        (TEST, [label for label in labels if label.fold == TEST_FOLD]),
    ]


def _length(label: Label) -> float:
    return (label.end_s or 0.0) - (label.start_s or 0.0)


def _readme(one: LabelledSet, labels: list[Label]) -> str:
    counts = Counter(label.name for label in labels)
    rows = [f"| {plain(name)} | {n} |" for name, n in counts.most_common()]
    return README.format(
        name=plain(one.name), n_files=len({label.file for label in labels}), n_labels=len(labels),
        n_classes=len(counts), classes="\n".join(rows), everything=EVERYTHING,
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
