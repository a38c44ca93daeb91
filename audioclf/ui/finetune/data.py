"""Fine-tune, steps 1 and 2: audio is uploaded and checked before a training."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.datasets import dataset, inspection, uploads
from audioclf.datasets.checks import DEFAULT_SHARE, MAX_SHARE, ClipInfo, Severity
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.inspection import InspectionReport
from audioclf.text import escape_markdown
from audioclf.ui.finetune import selection
from audioclf.ui.finetune.selection import Selection
from audioclf.ui.page import session as sessions
from audioclf.ui.page.limits import limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import find_model, folder_typed, show_errors
from audioclf.ui.page.tables import filled

CLASSES = (("Class", "{}"), ("Clips", "{:,}"), ("Minutes", "{:.1f}"), ("Unreadable", "{:d}"))
NOTHING = "Add audio, and it is checked here before the training."
KINDS = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Info"}
REPORT_EVERY = 10  # clips
USUAL_WINDOW_S = 2.0

Uploaded = tuple[Any, str]  # the browser session, and a sentence


@show_errors(lambda sentence: (gr.skip(), sentence))
def upload_archive(archive: str | None, session: Any) -> Uploaded:
    """Upload a ZIP of a labelled data set; the browser session stores its name."""
    if archive is None:
        return gr.skip(), ""
    path = Path(archive)
    collection = uploads.from_archive(path, path.stem, limits().upload)
    return _with(session, collection), ""


@show_errors(lambda sentence: (gr.skip(), sentence, gr.skip()))
def upload_files(files: list[str] | None, label: str, session: Any) -> tuple[Any, str, Any]:
    """Upload audio files of one class, in addition to those of other classes.

    The field for files is emptied for the next class, and stays as it is where they are refused.
    """
    if not files:
        raise ValueError("Choose the audio files of this class first.")
    stored, paths = sessions.parse_session(session), [Path(file) for file in files]
    collection = uploads.with_files(stored["dataset"], label, paths, limits().upload)
    n_files = f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
    name = escape_markdown(" ".join(label.split()))
    return (
        _with(session, collection),
        f"{n_files} added as {name}: continue with the next class.",
        None,
    )


@show_errors(lambda sentence: (gr.skip(), sentence))
def use_folder(folder: str, session: Any) -> Uploaded:
    """Use a local folder where it lies; not on a public page."""
    if not is_local():
        raise ValueError("Local folders can be used on a local page only: upload a ZIP.")
    path = folder_typed(str(folder or "").strip())
    dataset.load(path)
    return _with(session, str(path)), ""


def start_over(session: Any) -> tuple[Any, str]:
    """Start over with other audio; trainings that use the uploads keep them."""
    return {**sessions.parse_session(session), "dataset": None}, "Add other audio."


def current_upload(session: Any) -> list[Any]:
    """The upload of the browser session, and its revision."""
    stored = sessions.parse_session(session)
    return [stored["dataset"], stored["revision"]]


def check_data(
    session: Any,
    start: str | None,
    leave_out: bool,
    share: Any = DEFAULT_SHARE,
    selected: Any = None,
) -> Iterator[tuple[str, Any, Any, Any, Any]]:
    """Inspect the uploaded data set and report its errors, with progress.

    share: the validation split. selected: the classes and clips to train on, and what tells
    their sources. Returns a report in Markdown, a table of classes, a
    histogram of durations, what the next step needs (`facts`), and the switch that
    leaves out unusable clips.
    """
    sounds = sessions.parse_session(session)["dataset"]
    if not sounds:
        yield NOTHING, *_nothing()
        return
    yield "Inspecting the clips…", *_waiting()
    share, chosen = _usable_share(share), selection.parse_selection(selected, sounds)
    loaded = _open(sounds, share, chosen)
    if isinstance(loaded, str):
        yield loaded, *_nothing()
        return
    data, out, fingerprint = loaded
    clips: list[ClipInfo] = []
    for number, clip in enumerate(inspection.inspect_clips(data, limits=limits().upload.sound)):
        clips.append(clip)
        if number % REPORT_EVERY == 0 and number:
            yield f"Inspected {number} of {len(data.clips)} clips…", *_waiting()
    report = inspection.build_report(data, tuple(clips), _window_s(start), share)
    unusable = inspection.unusable(report)
    if leave_out and unusable:
        usable = tuple(clip for clip in clips if clip.clip.relative_path not in unusable)
        report = inspection.build_report(data.without(unusable), usable, _window_s(start), share)
    if too_long := _too_long(report):
        yield too_long, *_nothing()
        return
    about = {
        "dataset": sounds, "fingerprint": fingerprint, "share": share,
        "grouping": chosen["grouping"], "left_out": sorted(out | unusable if leave_out else out),
    }  # fmt: skip
    yield _format_report(report), *_shown(report, unusable, about)


def _with(session: Any, sounds: str) -> sessions.Session:
    stored = sessions.parse_session(session)
    return {**stored, "dataset": sounds, "revision": stored["revision"] + 1}


@show_errors(lambda sentence: sentence)
def _open(sounds: str, share: float, chosen: Selection) -> tuple[Dataset, set[str], str] | str:
    """The selected clips, what is left out, and the files' fingerprint, or why there is none."""
    folder = sessions.folder_of(sounds)
    fingerprint = uploads.fingerprint(folder)
    grouping = selection.grouping_of(chosen)
    data = dataset.load(folder, dataset.n_folds_for(share), grouping)
    uploads.check(data, limits().upload)
    kept = data.without(chosen["clips_out"], chosen["classes_out"])
    out = {clip.relative_path for clip in data.clips} - {clip.relative_path for clip in kept.clips}
    # Its name is the folder's, also where it lies in another one in there.
    return replace(kept, name=folder.name), out, fingerprint


