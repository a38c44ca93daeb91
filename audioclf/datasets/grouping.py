"""Which clips are of one source, such as a recording or a place, so that none is on both sides.

A name of a file tells nothing by itself. Sources are known from a column of a table, from the
folders of the files, or from a pattern on their names; otherwise they are not known, and nothing
is claimed of them.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from audioclf.datasets.formats.clip_tables import ClipRow
from audioclf.datasets.layouts import AUDIO_SUFFIXES

SOURCE, ANYTHING = "{source}", "*"
TOKEN = re.compile(r"(\{source\}|\*)")
SEPARATOR = re.compile(r"([_\-. ]+)")
MOST_SOURCES = 0.9  # of as many sources as clips: more share nothing
MAX_PATTERN = 200  # characters


class GroupingKind(StrEnum):
    """What tells the source of a clip."""

    TABLE = "table"  # the published column of the table, where it has one
    UNKNOWN = "unknown"
    COLUMN = "column"
    FOLDER = "folder"
    PATTERN = "pattern"


@dataclass(frozen=True)
class Grouping:
    """How clips are grouped by their source.

    Attributes
    ----------
    kind : GroupingKind
        What tells the source.
    value : str
        The name of a column, or the pattern of a file's name without its suffix, such as
        `{source}_*`: `{source}` stands for the source or a part of it, `*` for anything else.
    """

    kind: str = GroupingKind.TABLE
    value: str = ""

    def __post_init__(self) -> None:
        if self.kind not in tuple(GroupingKind):
            raise ValueError(
                f"There is no grouping “{self.kind[:40]}”: choose one of {', '.join(GroupingKind)}."
            )

    def describe(self) -> str:
        """Where the sources come from, in words."""
        return {
            GroupingKind.TABLE: "by the table of the data set",
            GroupingKind.COLUMN: f"by the column “{self.value}”",
            GroupingKind.FOLDER: "by folder",
            GroupingKind.PATTERN: f"by the pattern {self.value} on file names",
        }.get(GroupingKind(self.kind), "not known")


BY_TABLE = Grouping()


@dataclass(frozen=True)
class GroupingHints:
    """What could tell the sources of a data set."""

    has_table: bool = False  # a published column of the table
    columns: tuple[str, ...] = ()
    has_folders: bool = False
    pattern: str = ""  # of the names of its files


def hints(rows: Sequence[ClipRow]) -> GroupingHints:
    """What could tell the sources of these clips."""
    if not rows:
        return GroupingHints()
    files, labels = [row.file for row in rows], [row.labels[0] for row in rows]
    return GroupingHints(
        are_sources([row.group for row in rows], files), _columns(rows), _has_folders(rows),
        propose_pattern(files, labels),
    )  # fmt: skip


def group_rows(rows: Sequence[ClipRow], grouping: Grouping) -> list[ClipRow]:
    """The rows with the groups of that grouping.

    Raises ValueError for a column that is missing or empty somewhere, and for a pattern that is
    none.
    """
    if grouping.kind == GroupingKind.TABLE:
        return list(rows)
    if grouping.kind == GroupingKind.UNKNOWN:
        return [row._replace(group="") for row in rows]
    if grouping.kind == GroupingKind.FOLDER:
        return [row._replace(group=PurePosixPath(row.file).parent.as_posix()) for row in rows]
    if grouping.kind == GroupingKind.COLUMN:
        return [row._replace(group=_cell(row, grouping.value)) for row in rows]
    pattern = _compiled(grouping.value)
    return [
        row._replace(group=_find_source(pattern, PurePosixPath(row.file).stem) or row.file)
        for row in rows
    ]  # a name of another pattern is a source of its own


def propose_pattern(files: Sequence[str], labels: Sequence[str]) -> str:
    """A pattern of what the names of files share with others, or nothing where they share none.

    The longest beginning of the names, in whole parts between `_`, `-`, `.` and spaces, that clips
    share. What tells no more than the class is no source.
    """
    stems = [PurePosixPath(file).stem for file in files]
    pieces = SEPARATOR.split(stems[0]) if stems else []
    for n_pieces in range(len(pieces) - 1, 1, -2):
        separators = pieces[1:n_pieces:2]
        pattern = "".join(SOURCE + separator for separator in separators) + ANYTHING
        sources = [_find_source(_compiled(pattern), stem) for stem in stems]
        if not all(sources):
            continue
        classes_per_source, sources_per_class = _crossed(sources, labels)
        is_shared = 2 <= len(classes_per_source) <= MOST_SOURCES * len(sources)
        if is_shared and min(map(len, sources_per_class.values())) > 1:
            return pattern
    return ""


def _columns(rows: Sequence[ClipRow]) -> tuple[str, ...]:
    """The columns of the table that may tell sources: filled, with some values and some shared."""
    names = rows[0].cells if rows else {}
    return tuple(name for name in names if _is_telling([row.cells.get(name, "") for row in rows]))


def _has_folders(rows: Sequence[ClipRow]) -> bool:
    """Whether the folders of the files are others than their classes."""
    folders = [PurePosixPath(row.file).parent.as_posix() for row in rows]
    _, folders_per_class = _crossed(folders, [row.labels[0] for row in rows])
    return len(set(folders)) > 1 and min(map(len, folders_per_class.values())) > 1


def are_sources(groups: Sequence[str], files: Sequence[str]) -> bool:
    """Whether the groups of these files tell their sources, all of them.

    One that is but the name of a file tells none: clips were cut from that recording.
    """
    stems: dict[str, list[str]] = defaultdict(list)
    for group, file in zip(groups, files, strict=True):
        stems[group].append(PurePosixPath(file).stem)
    return all(
        group and PurePosixPath(group).suffix.lower() not in AUDIO_SUFFIXES and names != [group]
        for group, names in stems.items()
    )


def _crossed(
    sources: Sequence[str], labels: Sequence[str]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The classes of every source, and the sources of every class."""
    classes: dict[str, set[str]] = defaultdict(set)
    sources_per_class: dict[str, set[str]] = defaultdict(set)
    for source, label in zip(sources, labels, strict=True):
        classes[source].add(label)
        sources_per_class[label].add(source)
    return classes, sources_per_class


def _is_telling(values: list[str]) -> bool:
    return all(values) and 1 < len(set(values)) < len(values)


def _cell(row: ClipRow, column: str) -> str:
    value = row.cells.get(column, "").strip()
    if not value:
        raise ValueError(
            f"Line {row.line} has nothing in the column “{column[:40]}”: fill it, or "
            "group the clips otherwise."
        )
    return value


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression that takes linear time. Raises ValueError."""
    pieces = TOKEN.split(pattern)
    tokens, literals = pieces[1::2], pieces[2::2]
    if SOURCE not in tokens or len(pattern) > MAX_PATTERN or not all(literals[:-1]):
        raise ValueError(
            f"“{pattern[:60]}” is no pattern of file names: write one such as {SOURCE}_*, with "
            f"{SOURCE} for the source, * for anything else and a character between both."
        )
    expression = re.escape(pieces[0])
    for token, literal in zip(tokens, literals, strict=True):
        characters = f"[^{re.escape(literal[0])}]" if literal else "."
        expression += f"({characters}+)" if token == SOURCE else f"{characters}*"
        expression += re.escape(literal)
    return re.compile(expression)


def _find_source(pattern: re.Pattern[str], stem: str) -> str:
    """What stands for the source in a name; nothing where the name is not of that pattern."""
    match = pattern.fullmatch(stem)
    return "-".join(match.groups()) if match else ""
