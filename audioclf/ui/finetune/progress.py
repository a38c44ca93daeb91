"""Teach, fourth step: a training is followed, cancelled, resumed, and found again."""

import time
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.jobs import job as job_files
from audioclf.jobs import queue
from audioclf.jobs.job import Job, JobState, TrainingMode
from audioclf.text import escape_markdown
from audioclf.ui.page import session as my
from audioclf.ui.page.state import guarded

NONE_YET = "Nothing is being taught. Start a training above, and it is followed here."
STATES: dict[str, str] = {
    JobState.WAITING: "waits",
    JobState.RUNNING: "runs",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.KILLED: "ended",
}
STAGES = {
    "clips": "Listening to the clips",
    "held-out clips": "Judging the clips that were held out",
    "a second look": "Looking for misjudged clips",
}
TAUGHT, UNSEEN = "taught clips, as shown", "held-out clips"
COLOURS = {TAUGHT: "#0072B2", UNSEEN: "#D55E00"}  # Okabe and Ito
CURVES = (("loss", "unseen_loss", 1), ("accuracy", "unseen_accuracy", 100))


def list_trainings(mine: Any, chosen: str | None) -> Any:
    """The trainings that this browser started, or all on one's own machine, the newest first."""
    found = my.jobs_of(mine)
    choices = [(_title(one), one.id) for one in found]
    names = [name for _, name in choices]
    value = chosen if chosen in names else next(iter(names), None)
    return gr.Dropdown(choices=choices, value=value, visible=bool(choices))


def follow_training(chosen: str | None, shown: Any) -> tuple[Any, ...]:
    """How a training is: a sentence, the curves of loss and accuracy, the log, what can be done.

    The last two values are what is shown now, and whether and how the training has ended.
    `shown`: what was shown before, so that only what has changed is sent again.
    """
    found = _found(chosen)
    if found is None:
        empty = (gr.LinePlot(visible=False), gr.LinePlot(visible=False))
        return NONE_YET, *empty, "", *_buttons(None), gr.Timer(active=False), None, None
    status, epochs = found.status, found.epochs
    is_known = isinstance(shown, dict) and shown.get("id") == found.id
    n_shown = shown.get("n_epochs") if is_known else None
    curves = [gr.skip(), gr.skip()] if n_shown == len(epochs) else _curves(epochs)
    now = {"id": found.id, "n_epochs": len(epochs)}
    ended = [found.id, status.state, status.ended_at]
    timer = gr.Timer(active=status.is_active)
    return in_words(found), *curves, found.log, *_buttons(found), timer, now, ended


@guarded(lambda sentence: sentence)
def cancel_training(chosen: str | None) -> str:
    """Ask a training to end; it does within two seconds, and its last epoch is kept."""
    found = _found(chosen)
    if found is None:
        return NONE_YET
    queue.cancel(found)
    end = time.monotonic() + 4
    while found.status.is_active and time.monotonic() < end:
        time.sleep(0.1)
    return in_words(found)


@guarded(lambda sentence: sentence)
def resume_training(chosen: str | None, mine: Any = None, request: gr.Request | None = None) -> str:
    """Let an ended training go on from its last kept epoch."""
    visitor = my.visitor(mine, request)
    return in_words(queue.resume(queue.find(chosen or ""), visitor=visitor))


@guarded(lambda sentence: sentence)
def publish_training(
    chosen: str | None, mine: Any = None, request: gr.Request | None = None
) -> str:
    """Publish what an ended training has learnt so far."""
    visitor = my.visitor(mine, request)
    return in_words(queue.resume(queue.find(chosen or ""), publish=True, visitor=visitor))


@guarded(lambda sentence: (sentence, gr.skip(), gr.skip()))
def delete_training(chosen: str | None, mine: Any) -> tuple[str, Any, Any]:
    """Remove an ended training with all that it kept; a published network stays where that is.

    Returns a sentence, the list of trainings, and what the browser remembers.
    """
    found, kept = queue.find(chosen or ""), my.of(mine)
    name = escape_markdown(found.request.name)
    queue.delete(found)
    now = {**kept, "jobs": [one for one in kept["jobs"] if one != chosen]}
    return f"**{name}** is removed.", list_trainings(now, None), now


