"""A labelled folder: files, classes and folds, whatever its layout.

The layouts are those of `audioclf.datasets.layouts`, with a fold or a group per clip where they
have one. Clips of one recording share a fold, so a data set is split by fold and never by window;
where there are groups and no folds, a group is never split.
"""

import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audioclf.datasets import grouping as groupings
from audioclf.datasets import layouts
from audioclf.datasets.formats.clip_tables import ClipRow
from audioclf.datasets.grouping import BY_TABLE, Grouping, GroupingHints
from audioclf.datasets.layouts import IgnoredFile

N_MADE_FOLDS, MOST_MADE_FOLDS = 5, 20


@dataclass(frozen=True)
class LabelledClip:
    """One file and what it is."""

    path: Path
    label: str
    fold: int
    group: str = ""  # of clips that belong together, such as those of one recording
    path_in_dataset: str = ""  # from the data set's folder

    @property
    def relative_path(self) -> str:
        """Its path in the data set, such as `dog/1.wav`."""
        return self.path_in_dataset or f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True)
class Dataset:
    """The labelled clips of a folder, and where they come from.

    Attributes
    ----------
    name : str
        The folder's name.
    clips : tuple of LabelledClip
        A clip per row of the table, or per file.
    has_own_folds : bool
        Whether the folds come with the data; otherwise they were made here.
    attribution : str
        Who recorded the clips and under which licences, where the table tells.
    layout : str
        The layout in words, such as “a folder per class”.
    grouping : Grouping
        What the groups of the clips come from.
    hints : GroupingHints
        What else could tell sources here.
    ignored : tuple of IgnoredFile
        The files in the folder that are none of its clips, and why.
    """

    name: str
    clips: tuple[LabelledClip, ...]
    has_own_folds: bool
    attribution: str = ""
    layout: str = ""
    grouping: Grouping = BY_TABLE
    hints: GroupingHints = GroupingHints()
    ignored: tuple[IgnoredFile, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, sorted."""
        return tuple(sorted({clip.label for clip in self.clips}))

    @property
    def folds(self) -> tuple[int, ...]:
        """The fold numbers, sorted."""
        return tuple(sorted({clip.fold for clip in self.clips}))

    def of_folds(self, folds: set[int]) -> "Dataset":
        """The clips of these folds. Raises ValueError for a fold that is not there."""
        if missing := folds - set(self.folds):
            raise ValueError(
                f"There is no fold {min(missing)} in {self.name}: it has the folds "
                f"{', '.join(map(str, self.folds))}."
            )
        return replace(self, clips=tuple(clip for clip in self.clips if clip.fold in folds))

    def held_out(self, share: float) -> set[int]:
        """Folds that hold about this share of the clips, and never all; none for a share of 0.

        Of folds that were made, the first ones: they have a clip of every class that has two.
        """
        if share <= 0 or len(self.folds) < 2:
            return set()
        n_wanted, held_out = share * len(self.clips), set[int]()
        order = reversed(self.folds) if self.has_own_folds else self.folds
        for fold in list(order)[:-1]:
            n_clips = len(self.of_folds({fold}).clips)
            n_held_out = len(self.of_folds(held_out).clips) if held_out else 0
            if held_out and n_held_out + n_clips / 2 > n_wanted:
                break
            held_out.add(fold)
        return held_out

    def missing_per_split(self, held_out: set[int]) -> tuple[list[str], list[str]]:
        """The classes without a training clip, and those without a validation clip."""
        if not held_out:
            return [], []
        train = {clip.label for clip in self.clips if clip.fold not in held_out}
        validation = {clip.label for clip in self.clips if clip.fold in held_out}
        return sorted(set(self.classes) - train), sorted(set(self.classes) - validation)

    def without(self, names: Collection[str], classes: Collection[str] = ()) -> "Dataset":
        """Without the clips of these relative paths, such as `dog/1.wav`, or of these classes."""
        clips = tuple(
            clip
            for clip in self.clips
            if clip.relative_path not in names and clip.label not in classes
        )
        return replace(self, clips=clips)


def n_folds_for(share: float) -> int:
    """How many folds are made so that one of them is about that share."""
    return min(MOST_MADE_FOLDS, max(2, round(1 / share))) if share > 0 else N_MADE_FOLDS


def load(
    folder: str | Path, n_made_folds: int = N_MADE_FOLDS, grouping: Grouping = BY_TABLE
) -> Dataset:
    """Load a labelled folder, whatever its layout; folds are made where it has none.

    Parameters
    ----------
    folder : str or Path
        A folder per class, or one of the tables of `audioclf.datasets.layouts`.
    n_made_folds : int, optional
        How many folds are made for data without folds: stratified by class, with every group in
        one fold, and the same each time.
    grouping : Grouping, optional
        What tells which clips are of one source; by default the table of the data set.

    Returns
    -------
    Dataset
        The clips with their classes and folds; no audio is decoded.

    Raises
    ------
    ValueError
        For a folder that is missing or cannot be read, fewer than two classes, folds that are no
        whole numbers, and groups of which none can be held out.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"There is no folder “{folder}”: name the folder of a labelled data set.")
    try:
        folder = layouts.find_root(folder)
        layout, rows = layouts.read(folder)
        hints = groupings.hints(rows)
        rows = groupings.group_rows(rows, grouping)
        ignored = tuple(layouts.find_ignored(folder, {row.file for row in rows}))
    except (OSError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "its table is nested too deeply"
        raise ValueError(f"“{folder.name[:80]}” cannot be read ({why}).") from error
    if len({row.labels for row in rows}) < 2:
        raise ValueError(
            f"“{folder.name}” holds fewer than two classes of sounds{_only(rows)}: add another "
            "one, in a folder per class or named in a metadata.csv with file_name and label."
        )
    has_own_folds = all(row.fold for row in rows) and len({row.fold for row in rows}) > 1
    folds = (
        [_fold(row, layout) for row in rows] if has_own_folds else _made_folds(rows, n_made_folds)
    )
    clips = (
        LabelledClip(folder / row.file, row.labels[0], fold, row.group, row.file)
        for row, fold in zip(rows, folds, strict=True)
    )
    attribution = _attribution(rows)
    return Dataset(
        folder.name, tuple(clips), has_own_folds, attribution, layout, grouping, hints, ignored
    )


def _only(rows: list[ClipRow]) -> str:
    """The one class that is there, and how much of it."""
    return f" ({rows[0].labels[0]}, {len(rows)} clips)" if rows else ""


def _fold(row: ClipRow, table: str) -> int:
    try:
        return int(row.fold)
    except ValueError:
        raise ValueError(
            f"“{Path(table).name}” has the fold “{row.fold}” for {row.file}: folds are "
            "whole numbers."
        ) from None


def _made_folds(rows: list[ClipRow], n_folds: int) -> list[int]:
    """Folds from 1 on, each with its share of every class and whole groups, always the same."""
    labels = np.array([row.labels[0] for row in rows])
    if any(row.group for row in rows):  # a clip without one is a group of its own
        return grouped_folds(labels, np.array([row.group or row.file for row in rows]), n_folds)
    folds = np.zeros(len(rows), int)
    rng = np.random.default_rng(0)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        folds[members] = np.arange(len(members)) % n_folds + 1
    return folds.tolist()


def grouped_folds(labels: NDArray[np.str_], groups: NDArray[np.str_], n_folds: int) -> list[int]:
    """Folds from 1 on that share no group; fewer with fewer groups. Raises ValueError."""
    largest = int(np.unique(labels, return_counts=True)[1].max())
    n_folds = min(n_folds, len(np.unique(groups)), largest)
    if n_folds < 2:
        raise ValueError(
            "All clips are of one group, or one of each class, so none can be held out: add others."
        )
    from sklearn.model_selection import StratifiedGroupKFold

    folds = np.zeros(len(labels), int)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about classes with fewer groups than folds
        for number, (_, held_out) in enumerate(splitter.split(labels, labels, groups), 1):
            folds[held_out] = number
    return folds.tolist()


def _attribution(rows: list[ClipRow]) -> str:
    """Who recorded the clips and under which licences, where the table says."""
    authors = sorted({row.author for row in rows if row.author}, key=str.casefold)
    licences = sorted({row.license for row in rows if row.license})
    parts = [f"Recordings by {', '.join(authors)}."] if authors else []
    parts += [f"Licences of the recordings: {', '.join(licences)}."] if licences else []
    return " ".join(parts)
