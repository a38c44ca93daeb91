"""The tab Fine-tune: audio is uploaded and checked, a model is trained and used at once."""

from typing import Any

import gradio as gr

from audioclf.ui.finetune import components, data, progress, results, results_components, selection
from audioclf.ui.finetune import settings as finetune_settings
from audioclf.ui.finetune.components import DataControls, SettingsControls, TrainingControls
from audioclf.ui.finetune.results_components import Outcome
from audioclf.ui.page.limits import HOSTED, limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import list_models
from audioclf.ui.page.state import QUEUED, QUIET, Shared

INTRODUCTION = (
    "Train a model on your own classes and use it at once; three classes of ten clips are enough "
    "to begin."
)
HOSTED_NOTE = (
    "On this public page: up to {clips} clips of {classes} classes, {mb:.0f} MB, {minutes:.0f} "
    "minutes of training; uploads and models are deleted after a day, and only this browser "
    "lists it."
)


def _hosted_note() -> str:
    upload, seconds = HOSTED.upload, limits().training.max_seconds or 0
    return HOSTED_NOTE.format(
        clips=upload.max_clips,
        classes=upload.max_classes,
        mb=(upload.max_archive_bytes or 0) / 1e6,
        minutes=seconds / 60,
    )


def build(app: gr.Blocks, shared: Shared, tab: gr.Tab) -> None:
    """The four steps and what comes afterwards, then their wiring."""
    gr.Markdown(INTRODUCTION)
    facts = gr.State(None)
    note = "" if is_local() else _hosted_note()
    sounds, settings = components.data_controls(note), components.settings_controls()
    training = components.training_controls()
    outcome = results_components.outcome()
    _wire_data(app, shared, sounds, settings, facts)
    _wire_settings(shared, settings, training, facts, tab)
    _wire_training(app, shared, training, outcome, tab)
    results_components.wire(shared, training.trainings, outcome)


def _wire_data(
    app: gr.Blocks,
    shared: Shared,
    sounds: DataControls,
    settings: SettingsControls,
    facts: gr.State,
) -> None:
    upload = gr.State(None)
    uploaded = [shared.session, sounds.message]
    sounds.archive.upload(data.upload_archive, [sounds.archive, shared.session], uploaded, **QUEUED)
    sounds.add.click(
        data.upload_files,
        [sounds.files, sounds.label, shared.session],
        [*uploaded, sounds.files],
        **QUEUED,
    )
    gr.on(
        [sounds.use_folder.click, sounds.folder.submit],
        data.use_folder,
        [sounds.folder, shared.session],
        uploaded,
        **QUEUED,
    )
    sounds.over.click(data.start_over, shared.session, uploaded, **QUIET)
    gr.on([app.load, shared.session.change], data.current_upload, shared.session, upload, **QUEUED)
    selection.wire(shared, upload, sounds.selection)
    gr.on(
        [
            sounds.skip_unusable.input,
            settings.share.release,
            settings.share.input,
            sounds.selection.selection.change,
        ],
        data.check_data,
        [
            shared.session,
            settings.start,
            sounds.skip_unusable,
            settings.share,
            sounds.selection.selection,
        ],
        [sounds.report, sounds.classes, sounds.durations, facts, sounds.skip_unusable],
        trigger_mode="always_last",
        concurrency_id="teach",
        concurrency_limit=2,
        **QUEUED,
    )


def _wire_settings(
    shared: Shared,
    settings: SettingsControls,
    training: TrainingControls,
    facts: gr.State,
    tab: gr.Tab,
) -> None:
    what: list[Any] = [settings.kind, settings.start, settings.architecture]
    tab.select(
        finetune_settings.update_base_models,
        [settings.start, shared.session],
        settings.start,
        **QUIET,
    )
    settings.kind.change(
        finetune_settings.show_kind,
        settings.kind,
        [settings.start, settings.architecture, settings.epochs, settings.variation],
        **QUIET,
    )
    suggested = gr.State("")
    gr.on(
        [facts.change, *(one.change for one in what)],
        finetune_settings.suggest_name,
        [facts, *what, settings.name, suggested],
        [settings.name, suggested],
        **QUIET,
    )
    gr.on(
        [facts.change, settings.epochs.change, *(one.change for one in what)],
        finetune_settings.estimate_time,
        [facts, *what, settings.epochs],
        settings.estimate,
        trigger_mode="always_last",
        **QUEUED,
    )
    choices = [*what, settings.name, settings.epochs, settings.variation, settings.share,
               settings.learning_rate, settings.batch_size, settings.seed]  # fmt: skip
    settings.begin.click(
        finetune_settings.start_training,
        [shared.session, facts, *choices],
        [shared.session, training.trainings, settings.message],
        **QUEUED,
    ).then(
        finetune_settings.suggest_name,
        [facts, *what, settings.name, suggested],
        [settings.name, suggested],
        **QUIET,
    )


def _wire_training(
    app: gr.Blocks, shared: Shared, training: TrainingControls, outcome: Outcome, tab: gr.Tab
) -> None:
    shown, ended = gr.State(None), gr.State(None)
    gr.on(
        [app.load, tab.select],
        progress.list_trainings,
        [shared.session, training.trainings],
        training.trainings,
        **QUIET,
    )
    followed = [
        training.status, training.loss, training.accuracy, training.log,
        training.cancel, training.resume, training.save, training.delete, training.timer,
        shown, ended,
    ]  # fmt: skip
    gr.on(
        [training.trainings.change, training.timer.tick],
        progress.follow_training,
        [training.trainings, shown],
        followed,
        **QUEUED,
    )
    training.cancel.click(
        progress.cancel_training, training.trainings, training.status, **QUEUED
    ).then(progress.follow_training, [training.trainings, shown], followed, **QUEUED)
    for button, handler in (
        (training.resume, progress.resume_training),
        (training.save, progress.save_model),
    ):
        button.click(handler, [training.trainings, shared.session], training.status, **QUEUED).then(
            progress.follow_training, [training.trainings, shown], followed, **QUEUED
        )
    training.delete.click(
        progress.delete_training,
        [training.trainings, shared.session],
        [training.status, training.trainings, shared.session],
        **QUEUED,
    ).then(progress.follow_training, [training.trainings, shown], followed, **QUEUED)
    ended.change(results.show_results, training.trainings, [*outcome[:7]], **QUEUED).then(
        list_models, [shared.model, shared.session], shared.model, **QUIET
    ).then(
        progress.list_trainings, [shared.session, training.trainings], training.trainings, **QUIET
    )
