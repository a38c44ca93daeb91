"""Checks of labelled clips before training: findings in sentences, with a severity."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.datasets.grouping import GroupingKind, are_sources

MIN_CLIPS, FEW_CLIPS = 2, 10  # of a class: fewer cannot be held out; fewer are learnt poorly
NEARLY = 0.95  # of a window: what lacks less is not worth a word
DEFAULT_SHARE, MAX_SHARE = 0.2, 0.5  # of the clips, held out
UNEVEN = 5  # times as many clips in one class as in another
MAX_NAMED = 5  # files in a sentence


class Severity(StrEnum):
    """How grave a finding is: an error makes training impossible."""

    ERROR = "blocks"
    WARNING = "warns"
    INFO = "tells"


@dataclass(frozen=True)
class Finding:
    """One result of a check: its severity, a sentence, and the files that it is about."""

    kind: Severity
    sentence: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClipInfo:
    """What the inspection of one clip gave."""

    clip: LabelledClip
    digest: str
    duration_s: float = 0.0
    rate_hz: int = 0
    is_silent: bool = False
    error: str | None = None  # why it cannot be read


def run_checks(
    data: Dataset, clips: tuple[ClipInfo, ...], window_s: float, share: float
) -> tuple[Finding, ...]:
    """The findings of all checks, errors first.

    `window_s`: the length of a model's window; `share`: how much is held out for validation.
    """
    findings = (
        *_on_classes(data, clips),
        *_on_files(clips, window_s),
        *_on_duplicates(clips),
        *_on_split(data, clips),
        *_on_sides(data, share),
        *_on_ignored(data),
    )
    order = tuple(Severity)
    return tuple(sorted(findings, key=lambda one: order.index(one.kind)))


def _on_classes(data: Dataset, clips: tuple[ClipInfo, ...]) -> Iterator[Finding]:
    counts = Counter(one.clip.label for one in clips if one.error is None)
    for name in data.classes:
        if len(name) > MAX_NAME or not name.isprintable():
            yield Finding(
                Severity.ERROR,
                f"A class has a name of {len(name)} characters, or with characters that cannot be "
                "shown: rename it.",
            )
    small = [name for name in data.classes if counts[name] < MIN_CLIPS]
    if small:
        yield Finding(
            Severity.ERROR,
            f"{_named(small)} {_has(small)} fewer than {MIN_CLIPS} clips that can be read, so none "
            "can be held out: add some, or take the class out.",
        )
    rare = [name for name in data.classes if MIN_CLIPS <= counts[name] < FEW_CLIPS]
    if rare:
        yield Finding(
            Severity.WARNING,
            f"{_named(rare)} {_has(rare)} fewer than {FEW_CLIPS} clips: it will be learnt poorly.",
        )
    if counts and max(counts.values()) > UNEVEN * min(counts.values()):
        yield Finding(
            Severity.WARNING,
            "Some classes have many more clips than others: rare ones are given more weight.",
        )


def _on_sides(data: Dataset, share: float) -> Iterator[Finding]:
    """Classes that only one side of the split would have."""
    if len(data.classes) < 2:
        yield Finding(Severity.ERROR, "Fewer than two classes are left: add sounds of another one.")
        return
    not_trained, not_validated = data.missing_per_split(data.held_out(share))
    if not_trained:
        yield Finding(
            Severity.ERROR,
            f"All clips of {_named(not_trained)} would be held out, and none left for training: "
            "choose another share under the settings, or add clips of other recordings.",
        )
    if not_validated:
        yield Finding(
            Severity.WARNING,
            f"No clip of {_named(not_validated)} is held out, so nothing will be measured of it.",
        )


def _on_ignored(data: Dataset) -> Iterator[Finding]:
    """What lies in the folder and is not used, by reason; a finding has all of its files."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for ignored in data.ignored:
        by_reason[ignored.reason].append(ignored.path)
    for reason, paths in by_reason.items():
        sentence = f"Ignored, because it is {reason}: {_named(paths)}."
        yield Finding(Severity.INFO, sentence, tuple(paths))