def _usable_share(share: Any) -> float:
    """The validation split; the default where it is half-typed."""
    is_number = isinstance(share, int | float) and 0 <= share <= MAX_SHARE
    return float(share) if is_number else DEFAULT_SHARE


def _too_long(report: InspectionReport) -> str:
    """A sentence where there is more audio than allowed."""
    seconds, most = sum(clip.duration_s for clip in report.clips), limits().upload.max_seconds
    if most is None or seconds <= most:
        return ""
    return (
        f"These are {seconds / 60:.0f} minutes of audio, and {most / 60:.0f} may be added here: "
        "add fewer or shorter clips."
    )


def _nothing() -> tuple[Any, ...]:
    hidden = gr.update(visible=False)
    return hidden, hidden, None, gr.update(visible=False, value=False)


def _waiting() -> tuple[Any, ...]:
    return gr.skip(), gr.skip(), None, gr.skip()


def _shown(report: InspectionReport, unusable: set[str], about: dict[str, Any]) -> tuple[Any, ...]:
    rows = [[r["class"], r["clips"], r["minutes"], r["unreadable"]] for r in report.classes()]
    table = gr.update(value=filled(CLASSES, rows), visible=True)
    bars = pd.DataFrame(report.durations(), columns=["duration", "clips"])
    n_out = len(unusable)
    text = f"Leave out {n_out} clip{'s' if n_out > 1 else ''} that cannot be used or are copies"
    switch = gr.update(visible=bool(unusable), label=text)
    facts = {
        **about,
        "name": report.data.name,
        "n_clips": len(report.usable),
        "seconds": sum(clip.duration_s for clip in report.clips),
        "is_usable": not report.has_errors,
    }
    return table, gr.update(value=bars, visible=True), facts, switch


def _format_report(report: InspectionReport) -> str:
    """The report: the data set in one line, then the findings, errors first."""
    data, n_clips = report.data, len(report.usable)
    minutes = sum(clip.duration_s for clip in report.clips) / 60
    rates = sorted({clip.rate_hz for clip in report.clips if clip.error is None})
    hz = ", ".join(f"{rate:,}" for rate in rates)
    head = (
        f"**{escape_markdown(data.name)}**: {n_clips:,} clips of {len(data.classes)} classes, "
        f"{minutes:.1f} minutes, at {hz} Hz; {escape_markdown(data.layout)}."
    )
    verdict = (
        "**Not ready for training:** see the errors."
        if report.has_errors
        else "**Ready for training.**"
    )
    lines = [f"- *{KINDS[f.kind]}:* {escape_markdown(f.sentence)}" for f in report.findings]
    return "\n".join([f"{verdict} {head}", "", *lines])


def _window_s(start: str | None) -> float:
    """The window of the chosen model, in seconds."""
    try:
        return max(member.frontend.window_s for member in find_model(start).load_members())
    except ValueError:
        return USUAL_WINDOW_S
