"""Fine-tune, step 4: a training is followed, cancelled and resumed."""

import time
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from audioclf.jobs import job as jobs
from audioclf.jobs import queue
from audioclf.jobs.job import Job
from audioclf.jobs.records import TRAINING, JobState, TrainingMode
from audioclf.text import escape_markdown
from audioclf.ui.page import session as sessions
from audioclf.ui.page.state import show_errors

NONE_YET = "There is no training. Start one above, and its progress is shown here."
STATES: dict[str, str] = {
    JobState.WAITING: "waits",
    JobState.RUNNING: "runs",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.KILLED: "ended",
}
STAGES = {
    "clips": "Preparing the clips",
    "held-out clips": "Evaluating the held-out clips",
    "error analysis": "Ranking the misclassified clips",
}
TRAIN, VALIDATION = "training (augmented)", "validation"
COLOURS = {TRAIN: "#0072B2", VALIDATION: "#D55E00"}  # Okabe and Ito
CURVES = (("loss", "val_loss", 1), ("accuracy", "val_accuracy", 100))


def list_trainings(session: Any, selected: str | None) -> Any:
    """The trainings that this browser started, or all on one's own machine, the newest first."""
    jobs_of_session = sessions.jobs_of(session)
    choices = [(_title(job), job.id) for job in jobs_of_session]
    names = [name for _, name in choices]
    value = selected if selected in names else next(iter(names), None)
    return gr.Dropdown(choices=choices, value=value, visible=bool(choices))


def follow_training(selected: str | None, shown: Any) -> tuple[Any, ...]:
    """The status of a training: a sentence, the curves of loss and accuracy, the log, the buttons.

    The last two values are what is shown now, and whether and how the training has ended.
    `shown`: what was shown before, so that only what has changed is sent again.
    """
    job = _find(selected)
    if job is None:
        empty = (gr.LinePlot(visible=False), gr.LinePlot(visible=False))
        return NONE_YET, *empty, "", *_buttons(None), gr.Timer(active=False), None, None
    status, epochs = job.read_status(), job.read_epochs()
    is_known = isinstance(shown, dict) and shown.get("id") == job.id
    n_shown = shown.get("n_epochs") if is_known else None
    curves = [gr.skip(), gr.skip()] if n_shown == len(epochs) else _curves(epochs)
    now = {"id": job.id, "n_epochs": len(epochs)}
    ended = [job.id, status.state, status.ended_at]
    timer = gr.Timer(active=status.is_active)
    return format_status(job), *curves, job.read_log(), *_buttons(job), timer, now, ended


@show_errors(lambda sentence: sentence)
def cancel_training(selected: str | None) -> str:
    """Cancel a training; it ends within two seconds, and its last epoch is saved."""
    job = _find(selected)
    if job is None:
        return NONE_YET
    queue.cancel(job)
    end = time.monotonic() + 4
    while job.read_status().is_active and time.monotonic() < end:
        time.sleep(0.1)
    return format_status(job)


@show_errors(lambda sentence: sentence)
def resume_training(
    selected: str | None, session: Any = None, request: gr.Request | None = None
) -> str:
    """Resume an ended training from its last saved epoch."""
    visitor = sessions.visitor(session, request)
    return format_status(queue.resume(queue.find(selected or ""), visitor=visitor))


@show_errors(lambda sentence: sentence)
def save_model(selected: str | None, session: Any = None, request: gr.Request | None = None) -> str:
    """Save the model of an ended training as far as it is trained."""
    visitor = sessions.visitor(session, request)
    return format_status(
        queue.resume(queue.find(selected or ""), export_only=True, visitor=visitor)
    )


@show_errors(lambda sentence: (sentence, gr.skip(), gr.skip()))
def delete_training(selected: str | None, session: Any) -> tuple[str, Any, Any]:
    """Delete an ended training; on a local page the model that it has saved stays.

    Returns a sentence, the list of trainings, and the browser session.
    """
    job, stored = queue.find(selected or ""), sessions.parse_session(session)
    name = escape_markdown(job.read_request().name)
    queue.delete(job)
    now = {**stored, "jobs": [job_id for job_id in stored["jobs"] if job_id != selected]}
    return f"**{name}** is removed.", list_trainings(now, None), now