def _on_files(clips: tuple[ClipInfo, ...], window_s: float) -> Iterator[Finding]:
    damaged = [one for one in clips if one.error is not None]
    for one in damaged[:MAX_NAMED]:
        yield _finding(Severity.ERROR, f"Take it out, or replace it: {one.error}", [one])
    if len(damaged) > MAX_NAMED:
        rest = damaged[MAX_NAMED:]
        yield _finding(
            Severity.ERROR, f"Take out, because they cannot be read: {_clips(rest)}.", rest
        )
    readable = [one for one in clips if one.error is None]
    silent = [one for one in readable if one.is_silent]
    if silent:
        text = "take it out, or make a class of silence."
        yield _finding(
            Severity.WARNING, f"Nothing but silence is in {_clips(silent)}: {text}", silent
        )
    short = [one for one in readable if one.duration_s < NEARLY * window_s]
    if short:
        text = f"Shorter than the {window_s:.2g} s of a model's window, and so repeated"
        yield _finding(Severity.WARNING, f"{text}: {_clips(short)}.", short)


def _on_duplicates(clips: tuple[ClipInfo, ...]) -> Iterator[Finding]:
    by_content: dict[str, list[ClipInfo]] = defaultdict(list)
    for one in clips:
        if one.error is None:
            by_content[one.digest].append(one)
    duplicates = [group for group in by_content.values() if len(group) > 1]
    conflicting = [
        one for group in duplicates if len({x.clip.label for x in group}) > 1 for one in group
    ]
    if conflicting:
        text = "The same recording stands under several classes"
        yield _finding(
            Severity.ERROR,
            f"{text} ({_clips(conflicting)}): decide which one is right.",
            conflicting,
        )
    alike = [one for group in duplicates if group[0] not in conflicting for one in group[1:]]
    if alike:
        yield _finding(
            Severity.WARNING, f"Copies of other clips of their class: {_clips(alike)}.", alike
        )
    across = [one for group in duplicates if len({x.clip.fold for x in group}) > 1 for one in group]
    if across:
        text = "Copies stand in several folds, so what is measured on one was learnt on another"
        yield _finding(Severity.WARNING, f"{text} ({_clips(across)}): delete them.", across)


def _on_split(data: Dataset, clips: tuple[ClipInfo, ...]) -> Iterator[Finding]:
    folds: dict[str, set[int]] = defaultdict(set)
    for clip in data.clips:
        if clip.group:
            folds[clip.group].add(clip.fold)
    copies: dict[str, set[int]] = defaultdict(set)
    for one in clips:
        copies[one.digest].add(one.clip.fold)
    divided = [group for group, numbers in folds.items() if len(numbers) > 1]
    if divided:
        yield Finding(
            Severity.WARNING,
            f"Clips of one source stand in several folds, such as those of “{divided[0]}”: results "
            "will look better than they are.",
        )
    how = _how_split(data, has_groups=bool(folds))
    is_divided = divided or any(len(numbers) > 1 for digest, numbers in copies.items() if digest)
    yield Finding(Severity.INFO, f"{how}{'' if is_divided else _conclusion(data)}.")


def _conclusion(data: Dataset) -> str:
    """What a split that divides nothing tells: of sources only where they are known."""
    if _are_sources_known(data):
        how = data.grouping.describe()
        return f"; no clip and no source is on both sides of a split (sources {how})"
    counts = Counter(clip.group for clip in data.clips if clip.group)
    if counts and max(counts.values()) > 1:
        return "; but which recordings share a source is not known"
    return "; no clip is on both sides, but which clips share a recording is not known"


def _are_sources_known(data: Dataset) -> bool:
    groups = [clip.group for clip in data.clips]
    if data.grouping.kind == GroupingKind.TABLE:
        files = [clip.relative_path for clip in data.clips]
        return bool(groups) and are_sources(groups, files)
    return bool(groups) and all(groups)


def _how_split(data: Dataset, *, has_groups: bool) -> str:
    n_folds = len(data.folds)
    if data.has_own_folds:
        return f"The {n_folds} folds are those of the data set"
    if has_groups:
        unit = "source" if _are_sources_known(data) else "recording"
        return f"{n_folds} folds are made, and what is of one {unit} stays together"
    return f"{n_folds} folds are made, each with its share of every class"


def _finding(kind: Severity, sentence: str, clips: list[ClipInfo]) -> Finding:
    return Finding(kind, sentence, tuple(_path(one) for one in clips))


def _path(info: ClipInfo) -> str:
    return info.clip.relative_path


def _clips(clips: list[ClipInfo]) -> str:
    return _named([_path(one) for one in clips])


def _named(names: list[str]) -> str:
    if len(names) > MAX_NAMED:
        return f"{', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"
