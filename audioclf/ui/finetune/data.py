"""Teach, first half: sounds are brought, and looked at before anything is taught."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.datasets import dataset, uploads
from audioclf.datasets import inspection as surveys
from audioclf.datasets.checks import MOST_SHARE, USUAL_SHARE, Heard, Severity
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.inspection import Survey
from audioclf.text import escape_markdown
from audioclf.ui.page import session as my
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import folder_typed, guarded, network_named
from audioclf.ui.page.tables import filled

CLASSES = (("Class", "{}"), ("Clips", "{:,}"), ("Minutes", "{:.1f}"), ("Unreadable", "{:d}"))
NOTHING = "Bring sounds, and what they hold is told here before anything is taught."
KINDS = {Severity.ERROR: "In the way", Severity.WARNING: "Mind", Severity.INFO: "Good to know"}
TELL_EVERY = 10  # clips
USUAL_WINDOW_S = 2.0

Brought = tuple[Any, str]  # what the browser remembers, and a sentence


@guarded(lambda sentence: (gr.skip(), sentence))
def bring_archive(archive: str | None, mine: Any) -> Brought:
    """Take a ZIP of a labelled data set; its name is remembered by the browser."""
    if archive is None:
        return gr.skip(), ""
    path = Path(archive)
    made = uploads.from_archive(path, path.stem, my.limits())
    return _with(mine, made), ""


@guarded(lambda sentence: (gr.skip(), sentence, gr.skip()))
def bring_files(files: list[str] | None, label: str, mine: Any) -> tuple[Any, str, Any]:
    """Take sound files of one class, beside those that were brought before.

    The field for files is emptied for the next class, and stays as it is where they are refused.
    """
    if not files:
        raise ValueError("Choose the sounds of this class first.")
    kept, paths = my.of(mine), [Path(file) for file in files]
    made = uploads.with_files(kept["sounds"], label, paths, my.limits())
    n_files = f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
    words = f"{n_files} brought as {escape_markdown(' '.join(label.split()))}: now those of the next class."
    return _with(mine, made), words, None


@guarded(lambda sentence: (gr.skip(), sentence))
def name_folder(folder: str, mine: Any) -> Brought:
    """Take a folder of the machine that the page runs on, where it stays; not on a public page."""
    if not is_local():
        raise ValueError("Folders are named on one's own machine only: bring a ZIP.")
    path = folder_typed(str(folder or "").strip())
    dataset.load(path)
    return _with(mine, str(path)), ""


def start_over(mine: Any) -> tuple[Any, str]:
    """Forget the sounds that were brought; trainings that began with them keep them."""
    return {**my.of(mine), "sounds": None}, "Bring other sounds."


def which_sounds(mine: Any) -> list[Any]:
    """Which sounds the browser has brought, and how often it added to them."""
    kept = my.of(mine)
    return [kept["sounds"], kept["n_brought"]]


def check_sounds(
    mine: Any, start: str | None, leave_out: bool, share: Any = USUAL_SHARE
) -> Iterator[tuple[str, Any, Any, Any, Any]]:
    """What the brought sounds hold and what is wrong with it, told clip by clip while it is found.

    share: how much is held out to measure on. Returns a report in Markdown, a table of classes, a
    histogram of durations, what the next step needs (`facts`), and the switch that
    leaves out what cannot be used.
    """
    sounds = my.of(mine)["sounds"]
    if not sounds:
        yield NOTHING, *_nothing()
        return
    yield "Listening…", *_waiting()
    share = _usable_share(share)
    opened = _open(sounds, share)
    if isinstance(opened, str):
        yield opened, *_nothing()
        return
    data, fingerprint = opened
    told: list[Heard] = []
    for number, one in enumerate(surveys.parts(data, limits=my.limits().sound)):
        told.append(one)
        if number % TELL_EVERY == 0 and number:
            yield f"Listening to {number} of {len(data.clips)} clips…", *_waiting()
    found = surveys.report(data, tuple(told), _window_s(start), share)
    useless = surveys.useless(found)
    if leave_out and useless:
        kept = tuple(one for one in told if one.clip.place not in useless)
        found = surveys.report(data.without(useless), kept, _window_s(start), share)
    if too_long := _too_long(found):
        yield too_long, *_nothing()
        return
    about = {"sounds": sounds, "fingerprint": fingerprint, "share": share}
    yield _in_words(found), *_shown(found, useless, leave_out, about)


def _with(mine: Any, sounds: str) -> my.Mine:
    kept = my.of(mine)
    return {**kept, "sounds": sounds, "n_brought": kept["n_brought"] + 1}


@guarded(lambda sentence: sentence)
def _open(sounds: str, share: float) -> tuple[Dataset, str] | str:
    """The data set and its files' fingerprint, or why it cannot be one."""
    folder = my.folder_of(sounds)
    fingerprint = uploads.fingerprint(folder)
    data = dataset.load(folder, dataset.n_folds_for(share))
    uploads.check(data, my.limits())
    # Its name is the folder's, also where it lies in another one in there.
    return replace(data, name=folder.name), fingerprint


def _usable_share(share: Any) -> float:
    """The share as it can be used; a half-typed one is the usual one."""
    is_number = isinstance(share, int | float) and 0 <= share <= MOST_SHARE
    return float(share) if is_number else USUAL_SHARE


def _too_long(found: Survey) -> str:
    """What is said of more sound than may be brought."""
    seconds, most = sum(one.duration_s for one in found.clips), my.limits().max_seconds
    if most is None or seconds <= most:
        return ""
    return (
        f"These are {seconds / 60:.0f} minutes of sound, and {most / 60:.0f} may be brought here: "
        "bring fewer or shorter clips."
    )


def _nothing() -> tuple[Any, ...]:
    hidden = gr.update(visible=False)
    return hidden, hidden, None, gr.update(visible=False, value=False)


def _waiting() -> tuple[Any, ...]:
    return gr.skip(), gr.skip(), None, gr.skip()


def _shown(
    found: Survey, useless: set[str], leave_out: bool, about: dict[str, Any]
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


def _in_words(found: Survey) -> str:
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
        "**It cannot be taught yet:** see what is in the way."
        if found.blocks
        else "**Ready to be taught.**"
    )
    lines = [f"- *{KINDS[one.kind]}:* {escape_markdown(one.sentence)}" for one in found.findings]
    return "\n".join([f"{verdict} {head}", "", *lines])


def _window_s(start: str | None) -> float:
    """How much the network that is chosen sees at once."""
    try:
        return max(one.recipe.window_s for one in network_named(start).members)
    except ValueError:
        return USUAL_WINDOW_S
