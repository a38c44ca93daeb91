"""Regions of a recording: pages of it to hear and see, and what is said of stretches.

An hour is opened at once: only the page that is looked at is read. Ends are kept to the sample.
"""

import contextlib
import functools
from pathlib import Path
from typing import Any

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.event_log import LABEL, REMOVED, Mark
from audioclf.annotation.project import LabelledSet
from audioclf.audio import excerpt, io
from audioclf.ui.annotate.payloads import (
    Values,
    answering,
    decoding,
    most_classes,
    names_of,
    number_of,
    seen,
    token_of,
    who,
    word,
)
from audioclf.ui.annotate.pool import POOL
from audioclf.ui.annotate.sessions import desk_of, judge_later
from audioclf.ui.page.lanes import outline
from audioclf.ui.page.state import limits

LONGEST_PAGE_S = 60.0


@answering
def open_recording(asked: Values) -> Values:
    """How long a recording is, and its regions: those that were drawn, and labelled stretches."""
    one, file = _recording(asked)
    path = one.path_of(file.place)
    POOL.submit(str(one.folder), "enter", functools.partial(_enter, path))
    return {
        "file": file.place,
        "duration_s": file.duration_s,
        "rate_hz": file.rate_hz,
        "regions": _regions(one, file),
    }


@answering
def page_of_recording(asked: Values) -> Values:
    """The part between start_s and end_s: a WAV, its waveform and spectrogram."""
    one, file = _recording(asked)
    start_s = max(0.0, number_of(asked, "start_s"))
    end_s = min(number_of(asked, "end_s"), start_s + LONGEST_PAGE_S, file.duration_s or 0.0)
    with decoding():
        path = one.path_of(file.place)
        samples, rate_hz = excerpt.samples_of(path, start_s, end_s, limits())
        end_s = start_s + len(samples) / rate_hz
        return {**seen(samples, rate_hz), "start_s": start_s, "end_s": end_s}


@answering
def outline_recording(asked: Values) -> Values:
    """The waveform of the whole recording."""
    one, file = _recording(asked)
    path = one.path_of(file.place)
    with decoding():
        return {"waveform": _outline(path, path.stat().st_mtime_ns)}


@answering
def save_region(asked: Values) -> Values:
    """Keep a region, or what became of it; then all regions as they are now.

    asked: token, file, region (what it is called while it moves), start_s, end_s, names; without
    any, it goes. A stretch that was labelled elsewhere has no region; when it moves it is given
    one, and brings `was`, where it lay.
    """
    one, file = _recording(asked)
    start_s, end_s = number_of(asked, "start_s"), number_of(asked, "end_s")
    names, token = names_of(asked), token_of(asked)
    region = word(asked["region"]) if asked.get("region") else ""
    if names or region:  # else exactly what lies there goes
        start_s, end_s = catalog.on_samples(file, start_s, end_s)
    if names and start_s == end_s:
        raise ValueError("This region is shorter than a sample: draw a longer one.")
    kind, person = LABEL if names else REMOVED, who(asked)
    mark = Mark(file.place, kind, names, start_s, end_s, region, person, token=token)
    with database.opened(one.store) as db, database.whole(db):
        if isinstance(was := asked.get("was"), dict):
            lay = number_of(was, "start_s"), number_of(was, "end_s")
            beside = event_log.beside(token)
            event_log.add(db, Mark(file.place, REMOVED, (), *lay, who=person, token=beside))
        event_log.add(db, mark)
        catalog.add_classes(db, names, most_classes())
    judge_later(desk_of(asked))
    return {"regions": _regions(one, file)}


def _enter(path: Path) -> bool:
    """So that later pages are there when somebody turns to them; what is wrong they say."""
    with contextlib.suppress(ValueError, OSError):
        excerpt.entered(path, limits())
    return False


def _recording(asked: Values) -> tuple[LabelledSet, File]:
    """The set and one of its files. Raises ValueError."""
    one = desk_of(asked).queue.one
    with database.opened(one.store) as db:
        file = catalog.file(db, str(asked.get("file")))
    if file is None:
        raise ValueError("This recording is not in the data set any more: reload the page.")
    if file.trouble:
        raise ValueError(file.trouble)
    if file.duration_s is None:
        raise ValueError("How long this recording is stands nowhere in it: export it again.")
    return one, file


def _regions(one: LabelledSet, file: File) -> list[dict[str, Any]]:
    with database.opened(one.store) as db:
        marks = [mark for mark in event_log.current(db) if mark.file == file.place]
    return [
        {"region": mark.region, "start_s": mark.start_s, "end_s": mark.end_s, "names": mark.names}
        for mark in marks
        if mark.kind == LABEL and mark.start_s is not None
    ]


@functools.lru_cache(maxsize=16)
def _outline(path: Path, modified_ns: int) -> dict[str, Any]:
    header = io.read_header(path, limits())
    duration_s = header.duration_s or 0.0
    n_samples = round(duration_s * header.sample_rate_hz)
    return outline(io.read_blocks(path, limits=limits()), n_samples, duration_s)
