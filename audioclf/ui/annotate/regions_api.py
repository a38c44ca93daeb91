"""The endpoints of the region editor: pages of a recording to play and draw, and its regions.

A recording of an hour opens at once: only the visible page is read. Ends are exact to the sample.
"""

import contextlib
import functools
from pathlib import Path
from typing import Any

from audioclf.annotation import catalog, database, event_log
from audioclf.annotation.catalog import File
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import excerpt, io
from audioclf.ui.annotate.payloads import (
    Payload,
    annotator,
    decoding,
    endpoint,
    max_classes,
    parse_names,
    parse_number,
    parse_request_id,
    parse_word,
    render_audio,
)
from audioclf.ui.annotate.pool import POOL
from audioclf.ui.annotate.sessions import get_session, schedule_refit
from audioclf.ui.page.lanes import outline
from audioclf.ui.page.limits import limits

MAX_PAGE_S = 60.0


@endpoint
def open_recording(payload: Payload) -> Payload:
    """The length of a recording and its regions: drawn ones, and annotated tasks."""
    project, file = _recording(payload)
    path = project.path_of(file.relative_path)
    POOL.submit(str(project.folder), "seek index", functools.partial(_build_seek_index, path))
    return {
        "file": file.relative_path,
        "duration_s": file.duration_s,
        "rate_hz": file.rate_hz,
        "regions": _regions(project, file),
    }


@endpoint
def read_page(payload: Payload) -> Payload:
    """The part between start_s and end_s: a WAV, its waveform and spectrogram."""
    project, file = _recording(payload)
    start_s = max(0.0, parse_number(payload, "start_s"))
    end_s = min(parse_number(payload, "end_s"), start_s + MAX_PAGE_S, file.duration_s or 0.0)
    with decoding():
        path = project.path_of(file.relative_path)
        samples, rate_hz = excerpt.samples_of(path, start_s, end_s, limits().sound)
        end_s = start_s + len(samples) / rate_hz
        return {**render_audio(samples, rate_hz), "start_s": start_s, "end_s": end_s}


@endpoint
def read_outline(payload: Payload) -> Payload:
    """The waveform of the whole recording."""
    project, file = _recording(payload)
    path = project.path_of(file.relative_path)
    with decoding():
        return {"waveform": _outline(path, path.stat().st_mtime_ns)}


@endpoint
def save_region(payload: Payload) -> Payload:
    """Store a new, moved, renamed or removed region; then all regions.

    payload: request_id, file, region (its id), start_s, end_s, names; without any the
    region is removed. An annotated task has no region id; when it is moved it gets one, and `was`
    is where it lay.
    """
    project, file = _recording(payload)
    start_s, end_s = parse_number(payload, "start_s"), parse_number(payload, "end_s")
    names, request_id = parse_names(payload), parse_request_id(payload)
    region = parse_word(payload["region"]) if payload.get("region") else ""
    if names or region:  # else exactly the event that lies there is removed
        start_s, end_s = catalog.on_samples(file, start_s, end_s)
    if names and start_s == end_s:
        raise ValueError("This region is shorter than a sample: draw a longer one.")
    kind, person = EventKind.LABEL if names else EventKind.REMOVED, annotator(payload)
    event = AnnotationEvent(
        file.relative_path, kind, names, start_s, end_s, region, person, request_id=request_id
    )
    with database.connect(project.store) as db, database.transaction(db):
        if isinstance(was := payload.get("was"), dict):
            old_ends = parse_number(was, "start_s"), parse_number(was, "end_s")
            linked_id = event_log.linked_request_id(request_id)
            event_log.add(
                db,
                AnnotationEvent(
                    file.relative_path,
                    EventKind.REMOVED,
                    (),
                    *old_ends,
                    annotator=person,
                    request_id=linked_id,
                ),
            )
        event_log.add(db, event)
        catalog.add_classes(db, names, max_classes())
    schedule_refit(get_session(payload))
    return {"regions": _regions(project, file)}


def _build_seek_index(path: Path) -> bool:
    """Index the file, so that later pages open quickly; errors are raised by these pages."""
    with contextlib.suppress(ValueError, OSError):
        excerpt.entered(path, limits().sound)
    return False


def _recording(payload: Payload) -> tuple[AnnotationProject, File]:
    """The project and one of its files. Raises ValueError."""
    project = get_session(payload).queue.project
    with database.connect(project.store) as db:
        file = catalog.file(db, str(payload.get("file")))
    if file is None:
        raise ValueError("This recording is not in the data set any more: reload the page.")
    if file.error:
        raise ValueError(file.error)
    if file.duration_s is None:
        raise ValueError("The length of this recording is unknown: export it again.")
    return project, file


def _regions(project: AnnotationProject, file: File) -> list[dict[str, Any]]:
    with database.connect(project.store) as db:
        events = event_log.current(db, file.relative_path)
    return [
        {
            "region": event.region,
            "start_s": event.start_s,
            "end_s": event.end_s,
            "names": event.names,
        }
        for event in events
        if event.kind == EventKind.LABEL and event.start_s is not None
    ]


@functools.lru_cache(maxsize=16)
def _outline(path: Path, modified_ns: int) -> dict[str, Any]:
    header = io.read_header(path, limits().sound)
    duration_s = header.duration_s or 0.0
    n_samples = round(duration_s * header.sample_rate_hz)
    return outline(io.read_blocks(path, limits=limits().sound), n_samples, duration_s)