def in_words(found: Job) -> str:
    """How a training is, in a sentence or two of Markdown."""
    status, name = found.status, escape_markdown(found.request.name)
    passed = _time(status.elapsed_s)
    if status.state == JobState.WAITING:
        ahead = f"{status.queue_position} before it" if status.queue_position else "it is next"
        return f"**{name}** waits for its turn: {ahead}."
    if status.state == JobState.RUNNING:
        return f"**{name}**: {_stage(found)}. {passed} so far{_remaining(found)}."
    if status.state == JobState.DONE:
        return f"**{name}** is taught, after {passed}: it stands in every list of networks."
    kept = ""
    if status.state != JobState.CANCELLED and found.last_saved_epoch:
        kept = f" Epoch {found.last_saved_epoch} is kept."
    return f"**{name}**: {escape_markdown(_lower(status.sentence))}{kept}"


def _lower(sentence: str) -> str:
    """A sentence as it goes on after a colon."""
    return sentence[:1].lower() + sentence[1:] or "it ended without a word."


def _found(chosen: Any) -> Job | None:
    try:
        return queue.find(chosen) if isinstance(chosen, str) else None
    except ValueError:
        return None


def _stage(found: Job) -> str:
    status = found.status
    words = STAGES.get(status.stage, escape_markdown(status.stage) or "starting")
    if status.stage == "Learning":
        return f"epoch {status.n_done} of {status.n_total}"
    return f"{words}, {status.n_done} of {status.n_total}" if status.n_total else words


def _remaining(found: Job) -> str:
    """From how long the last epochs took."""
    epochs = found.epochs
    if (
        found.request.kind == TrainingMode.LINEAR_PROBE
        or not epochs
        or found.status.stage != "Learning"
    ):
        return ""
    last = epochs[1:][-5:] or epochs  # the first one also builds the network
    mean_s = sum(one["seconds"] for one in last) / len(last)
    return f", about {_time(mean_s * (last[-1]['n_epochs'] - last[-1]['epoch']))} left"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 90 else f"{minutes / 60:.1f} h"


def _curves(epochs: list[dict[str, Any]]) -> list[Any]:
    """Loss and accuracy in percent per epoch, of taught and of held-out clips."""
    if not epochs:
        return [gr.LinePlot(visible=False), gr.LinePlot(visible=False)]
    made = []
    for taught, unseen, scale in CURVES:
        rows = [
            (one["epoch"], scale * one[key], words)
            for key, words in ((taught, TAUGHT), (unseen, UNSEEN))
            for one in epochs
            if one.get(key) is not None and isfinite(one[key])
        ]
        frame = pd.DataFrame(rows, columns=["epoch", taught, "of"])
        made.append(gr.LinePlot(frame, visible=True))
    return made


def _buttons(found: Job | None) -> tuple[Any, ...]:
    """Cancel, resume and publish, as far as they make sense now."""
    state = found.status.state if found else None
    has_ended = state in (JobState.FAILED, JobState.CANCELLED, JobState.KILLED)
    can_publish = bool(has_ended and found and found.last_saved_epoch)
    return (
        gr.Button(visible=state in job_files.ACTIVE),
        gr.Button(visible=has_ended),
        gr.Button(visible=can_publish),
        gr.Button(visible=has_ended or state == JobState.DONE),
    )


def _title(found: Job) -> str:
    request = found.request
    how = f"{request.architecture}, from scratch"
    if request.kind != TrainingMode.SCRATCH:
        how = f"from {Path(request.start or '').name}"
    day = datetime.fromtimestamp(found.submitted_at)
    state = STATES[found.status.state]
    return f"{request.name}, {how} ({state}, {day:%d %b %H:%M})"
