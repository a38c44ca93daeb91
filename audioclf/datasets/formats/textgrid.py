"""Praat's TextGrid in its long form, one per sound file, named like it: `rec.TextGrid`.

Only where two files differ in nothing but their endings does the grid's name keep them. The tiers
tell the whole name of the file. Intervals of a tier follow each other without gaps and never
overlap, so labels that overlap stand in tiers of their own; the text of a gap is empty.
"""

import re
from collections import Counter, defaultdict
from pathlib import PurePosixPath

from audioclf.datasets.formats.base import Durations, Label, Texts, one_line

ENDING = ".TextGrid"
TIER = re.compile(r'"labels \d+ of ((?:[^"]|"")+)"')
HEADER = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
TOKEN = re.compile(r'"((?:[^"]|"")*)"|<(exists)>|(?<![\w.\[])(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')
LEAST_S = 1e-9

Span = tuple[float, float, str]


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """A grid per file. Raises ValueError for files of unknown length."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for label in labels:
        spans[label.file].append((*label.span(durations), label.name))
    stems = Counter(_without_suffix(file) for file in spans)
    return {
        f"{_without_suffix(file) if stems[_without_suffix(file)] == 1 else file}{ENDING}": _grid(
            file_spans, _end(file_spans, file, durations), PurePosixPath(file).name
        )
        for file, file_spans in spans.items()
    }


def _file(text: str, path: str) -> str:
    """The file that a grid is of: as its tiers tell, else as the grid is named."""
    match = TIER.search(text)
    stem = path.removesuffix(ENDING)
    if match is None:
        return stem
    name = match[1].replace('""', '"')
    return PurePosixPath(stem).with_name(name).as_posix() if "/" not in name else stem


def _without_suffix(file: str) -> str:
    return file.removesuffix(PurePosixPath(file).suffix)


def read(texts: Texts) -> list[Label]:
    """The labels of long or short grids; points are labels without length. Raises ValueError."""
    return [
        Label(_file(text, path), name, start_s, end_s)
        for path, text in texts.items()
        for start_s, end_s, name in sorted(_spans(text.removeprefix("\ufeff"), path))
    ]


def _end(spans: list[Span], file: str, durations: Durations) -> float:
    last = max(end_s for _, end_s, _ in spans)
    return max(durations.get(file, last), last)


def _grid(spans: list[Span], end_s: float, file: str) -> str:
    tiers, quoted = _tiers(sorted(spans)), one_line(file).replace('"', '""')
    lines = [f"xmin = 0 \nxmax = {end_s:.6f} \ntiers? <exists> \nsize = {len(tiers)} \nitem []: "]
    for index, tier in enumerate(tiers, start=1):
        tiled = _tiled(tier, end_s)
        lines.append(
            f'    item [{index}]:\n        class = "IntervalTier" \n'
            f'        name = "labels {index} of {quoted}" \n'
            f"        xmin = 0 \n        xmax = {end_s:.6f} \n"
            f"        intervals: size = {len(tiled)} "
        )
        for number, (start, end, name) in enumerate(tiled, start=1):
            text = name.replace('"', '""')
            lines.append(
                f"        intervals [{number}]:\n            xmin = {start:.6f} \n"
                f'            xmax = {end:.6f} \n            text = "{text}" '
            )
    return HEADER + "\n".join(lines) + "\n"


def _tiers(spans: list[Span]) -> list[list[Span]]:
    """The labels in as few rows as hold them without overlap."""
    tiers: list[list[Span]] = []
    for span in spans:
        free = next((tier for tier in tiers if tier[-1][1] <= span[0] + LEAST_S), None)
        if free is None:
            tiers.append([span])
        else:
            free.append(span)
    return tiers


def _tiled(tier: list[Span], end_s: float) -> list[Span]:
    """With empty intervals in the gaps."""
    spans: list[Span] = []
    now_s = 0.0
    for start, end, name in tier:
        if start > now_s + LEAST_S:
            spans.append((now_s, start, ""))
        spans.append((start, end, name))
        now_s = end
    if end_s > now_s + LEAST_S:
        spans.append((now_s, end_s, ""))
    return spans


def _spans(text: str, path: str) -> list[Span]:
    """Named spans, from the file's values in their order, whatever stands between them."""
    if "ooTextFile" not in text[:200] or "TextGrid" not in text[:200]:
        raise ValueError(f"“{path}” is no TextGrid: save it as a text file in Praat.")
    values = [
        quoted.replace('""', '"') if not (exists or digits) else float(digits or 1)
        for quoted, exists, digits in TOKEN.findall(text)
    ]
    try:
        return list(_read(values))
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"“{path}” ends too early or is damaged: save it again.") from error


def _read(values: list[str | float]) -> list[Span]:
    """`ooTextFile`, `TextGrid`, from, to, exists, tiers; of each class, name, from, to, entries."""
    spans: list[Span] = []
    position = 6
    for _ in range(int(float(values[5]))):
        kind, n_entries = values[position], int(float(values[position + 4]))
        position += 5
        for _ in range(n_entries):
            if kind == "IntervalTier":
                start, end, name = values[position : position + 3]
                position += 3
            else:
                start, name = values[position : position + 2]
                end = start
                position += 2
            if not isinstance(name, str):
                raise TypeError("a name is missing")
            if name.strip():
                spans.append((float(start), float(end), name))
    return spans
