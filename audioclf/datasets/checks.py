"""What would go wrong with labelled clips, in sentences: what blocks and what only warns."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.datasets.formats.base import MAX_NAME

LEAST_CLIPS, FEW_CLIPS = 2, 10  # of a class: fewer cannot be held out; fewer teach little
NEARLY = 0.95  # of a window: what lacks less is not worth a word
USUAL_SHARE, MOST_SHARE = 0.2, 0.5  # of the clips, held out
UNEVEN = 5  # times as many clips in one class as in another
MOST_NAMED = 5  # files in a sentence


class Severity(StrEnum):
    """How grave a finding is: an error makes training impossible."""

    ERROR = "blocks"
    WARNING = "warns"
    INFO = "tells"


@dataclass(frozen=True)
class Finding:
    """One thing that was found: how grave it is, a sentence, and the files that it is about."""

    kind: Severity
    sentence: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What was found out about one clip."""

    clip: LabelledClip
    digest: str
    duration_s: float = 0.0
    rate_hz: int = 0
    is_silent: bool = False
    trouble: str | None = None  # why it cannot be read


def find(
    data: Dataset, heard: tuple[Heard, ...], window_s: float, share: float
) -> tuple[Finding, ...]:
    """All that was found, the gravest first.

    `window_s`: how much a network sees at once; `share`: how much is held out to measure on.
    """
    findings = (
        *_on_classes(data, heard),
        *_on_files(heard, window_s),
        *_on_duplicates(heard),
        *_on_split(data, heard),
        *_on_sides(data, share),
    )
    order = tuple(Severity)
    return tuple(sorted(findings, key=lambda one: order.index(one.kind)))


def _on_classes(data: Dataset, heard: tuple[Heard, ...]) -> Iterator[Finding]:
    counts = Counter(one.clip.label for one in heard if one.trouble is None)
    for name in data.classes:
        if len(name) > MAX_NAME or not name.isprintable():
            yield Finding(
                Severity.ERROR,
                f"A class has a name of {len(name)} characters, or with characters that cannot be "
                "shown: rename it.",
            )
    few = [name for name in data.classes if counts[name] < LEAST_CLIPS]
    if few:
        yield Finding(
            Severity.ERROR,
            f"{_named(few)} {_has(few)} fewer than {LEAST_CLIPS} clips that can be read, so none "
            "can be held out: add some, or take the class out.",
        )
    rare = [name for name in data.classes if LEAST_CLIPS <= counts[name] < FEW_CLIPS]
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
    not_taught, not_measured = data.one_sided(data.held_out(share))
    if not_taught:
        yield Finding(
            Severity.ERROR,
            f"All clips of {_named(not_taught)} would be held out, and none taught: choose another "
            "share under the settings, or add clips of other recordings.",
        )
    if not_measured:
        yield Finding(
            Severity.WARNING,
            f"No clip of {_named(not_measured)} is held out, so nothing will be measured of it.",
        )


def _on_files(heard: tuple[Heard, ...], window_s: float) -> Iterator[Finding]:
    damaged = [one for one in heard if one.trouble is not None]
    for one in damaged[:MOST_NAMED]:
        yield _finding(Severity.ERROR, f"Take it out, or replace it: {one.trouble}", [one])
    if len(damaged) > MOST_NAMED:
        rest = damaged[MOST_NAMED:]
        yield _finding(
            Severity.ERROR, f"Take out, because they cannot be read: {_clips(rest)}.", rest
        )
    readable = [one for one in heard if one.trouble is None]
    silent = [one for one in readable if one.is_silent]
    if silent:
        words = "take it out, or make a class of silence."
        yield _finding(
            Severity.WARNING, f"Nothing but silence is in {_clips(silent)}: {words}", silent
        )
    short = [one for one in readable if one.duration_s < NEARLY * window_s]
    if short:
        words = f"Shorter than the {window_s:.2g} s that a network sees at once, and so repeated"
        yield _finding(Severity.WARNING, f"{words}: {_clips(short)}.", short)


def _on_duplicates(heard: tuple[Heard, ...]) -> Iterator[Finding]:
    same: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        if one.trouble is None:
            same[one.digest].append(one)
    twice = [group for group in same.values() if len(group) > 1]
    torn = [one for group in twice if len({x.clip.label for x in group}) > 1 for one in group]
    if torn:
        words = "The same recording stands under several classes"
        yield _finding(
            Severity.ERROR, f"{words} ({_clips(torn)}): decide which one is right.", torn
        )
    alike = [one for group in twice if group[0] not in torn for one in group[1:]]
    if alike:
        yield _finding(
            Severity.WARNING, f"Copies of other clips of their class: {_clips(alike)}.", alike
        )
    across = [one for group in twice if len({x.clip.fold for x in group}) > 1 for one in group]
    if across:
        words = "Copies stand in several folds, so what is measured on one was learnt on another"
        yield _finding(Severity.WARNING, f"{words} ({_clips(across)}): delete them.", across)


def _on_split(data: Dataset, heard: tuple[Heard, ...]) -> Iterator[Finding]:
    folds: dict[str, set[int]] = defaultdict(set)
    if all(clip.group for clip in data.clips):
        for clip in data.clips:
            folds[clip.group].add(clip.fold)
    copies: dict[str, set[int]] = defaultdict(set)
    for one in heard:
        copies[one.digest].add(one.clip.fold)
    torn = [group for group, own in folds.items() if len(own) > 1]
    if torn:
        yield Finding(
            Severity.WARNING,
            f"Clips of one source stand in several folds, such as those of “{torn[0]}”: results "
            "will look better than they are.",
        )
    how = _how_split(data, has_groups=bool(folds))
    is_torn = torn or any(len(own) > 1 for digest, own in copies.items() if digest)
    if is_torn:
        whole = ""
    elif folds:
        whole = "; no clip and no source is on both sides of a split"
    else:
        whole = "; no clip is on both sides, but which clips share a recording is not known"
    yield Finding(Severity.INFO, f"{how}{whole}.")


def _how_split(data: Dataset, *, has_groups: bool) -> str:
    n_folds = len(data.folds)
    if data.has_own_folds:
        return f"The {n_folds} folds are those of the data set"
    if has_groups:
        return f"{n_folds} folds are made, and what is of one source stays together"
    return f"{n_folds} folds are made, each with its share of every class"


def _finding(kind: Severity, sentence: str, clips: list[Heard]) -> Finding:
    return Finding(kind, sentence, tuple(_place(one) for one in clips))


def _place(heard: Heard) -> str:
    return heard.clip.place


def _clips(clips: list[Heard]) -> str:
    return _named([_place(one) for one in clips])


def _named(names: list[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"
