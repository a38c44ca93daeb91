"""Teach, first half: sounds are brought, and looked at before anything is taught."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.datasets import dataset, inspection, uploads
from audioclf.datasets.checks import MOST_SHARE, USUAL_SHARE, ClipInfo, Severity
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.inspection import InspectionReport
from audioclf.text import escape_markdown
from audioclf.ui.page import session as sessions
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import folder_typed, network_named, show_errors
from audioclf.ui.page.tables import filled

CLASSES = (("Class", "{}"), ("Clips", "{:,}"), ("Minutes", "{:.1f}"), ("Unreadable", "{:d}"))
NOTHING = "Add audio, and it is checked here before the training."
KINDS = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Info"}
TELL_EVERY = 10  # clips
USUAL_WINDOW_S = 2.0

Brought = tuple[Any, str]  # what the browser remembers, and a sentence


@show_errors(lambda sentence: (gr.skip(), sentence))
def upload_archive(archive: str | None, session: Any) -> Brought:
    """Take a ZIP of a labelled data set; its name is remembered by the browser."""
    if archive is None:
        return gr.skip(), ""
    path = Path(archive)
    made = uploads.from_archive(path, path.stem, sessions.limits())
    return _with(session, made), ""


@show_errors(lambda sentence: (gr.skip(), sentence, gr.skip()))
def upload_files(files: list[str] | None, label: str, session: Any) -> tuple[Any, str, Any]:
    """Take sound files of one class, beside those that were brought before.

    The field for files is emptied for the next class, and stays as it is where they are refused.
    """
    if not files:
        raise ValueError("Choose the audio files of this class first.")
    kept, paths = sessions.parse_session(session), [Path(file) for file in files]
    made = uploads.with_files(kept["sounds"], label, paths, sessions.limits())
    n_files = f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
    name = escape_markdown(" ".join(label.split()))
    return _with(session, made), f"{n_files} added as {name}: continue with the next class.", None


@show_errors(lambda sentence: (gr.skip(), sentence))
def name_folder(folder: str, session: Any) -> Brought:
    """Take a folder of the machine that the page runs on, where it stays; not on a public page."""
    if not is_local():
        raise ValueError("Local folders can be used on a local page only: upload a ZIP.")
    path = folder_typed(str(folder or "").strip())
    dataset.load(path)
    return _with(session, str(path)), ""


def start_over(session: Any) -> tuple[Any, str]:
    """Forget the sounds that were brought; trainings that began with them keep them."""
    return {**sessions.parse_session(session), "sounds": None}, "Add other audio."


def which_sounds(session: Any) -> list[Any]:
    """Which sounds the browser has brought, and how often it added to them."""
    kept = sessions.parse_session(session)
    return [kept["sounds"], kept["n_brought"]]


def check_sounds(
    session: Any, start: str | None, leave_out: bool, share: Any = USUAL_SHARE
) -> Iterator[tuple[str, Any, Any, Any, Any]]:
    """What the brought sounds hold and what is wrong with it, told clip by clip while it is found.

    share: how much is held out to measure on. Returns a report in Markdown, a table of classes, a
    histogram of durations, what the next step needs (`facts`), and the switch that
    leaves out what cannot be used.
    """
    sounds = sessions.parse_session(session)["sounds"]
    if not sounds:
        yield NOTHING, *_nothing()
        return
    yield "Inspecting the clips…", *_waiting()
    share = _usable_share(share)
    opened = _open(sounds, share)
    if isinstance(opened, str):
        yield opened, *_nothing()
        return
    data, fingerprint = opened
    told: list[ClipInfo] = []
    for number, one in enumerate(inspection.inspect_clips(data, limits=sessions.limits().sound)):
        told.append(one)
        if number % TELL_EVERY == 0 and number:
            yield f"Inspected {number} of {len(data.clips)} clips…", *_waiting()
    found = inspection.build_report(data, tuple(told), _window_s(start), share)
    useless = inspection.unusable(found)
    if leave_out and useless:
        kept = tuple(one for one in told if one.clip.relative_path not in useless)
        found = inspection.build_report(data.without(useless), kept, _window_s(start), share)
    if too_long := _too_long(found):
        yield too_long, *_nothing()
        return
    about = {"sounds": sounds, "fingerprint": fingerprint, "share": share}
    yield _in_words(found), *_shown(found, useless, leave_out, about)


def _with(session: Any, sounds: str) -> sessions.Session:
    kept = sessions.parse_session(session)
    return {**kept, "sounds": sounds, "n_brought": kept["n_brought"] + 1}


@show_errors(lambda sentence: sentence)
def _open(sounds: str, share: float) -> tuple[Dataset, str] | str:
    """The data set and its files' fingerprint, or why it cannot be one."""
    folder = sessions.folder_of(sounds)
    fingerprint = uploads.fingerprint(folder)
    data = dataset.load(folder, dataset.n_folds_for(share))
    uploads.check(data, sessions.limits())
    # Its name is the folder's, also where it lies in another one in there.
    return replace(data, name=folder.name), fingerprint


def _usable_share(share: Any) -> float:
    """The share as it can be used; a half-typed one is the usual one."""
    is_number = isinstance(share, int | float) and 0 <= share <= MOST_SHARE
    return float(share) if is_number else USUAL_SHARE


def _too_long(found: InspectionReport) -> str:
    """What is said of more sound than may be brought."""
    seconds, most = sum(one.duration_s for one in found.clips), sessions.limits().max_seconds
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


def _shown(
    found: InspectionReport, useless: set[str], leave_out: bool, about: dict[str, Any]
) -> tuple[Any, ...]:
    rows = [[r["class"], r["clips"], r["minutes"], r["unreadable"]] for r in found.classes()]
    table = gr.update(value=filled(CLASSES, rows), visible=True)
    bars = pd.DataFrame(found.durations(), columns=["duration", "clips"])
    n_out = len(useless)
    words = f"Leave out {n_out} clip{'s' if n_out > 1 else ''} that cannot be used or are copies"
    switch = gr.update(visible=bool(useless), label=words)
    facts = {
        **about,
        "name": found.data.name,
        "n_clips": len(found.usable),
        "seconds": sum(one.duration_s for one in found.clips),
        "left_out": sorted(useless) if leave_out else [],
        "is_usable": not found.blocks,
    }
    return table, gr.update(value=bars, visible=True), facts, switch


def _in_words(found: InspectionReport) -> str:
    """The report: what it is in one line, then what was found, the gravest first."""
    data, n_clips = found.data, len(found.usable)
    minutes = sum(one.duration_s for one in found.clips) / 60
    rates = sorted({one.rate_hz for one in found.clips if one.trouble is None})
    hz = ", ".join(f"{rate:,}" for rate in rates)
    head = (
        f"**{escape_markdown(data.name)}**: {n_clips:,} clips of {len(data.classes)} classes, "
        f"{minutes:.1f} minutes, at {hz} Hz; {escape_markdown(data.layout)}."
    )
    verdict = (
        "**Not ready for training:** see the errors." if found.blocks else "**Ready for training.**"
    )
    lines = [f"- *{KINDS[one.kind]}:* {escape_markdown(one.sentence)}" for one in found.findings]
    return "\n".join([f"{verdict} {head}", "", *lines])


def _window_s(start: str | None) -> float:
    """How much the network that is chosen sees at once."""
    try:
        return max(one.frontend.window_s for one in network_named(start).members)
    except ValueError:
        return USUAL_WINDOW_S