def format_status(job: Job) -> str:
    """The status of a training in a sentence or two of Markdown."""
    status, name = job.read_status(), escape_markdown(job.read_request().name)
    elapsed = _time(status.elapsed_s)
    if status.state == JobState.WAITING:
        ahead = f"{status.queue_position} before it" if status.queue_position else "it is next"
        return f"**{name}** waits for its turn: {ahead}."
    if status.state == JobState.RUNNING:
        return f"**{name}**: {_stage(job)}. {elapsed} so far{_remaining(job)}."
    if status.state == JobState.DONE:
        return f"**{name}** is finished, after {elapsed}: the model is in every list of models."
    saved = ""
    if status.state != JobState.CANCELLED and job.last_saved_epoch():
        saved = f" Epoch {job.last_saved_epoch()} is saved."
    return f"**{name}**: {escape_markdown(_lower(status.message))}{saved}"


def _lower(sentence: str) -> str:
    """A sentence as it goes on after a colon."""
    return sentence[:1].lower() + sentence[1:] or "it ended without a message."


def _find(selected: Any) -> Job | None:
    try:
        return queue.find(selected) if isinstance(selected, str) else None
    except ValueError:
        return None


def _stage(job: Job) -> str:
    status = job.read_status()
    text = STAGES.get(status.stage, escape_markdown(status.stage) or "starting")
    if status.stage == TRAINING:
        return f"epoch {status.n_done} of {status.n_total}"
    return f"{text}, {status.n_done} of {status.n_total}" if status.n_total else text


def _remaining(job: Job) -> str:
    """From how long the last epochs took."""
    epochs = job.read_epochs()
    if (
        job.read_request().mode == TrainingMode.LINEAR_PROBE
        or not epochs
        or job.read_status().stage != TRAINING
    ):
        return ""
    last = epochs[1:][-5:] or epochs  # the first one also builds the model
    mean_s = sum(epoch["seconds"] for epoch in last) / len(last)
    return f", about {_time(mean_s * (last[-1]['n_epochs'] - last[-1]['epoch']))} left"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 90 else f"{minutes / 60:.1f} h"


def _curves(epochs: list[dict[str, Any]]) -> list[Any]:
    """Loss and accuracy in percent per epoch, of training and validation clips."""
    if not epochs:
        return [gr.LinePlot(visible=False), gr.LinePlot(visible=False)]
    plots = []
    for train_key, validation_key, scale in CURVES:
        rows = [
            (epoch["epoch"], scale * epoch[key], curve)
            for key, curve in ((train_key, TRAIN), (validation_key, VALIDATION))
            for epoch in epochs
            if epoch.get(key) is not None and isfinite(epoch[key])
        ]
        frame = pd.DataFrame(rows, columns=["epoch", train_key, "of"])
        plots.append(gr.LinePlot(frame, visible=True))
    return plots


def _buttons(job: Job | None) -> tuple[Any, ...]:
    """The buttons cancel, resume, save and delete, visible where they apply."""
    state = job.read_status().state if job else None
    has_ended = state in (JobState.FAILED, JobState.CANCELLED, JobState.KILLED)
    can_save = bool(has_ended and job and job.last_saved_epoch())
    return (
        gr.Button(visible=state in jobs.ACTIVE),
        gr.Button(visible=has_ended),
        gr.Button(visible=can_save),
        gr.Button(visible=has_ended or state == JobState.DONE),
    )


def _title(job: Job) -> str:
    request = job.read_request()
    how = f"{request.architecture}, from scratch"
    if request.mode != TrainingMode.SCRATCH:
        how = f"from {Path(request.base_model or '').name}"
    day = datetime.fromtimestamp(job.read_state().submitted_at)
    state = STATES[job.read_status().state]
    return f"{request.name}, {how} ({state}, {day:%d %b %H:%M})"
