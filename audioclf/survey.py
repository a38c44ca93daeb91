"""A look at a labelled folder before anything is trained: what is there, and what is wrong with it.

Every clip is read once. What blocks a training and what only warns is told apart.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from audioclf import audio
from audioclf.dataset import Dataset, LabelledClip
from audioclf.windows import DIGITAL_SILENCE

BLOCKS, WARNS, TELLS = "blocks", "warns", "tells"
LEAST_CLIPS, FEW_CLIPS = 2, 10  # of a class: fewer cannot be held out; fewer teach little
UNEVEN = 5  # times as many clips in one class as in another
MAX_CLASS_NAME = 100  # characters
MOST_NAMED = 5  # files in a sentence
DURATIONS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Finding:
    """One thing that was found: how grave it is, a sentence, and the files that it is about."""

    kind: str  # blocks, warns or tells
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


@dataclass(frozen=True)
class Survey:
    """What a folder holds."""

    data: Dataset
    clips: tuple[Heard, ...]
    findings: tuple[Finding, ...]

    @property
    def blocks(self) -> bool:
        """Whether it cannot be trained on as it is."""
        return any(finding.kind == BLOCKS for finding in self.findings)

    @property
    def usable(self) -> tuple[LabelledClip, ...]:
        """The clips that can be read."""
        return tuple(heard.clip for heard in self.clips if heard.trouble is None)

    def classes(self) -> list[dict[str, Any]]:
        """A row per class: clips, minutes, and clips that cannot be read."""
        rows = []
        for name in self.data.classes:
            own = [heard for heard in self.clips if heard.clip.label == name]
            rows.append(
                {
                    "class": name,
                    "clips": sum(heard.trouble is None for heard in own),
                    "minutes": round(sum(heard.duration_s for heard in own) / 60, 2),
                    "unreadable": sum(heard.trouble is not None for heard in own),
                }
            )
        return rows

    def durations(self) -> list[tuple[str, int]]:
        """How many clips are how long: words and counts."""
        edges = (0.0, *DURATIONS_S, np.inf)
        readable = [heard.duration_s for heard in self.clips if heard.trouble is None]
        counts = np.histogram(readable, edges)[0].tolist()
        words = [f"up to {high:g} s" for high in DURATIONS_S] + [f"over {DURATIONS_S[-1]:g} s"]
        return list(zip(words, counts, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        rates = Counter(heard.rate_hz for heard in self.clips if heard.trouble is None)
        return {
            "name": self.data.name,
            "layout": self.data.layout,
            "classes": self.classes(),
            "sample_rates_hz": {str(rate): n for rate, n in sorted(rates.items())},
            "durations": dict(self.durations()),
            "findings": [vars(finding) for finding in self.findings],
        }


def survey(
    data: Dataset,
    window_s: float,
    progress: Callable[[Iterable[LabelledClip]], Iterable[LabelledClip]] = iter,
) -> Survey:
    """Read every clip, and look for what would go wrong.

    `window_s`: how much a network sees at once.
    """
    heard = tuple(_hear(clip) for clip in progress(data.clips))
    findings = (
        *_on_classes(data, heard),
        *_on_files(heard, window_s),
        *_on_duplicates(heard),
        *_on_split(data, heard),
    )
    order = (BLOCKS, WARNS, TELLS)
    return Survey(data, heard, tuple(sorted(findings, key=lambda one: order.index(one.kind))))


def _hear(clip: LabelledClip) -> Heard:
    digest = ""
    try:
        digest = hashlib.sha256(clip.path.read_bytes()).hexdigest()
        samples, rate_hz = audio.load(clip.path)
    except ValueError as error:
        return Heard(clip, digest, trouble=str(error))
    except OSError as error:
        return Heard(clip, digest, trouble=f"“{clip.path.name}” cannot be read ({error.strerror}).")
    if not len(samples):
        return Heard(clip, digest, trouble=f"“{clip.path.name}” holds no sound.")
    peak = float(np.nanmax(np.abs(samples)))
    return Heard(clip, digest, len(samples) / rate_hz, rate_hz, peak <= DIGITAL_SILENCE)


def _on_classes(data: Dataset, heard: tuple[Heard, ...]) -> Iterator[Finding]:
    counts = Counter(one.clip.label for one in heard if one.trouble is None)
    for name in data.classes:
        if len(name) > MAX_CLASS_NAME or not name.isprintable():
            yield Finding(
                BLOCKS,
                f"A class has a name of {len(name)} characters, or with characters that cannot be "
                "shown: rename it.",
            )
    few = [name for name in data.classes if counts[name] < LEAST_CLIPS]
    if few:
        yield Finding(
            BLOCKS,
            f"{_named(few)} {_has(few)} fewer than {LEAST_CLIPS} clips that can be read, so none "
            "can be held out: add some, or take the class out.",
        )
    rare = [name for name in data.classes if LEAST_CLIPS <= counts[name] < FEW_CLIPS]
    if rare:
        yield Finding(
            WARNS,
            f"{_named(rare)} {_has(rare)} fewer than {FEW_CLIPS} clips: expect little of it.",
        )
    if counts and max(counts.values()) > UNEVEN * min(counts.values()):
        yield Finding(
            WARNS,
            "Some classes have many more clips than others: rare ones are given more weight.",
        )


def _on_files(heard: tuple[Heard, ...], window_s: float) -> Iterator[Finding]:
    damaged = [one for one in heard if one.trouble is not None]
    for one in damaged[:MOST_NAMED]:
        yield _finding(BLOCKS, f"Take it out, or replace it: {one.trouble}", [one])
    if len(damaged) > MOST_NAMED:
        rest = damaged[MOST_NAMED:]
        yield _finding(BLOCKS, f"Take out, because they cannot be read: {_clips(rest)}.", rest)
    readable = [one for one in heard if one.trouble is None]
    silent = [one for one in readable if one.is_silent]
    if silent:
        words = "take it out, or make a class of silence."
        yield _finding(WARNS, f"Nothing but silence is in {_clips(silent)}: {words}", silent)
    short = [one for one in readable if one.duration_s < window_s]
    if short:
        words = f"Shorter than the {window_s:.2g} s that a network sees at once, and so repeated"
        yield _finding(WARNS, f"{words}: {_clips(short)}.", short)


def _on_duplicates(heard: tuple[Heard, ...]) -> Iterator[Finding]:
    same: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        if one.trouble is None:
            same[one.digest].append(one)
    twice = [group for group in same.values() if len(group) > 1]
    torn = [one for group in twice if len({x.clip.label for x in group}) > 1 for one in group]
    if torn:
        words = "The same recording stands under several classes"
        yield _finding(BLOCKS, f"{words} ({_clips(torn)}): decide which one is right.", torn)
    alike = [one for group in twice if group[0] not in torn for one in group[1:]]
    if alike:
        yield _finding(WARNS, f"Copies of other clips of their class: {_clips(alike)}.", alike)
    across = [one for group in twice if len({x.clip.fold for x in group}) > 1 for one in group]
    if across:
        words = "Copies stand in several folds, so what is measured on one was learnt on another"
        yield _finding(WARNS, f"{words} ({_clips(across)}): delete them.", across)


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
            WARNS,
            f"Clips of one source stand in several folds, such as those of “{torn[0]}”: results "
            "will look better than they are.",
        )
    if data.has_own_folds:
        how = f"The {len(data.folds)} folds are those of the data set"
    elif folds:
        how = f"{len(data.folds)} folds are made, and what is of one source stays together"
    else:
        how = f"{len(data.folds)} folds are made, each with its share of every class"
    is_torn = torn or any(len(own) > 1 for digest, own in copies.items() if digest)
    whole = "" if is_torn else "; no clip and no source is on both sides of a split"
    yield Finding(TELLS, f"{how}{whole}.")


def _finding(kind: str, sentence: str, clips: list[Heard]) -> Finding:
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
