"""Label: sounds come one at a time, a key says what each is, and the data set goes on its way."""

from typing import Any

import gradio as gr

from audioclf.ui.annotate import components, projects, transfer
from audioclf.ui.annotate.components import Away, Sets, Ways
from audioclf.ui.page import session as my
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import QUEUED, QUIET, Shared

INTRODUCTION = (
    "Sounds play one at a time, and one key says what each is; the more you have labelled, the "
    "better the suggestions."
)
HOSTED_NOTE = (
    "On this public page: up to {clips} sounds, {mb:.0f} MB; only this browser lists them, and "
    "they are deleted a day after the last label."
)


def build(app: gr.Blocks, shared: Shared, tab: gr.Tab) -> None:
    """Data sets, the desk, settings, and what becomes of the labels; then their wiring."""
    gr.Markdown(INTRODUCTION)
    if not is_local():
        mb = 2 * (my.HOSTED.max_archive_bytes or 0) / 1e6
        words = HOSTED_NOTE.format(clips=my.HOSTED.max_clips, mb=mb)
        gr.Markdown(words, elem_classes="ac-note")
    sets = components.sets()
    desk = components.desk()
    ways, away = components.ways(), components.away()
    n_brought = gr.State(0)
    _wire_sets(app, shared, sets, tab)
    tab.select(projects.list_ears, ways.network, ways.network, **QUIET)
    _wire_desk(sets, ways, desk, n_brought)
    _wire_away(shared, sets, away, n_brought)


def _wire_sets(app: gr.Blocks, shared: Shared, sets: Sets, tab: gr.Tab) -> None:
    told = [shared.mine, sets.chosen, sets.said, sets.n_made]
    for button, handler, asked in (
        (sets.make, projects.make_set, [sets.name, sets.folder, sets.files]),
        (sets.examples, projects.try_examples, []),
    ):
        button.click(
            handler, [*asked, shared.mine, sets.n_made], told, api_visibility="private",
            show_progress="minimal",
        ).then(
            projects.look_again, [sets.chosen, shared.mine], sets.looked, **QUEUED
        )  # fmt: skip
    gr.on(
        [app.load, sets.n_made.change], projects.close_making, shared.mine,
        [sets.made, sets.files], **QUIET,
    )  # fmt: skip
    gr.on([app.load, tab.select], projects.list_sets, shared.mine, sets.chosen, **QUIET)
    sets.chosen.input(projects.choose_set, [sets.chosen, shared.mine], shared.mine, **QUIET)
    gr.on(
        [tab.select, sets.chosen.change], projects.look_again, [sets.chosen, shared.mine],
        sets.looked, **QUEUED,
    )  # fmt: skip


def _wire_desk(sets: Sets, ways: Ways, desk: gr.HTML, n_brought: gr.State) -> None:
    settings: list[Any] = [n_brought, sets.chosen, ways.suggestions, ways.network, *ways.cutting]
    gr.on(
        [sets.looked.change, sets.chosen.change, n_brought.change,
         ways.suggestions.change, ways.network.change, *(one.change for one in ways.cutting)],
        projects.open_desk, settings, desk, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    gr.on(
        [ways.place.expand, sets.chosen.change, *(one.change for one in ways.cutting)],
        projects.preview_cutting,
        [sets.chosen, *ways.cutting],
        [ways.preview, ways.words],
        trigger_mode="always_last",
        **QUEUED,
    )


def _wire_away(shared: Shared, sets: Sets, away: Away, n_brought: gr.State) -> None:
    slow, push, bring = (_slot(name) for name in ("export", "push", "import"))
    away.teach.click(
        transfer.teach_with_set, [sets.chosen, shared.mine],
        [shared.mine, shared.tabs, away.taught], **slow,
    )  # fmt: skip
    made = [away.download, away.exported]
    away.export.click(transfer.tell_making, None, made, **QUIET).then(
        transfer.export_set,
        [sets.chosen, away.form, away.with_sounds, away.clips, away.is_split, shared.mine],
        made,
        **slow,
    )
    away.push.click(
        transfer.push_set,
        [sets.chosen, away.form, away.repo, away.token, away.is_public, shared.mine],
        away.pushed,
        **push,
    )
    sets.chosen.change(transfer.forget_export, None, made, **QUIET)
    away.delete.click(
        transfer.delete_set, [sets.chosen, away.typed, shared.mine],
        [shared.mine, sets.chosen, away.deleted], **QUEUED,
    )  # fmt: skip
    classes = [sets.chosen, shared.mine]
    away.naming.expand(transfer.list_classes, classes, away.old, **QUIET)
    away.rename.click(
        transfer.rename_class, [sets.chosen, away.old, away.new, n_brought, shared.mine],
        [n_brought, away.renamed], **QUEUED,
    ).then(transfer.list_classes, classes, away.old, **QUIET)  # fmt: skip
    away.bring.click(
        transfer.import_labels,
        [sets.chosen, away.files, away.brought_form, n_brought, shared.mine],
        [n_brought, away.brought],
        **bring,
    )


def _slot(name: str) -> dict[str, Any]:
    """How slow events of this name are run: one at a time, beside those of other names."""
    return {
        "api_visibility": "private", "show_progress": "minimal", "concurrency_id": name,
        "concurrency_limit": 1,
    }  # fmt: skip
