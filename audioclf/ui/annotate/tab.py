"""The tab Label: clips come one at a time, a key labels each, and the data set is exported."""

from typing import Any

import gradio as gr

from audioclf.ui.annotate import components, projects, transfer
from audioclf.ui.annotate.components import ProjectControls, QueueSettings, Transfer
from audioclf.ui.page.limits import HOSTED
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import QUEUED, QUIET, Shared

INTRODUCTION = (
    "Clips play one at a time, and one key labels each; the more you have labelled, the "
    "better the suggestions."
)
HOSTED_NOTE = (
    "On this public page: up to {clips} files, {mb:.0f} MB; only this browser lists them, and "
    "they are deleted a day after the last label."
)


def build(app: gr.Blocks, shared: Shared, tab: gr.Tab) -> None:
    """Data sets, the queue, its settings, export and import; then their wiring."""
    gr.Markdown(INTRODUCTION)
    controls = components.project_controls()
    if not is_local():
        mb = 2 * (HOSTED.upload.max_archive_bytes or 0) / 1e6
        note = HOSTED_NOTE.format(clips=HOSTED.upload.max_clips, mb=mb)
        gr.Markdown(note, elem_classes="ac-note")
    queue_view = components.queue_view()
    queue_settings, export = components.queue_settings(), components.transfer_controls()
    revision = gr.State(0)
    _wire_projects(app, shared, controls, tab)
    tab.select(projects.update_backbones, queue_settings.model, queue_settings.model, **QUIET)
    _wire_queue(shared, controls, queue_settings, queue_view, revision)
    _wire_transfer(shared, controls, export, revision)


def _wire_projects(app: gr.Blocks, shared: Shared, controls: ProjectControls, tab: gr.Tab) -> None:
    outputs = [
        shared.session,
        controls.project,
        controls.message,
        controls.revision,
    ]
    for button, handler, inputs in (
        (
            controls.make,
            projects.make_set,
            [controls.name, controls.folder, controls.files],
        ),
        (controls.examples, projects.try_examples, []),
    ):
        button.click(
            handler, [*inputs, shared.session, controls.revision], outputs,
            api_visibility="private", show_progress="minimal",
        ).then(
            projects.rescan, [controls.project, shared.session], controls.n_files, **QUEUED
        )  # fmt: skip
    gr.on(
        [app.load, controls.revision.change], projects.close_making, shared.session,
        [controls.make_section, controls.files], **QUIET,
    )  # fmt: skip
    gr.on([app.load, tab.select], projects.list_sets, shared.session, controls.project, **QUIET)
    controls.project.input(
        projects.choose_set, [controls.project, shared.session], shared.session, **QUIET
    )
    gr.on(
        [tab.select, controls.project.change], projects.rescan, [controls.project, shared.session],
        controls.n_files, **QUEUED,
    )  # fmt: skip


def _wire_queue(
    shared: Shared,
    controls: ProjectControls,
    queue_settings: QueueSettings,
    queue_view: gr.HTML,
    revision: gr.State,
) -> None:
    settings = [revision, controls.project, queue_settings.suggestions, queue_settings.model]
    gr.on(
        [controls.n_files.change, controls.project.change, revision.change,
         queue_settings.suggestions.change, queue_settings.model.change],
        projects.configure_queue, settings, queue_view, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    segmentation = queue_settings.segmentation
    controls.project.change(
        projects.show_segmentation, [controls.project, shared.session],
        [*segmentation, queue_settings.effect], **QUIET,
    )  # fmt: skip
    gr.on(
        [setting.input for setting in segmentation], projects.change_segmentation,
        [controls.project, revision, shared.session, *segmentation],
        [revision, queue_settings.effect], trigger_mode="always_last", **QUEUED,
    )  # fmt: skip
    gr.on(
        [
            queue_settings.accordion.expand,
            controls.project.change,
            *(one.change for one in queue_settings.segmentation),
        ],
        projects.preview_segmentation,
        [controls.project, *queue_settings.segmentation],
        [queue_settings.preview, queue_settings.preview_text],
        trigger_mode="always_last",
        **QUEUED,
    )


def _wire_transfer(
    shared: Shared,
    controls: ProjectControls,
    export: Transfer,
    revision: gr.State,
) -> None:
    slow, push, import_slot = (_slot(name) for name in ("export", "push", "import"))
    export.fine_tune.click(
        transfer.fine_tune_on_project, [controls.project, shared.session],
        [shared.session, shared.tabs, export.fine_tune_message], **slow,
    )  # fmt: skip
    exported = [export.download, export.export_message]
    export.export.click(transfer.show_progress, None, exported, **QUIET).then(
        transfer.export_set,
        [
            controls.project,
            shared.session,
            export.format,
            export.with_audio,
            export.clip_format,
            export.is_split,
            export.prefix,
        ],
        exported,
        **slow,
    )
    export.format.change(transfer.show_prefix, export.format, export.prefix, **QUIET)
    export.push.click(
        transfer.push_set,
        [
            controls.project,
            export.format,
            export.repo,
            export.token,
            export.is_public,
            shared.session,
        ],
        export.push_message,
        **push,
    )
    controls.project.change(transfer.forget_export, None, exported, **QUIET)
    export.delete.click(
        transfer.delete_set, [controls.project, export.typed_name, shared.session],
        [shared.session, controls.project, export.delete_message], **QUEUED,
    )  # fmt: skip
    classes = [controls.project, shared.session]
    export.naming.expand(transfer.list_classes, classes, export.old, **QUIET)
    for button, handler in (
        (export.rename, transfer.rename_class),
        (export.merge, transfer.merge_classes),
    ):
        button.click(
            handler, [controls.project, export.old, export.new, revision, shared.session],
            [revision, export.rename_message, export.new, export.merge], **QUEUED,
        )  # fmt: skip
    revision.change(transfer.list_classes, classes, export.old, **QUIET)
    gr.on(
        [export.old.input, export.new.input], transfer.hide_merge, None,
        [export.merge, export.rename_message], **QUIET,
    )  # fmt: skip
    export.import_labels.click(
        transfer.import_labels,
        [
            controls.project,
            export.files,
            export.import_format,
            revision,
            shared.session,
        ],
        [revision, export.import_message],
        **import_slot,
    )


def _slot(name: str) -> dict[str, Any]:
    """The settings of slow events of this name: one at a time."""
    return {
        "api_visibility": "private", "show_progress": "minimal", "concurrency_id": name,
        "concurrency_limit": 1,
    }  # fmt: skip
