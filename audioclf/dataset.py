"""A labelled folder: files, classes and folds, whatever its layout.

Two layouts: a folder per class, or `metadata.csv` with `file_name,label` and optionally `fold` or
`group` (a Hugging Face audiofolder). Clips of one recording share a fold, so a data set is split by
fold and never by window; where there are groups and no folds, a group is never split.
"""

import csv
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SOUNDS = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".caf"}
    | {".m4a", ".aac", ".mp4", ".webm", ".wma"}  # through PyAV
)
N_MADE_FOLDS = 5


@dataclass(frozen=True)
class LabelledClip:
    """One file and what it is."""

    path: Path
    label: str
    fold: int


@dataclass(frozen=True)
class Dataset:
    """The labelled clips of a folder, and where they come from."""

    name: str
    clips: tuple[LabelledClip, ...]
    has_own_folds: bool
    attribution: str = ""

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


def load(folder: str | Path) -> Dataset:
    """The data set in `folder`, read by its layout. Raises ValueError."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"There is no folder “{folder}”: name the folder of a labelled data set.")
    table = folder / "metadata.csv"
    rows = _metadata_rows(table) if table.is_file() else _folder_rows(folder)
    if len({row["label"] for row in rows}) < 2:
        raise ValueError(
            f"“{folder.name}” holds fewer than two classes of sounds: make one folder per class, "
            "or a metadata.csv with file_name and label."
        )
    has_own_folds = all(row.get("fold") for row in rows)
    folds = [_fold(row, table) for row in rows] if has_own_folds else _made_folds(rows)
    clips = (
        LabelledClip(folder / row["file_name"], row["label"], fold)
        for row, fold in zip(rows, folds, strict=True)
    )
    return Dataset(folder.name, tuple(clips), has_own_folds, _attribution(rows))


Row = dict[str, str]


def _metadata_rows(table: Path) -> list[Row]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            for column in ("file_name", "label"):
                if column not in (reader.fieldnames or ()):
                    raise ValueError(
                        f"“{table.name}” has no column “{column}”: its first line names the "
                        "columns, file_name,label and optionally fold."
                    )
            return [_checked_row(row, reader.line_num, table) for row in reader]
    except (UnicodeError, csv.Error) as error:
        raise ValueError(f"“{table.name}” is no CSV in UTF-8: save it as that.") from error


def _checked_row(row: dict[str | None, str | None], line: int, table: Path) -> Row:
    """A row of the table whose label is there and whose file lies in the folder."""
    clean = {key: (value or "").strip() for key, value in row.items() if key}
    if not clean["label"]:
        raise ValueError(f"Line {line} of “{table.name}” has no label: write one.")
    root, name = table.parent.resolve(), clean["file_name"]
    shown = name.replace("\0", "?")
    path = root / shown
    if "\0" in name or not path.resolve().is_relative_to(root) or not path.is_file():
        raise ValueError(
            f"Line {line} of “{table.name}” names “{shown}”, which is not in the "
            "folder: add the file or take the line out."
        )
    return clean


def _folder_rows(folder: Path) -> list[Row]:
    return [
        {"file_name": str(path.relative_to(folder)), "label": path.parent.name}
        for path in sorted(folder.glob("*/*"))
        if path.suffix.lower() in SOUNDS and path.is_file() and not _is_hidden(path)
    ]


def _is_hidden(path: Path) -> bool:
    """What systems leave beside the sounds: `.cache/`, `._1.wav`, `__MACOSX/`."""
    return any(name.startswith((".", "__")) for name in (path.name, path.parent.name))


def _fold(row: Row, table: Path) -> int:
    try:
        return int(row["fold"])
    except ValueError:
        raise ValueError(
            f"“{table.name}” has the fold “{row['fold']}” for {row['file_name']}: folds are whole "
            "numbers."
        ) from None


def _made_folds(rows: list[Row]) -> list[int]:
    """Folds from 1 on, each with its share of every class and whole groups, always the same."""
    labels = np.array([row["label"] for row in rows])
    if all(row.get("group") for row in rows):
        return _grouped_folds(labels, np.array([row["group"] for row in rows]))
    folds = np.zeros(len(rows), int)
    rng = np.random.default_rng(0)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        folds[members] = np.arange(len(members)) % N_MADE_FOLDS + 1
    return folds.tolist()


def _grouped_folds(labels: NDArray[np.str_], groups: NDArray[np.str_]) -> list[int]:
    """Folds that share no group; fewer than five where there are fewer groups."""
    largest = int(np.unique(labels, return_counts=True)[1].max())
    n_folds = min(N_MADE_FOLDS, len(np.unique(groups)), largest)
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


def _attribution(rows: list[Row]) -> str:
    """Who recorded the clips and under which licences, where the table says."""
    authors = sorted({row["author"] for row in rows if row.get("author")}, key=str.casefold)
    licences = sorted({row["license"] for row in rows if row.get("license")})
    parts = [f"Recordings by {', '.join(authors)}."] if authors else []
    parts += [f"Licences of the recordings: {', '.join(licences)}."] if licences else []
    return " ".join(parts)
