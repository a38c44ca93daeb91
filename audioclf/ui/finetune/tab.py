"""Teach: sounds are brought and checked, a network learns them, and is used at once."""

from typing import Any

import gradio as gr

from audioclf.ui.finetune import components, data, progress, results, results_components
from audioclf.ui.finetune import settings as teach_settings
from audioclf.ui.finetune.components import Learning, Settings, Sounds
from audioclf.ui.finetune.results_components import Outcome
from audioclf.ui.page import session as my
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import list_networks
from audioclf.ui.page.state import QUEUED, QUIET, Shared

INTRODUCTION = (
    "Teach a network your own classes: bring sounds sorted into classes, look at what was found, "
    "start, and use the new network at once. Three classes of ten clips are enough to begin with."
)
HOSTED_NOTE = (
    "On this public page: up to {clips} clips of {classes} classes, {mb:.0f} MB, {minutes:.0f} "
    "minutes of training; what you bring and teach is deleted after a day, and only this browser "
    "lists it."
)


def _hosted_note() -> str:
    limits, seconds = my.HOSTED, my.job_limits().max_seconds or 0
    return HOSTED_NOTE.format(
        clips=limits.max_clips,
        classes=limits.max_classes,
        mb=(limits.max_archive_bytes or 0) / 1e6,
        minutes=seconds / 60,
    )


def build(app: gr.Blocks, shared: Shared, tab: gr.Tab) -> None:
    """The four steps and what comes afterwards, then their wiring."""
    gr.Markdown(INTRODUCTION)
    if not is_local():
        gr.Markdown(_hosted_note(), elem_classes="ac-note")
    facts = gr.State(None)
    sounds, settings = components.sounds(), components.settings()
    learning = components.learning()
    outcome = results_components.outcome()
    _wire_sounds(app, shared, sounds, settings, facts)
    _wire_settings(shared, settings, learning, facts, tab)
    _wire_learning(app, shared, learning, outcome, tab)
    results_components.wire(shared, learning.trainings, outcome)


def _wire_sounds(
    app: gr.Blocks, shared: Shared, sounds: Sounds, settings: Settings, facts: gr.State
) -> None:
    which = gr.State(None)
    brought = [shared.mine, sounds.said]
    sounds.archive.upload(data.bring_archive, [sounds.archive, shared.mine], brought, **QUEUED)
    sounds.add.click(
        data.bring_files,
        [sounds.files, sounds.label, shared.mine],
        [*brought, sounds.files],
        **QUEUED,
    )
    gr.on(
        [sounds.use_folder.click, sounds.folder.submit],
        data.name_folder,
        [sounds.folder, shared.mine],
        brought,
        **QUEUED,
    )
    sounds.over.click(data.start_over, shared.mine, brought, **QUIET)
    gr.on([app.load, shared.mine.change], data.which_sounds, shared.mine, which, **QUEUED)
    gr.on(
        [which.change, sounds.leave_out.input, settings.share.release, settings.share.input],
        data.check_sounds,
        [shared.mine, settings.start, sounds.leave_out, settings.share],
        [sounds.report, sounds.classes, sounds.durations, facts, sounds.leave_out],
        trigger_mode="always_last",
        concurrency_id="teach",
        concurrency_limit=2,
        **QUEUED,
    )


def _wire_settings(
    shared: Shared, settings: Settings, learning: Learning, facts: gr.State, tab: gr.Tab
) -> None:
    what: list[Any] = [settings.kind, settings.start, settings.architecture]
    tab.select(teach_settings.list_starts, [settings.start, shared.mine], settings.start, **QUIET)
    settings.kind.change(
        teach_settings.show_kind,
        settings.kind,
        [settings.start, settings.architecture, settings.epochs, settings.variation],
        **QUIET,
    )
    suggested = gr.State("")
    gr.on(
        [facts.change, *(one.change for one in what)],
        teach_settings.name_network,
        [facts, *what, settings.name, suggested],
        [settings.name, suggested],
        **QUIET,
    )
    gr.on(
        [facts.change, settings.epochs.change, *(one.change for one in what)],
        teach_settings.estimate_time,
        [facts, *what, settings.epochs],
        settings.estimate,
        trigger_mode="always_last",
        **QUEUED,
    )
    chosen = [*what, settings.name, settings.epochs, settings.variation, settings.share]
    settings.begin.click(
        teach_settings.start_training,
        [shared.mine, facts, *chosen],
        [shared.mine, learning.trainings, settings.said],
        **QUEUED,
    ).then(
        teach_settings.name_network,
        [facts, *what, settings.name, suggested],
        [settings.name, suggested],
        **QUIET,
    )


def _wire_learning(
    app: gr.Blocks, shared: Shared, learning: Learning, outcome: Outcome, tab: gr.Tab
) -> None:
    shown, ended = gr.State(None), gr.State(None)
    gr.on(
        [app.load, tab.select],
        progress.list_trainings,
        [shared.mine, learning.trainings],
        learning.trainings,
        **QUIET,
    )
    followed = [
        learning.told, learning.loss, learning.accuracy, learning.log,
        learning.cancel, learning.resume, learning.publish, learning.delete, learning.timer,
        shown, ended,
    ]  # fmt: skip
    gr.on(
        [learning.trainings.change, learning.timer.tick],
        progress.follow_training,
        [learning.trainings, shown],
        followed,
        **QUEUED,
    )
    learning.cancel.click(
        progress.cancel_training, learning.trainings, learning.told, **QUEUED
    ).then(progress.follow_training, [learning.trainings, shown], followed, **QUEUED)
    for button, handler in (
        (learning.resume, progress.resume_training),
        (learning.publish, progress.publish_training),
    ):
        button.click(handler, [learning.trainings, shared.mine], learning.told, **QUEUED).then(
            progress.follow_training, [learning.trainings, shown], followed, **QUEUED
        )
    learning.delete.click(
        progress.delete_training,
        [learning.trainings, shared.mine],
        [learning.told, learning.trainings, shared.mine],
        **QUEUED,
    ).then(progress.follow_training, [learning.trainings, shown], followed, **QUEUED)
    ended.change(results.show_outcome, learning.trainings, [*outcome[:7]], **QUEUED).then(
        list_networks, [shared.network, shared.mine], shared.network, **QUIET
    ).then(progress.list_trainings, [shared.mine, learning.trainings], learning.trainings, **QUIET)
