"""The components of the tab Label."""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.datasets.formats.base import MAX_NAME
from audioclf.ui.annotate import browse_api, projects, queue_api, regions_api, transfer
from audioclf.ui.annotate.sessions import USUAL
from audioclf.ui.page.lanes import lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import unchecked

SERVER = (
    queue_api.open_queue, queue_api.cut_recordings, queue_api.ask_next,
    queue_api.prepare_candidate, queue_api.say_label, queue_api.undo_label,
    queue_api.add_classes, browse_api.find_alike, browse_api.draw_map, browse_api.list_sounds,
    regions_api.open_recording, regions_api.page_of_recording,
    regions_api.outline_recording, regions_api.save_region,
)  # fmt: skip


class Sets(NamedTuple):
    """Those with which data sets are made and chosen."""

    chosen: gr.Dropdown
    made: gr.Accordion
    name: gr.Textbox
    files: gr.File
    folder: gr.Textbox
    make: gr.Button
    examples: gr.Button
    said: gr.Markdown
    looked: gr.State  # how many sounds the set had when somebody looked
    n_made: gr.State  # how often a set was made or filled


class Ways(NamedTuple):
    """Those that say who suggests, and how recordings are cut."""

    suggestions: gr.Radio
    network: gr.Dropdown
    cutting: list[Any]
    preview: gr.HTML
    words: gr.Markdown
    place: gr.Accordion


class Away(NamedTuple):
    """Those with which labels are taken away and brought."""

    teach: gr.Button
    taught: gr.Markdown
    form: gr.Dropdown
    with_sounds: gr.Checkbox
    clips: gr.Radio
    is_split: gr.Checkbox
    export: gr.Button
    download: gr.DownloadButton
    exported: gr.Markdown
    repo: gr.Textbox
    token: gr.Textbox
    is_public: gr.Checkbox
    push: gr.Button
    pushed: gr.Markdown
    files: gr.File
    brought_form: gr.Dropdown
    bring: gr.Button
    brought: gr.Markdown
    naming: gr.Accordion
    old: gr.Dropdown
    new: gr.Textbox
    rename: gr.Button
    renamed: gr.Markdown
    typed: gr.Textbox
    delete: gr.Button
    deleted: gr.Markdown


def sets() -> Sets:
    """The list of data sets, and what makes one."""
    said = gr.Markdown(elem_id="label-said", elem_classes="ac-message")
    with gr.Row(equal_height=False):
        chosen = unchecked(
            gr.Dropdown([], label="Data set", elem_id="label-set", visible=False, min_width=220)
        )
        with (
            gr.Column(scale=3, min_width=320),
            gr.Accordion(
                "Make a data set, or add sounds", open=False, elem_id="label-make"
            ) as made,
        ):
            with gr.Row():
                name = gr.Textbox(
                    value=projects.FIRST_NAME, label="Its name", max_length=100, min_width=160,
                    elem_id="label-name",
                )  # fmt: skip
                folder = gr.Textbox(
                    label="A folder of this machine, which stays as it is",
                    placeholder="the whole path of a folder of recordings", max_length=4_000,
                    visible=is_local(), min_width=260, elem_id="label-folder",
                )  # fmt: skip
            files = gr.File(
                label="Sounds, or ZIPs of them", file_count="multiple", height=150,
                elem_id="label-files",
            )  # fmt: skip
            with gr.Row():
                make = gr.Button("Label these sounds", variant="primary", elem_id="label-begin")
                examples = gr.Button("Try it on the examples", elem_id="label-examples")
    return Sets(chosen, made, name, files, folder, make, examples, said, gr.State(0), gr.State(0))


def desk() -> gr.HTML:
    """The queue, regions, all sounds and the map; `assets/js/annotate/queue.js` draws them."""
    made: Any = gr.HTML(
        value=None,
        html_template='<div class="ac ac-desk"></div>',
        js_on_load=(
            "window.audioclf.then((scripts) =>"
            " scripts.startAnnotation(element, props, server, watch));"
        ),
        server_functions=list(SERVER),
        apply_default_css=False,
        elem_id="desk",
    )
    made.api_info = lambda: {"type": "object"}
    return made


def ways() -> Ways:
    """Suggestions and cutting, folded away."""
    with gr.Accordion("Suggestions", open=False, elem_id="label-suggestions"), gr.Row():
        suggestions = gr.Radio(
            projects.SUGGESTIONS, value=projects.SUGGESTIONS[0][1], label="Suggestions",
            min_width=320,
        )  # fmt: skip
        network = unchecked(
            gr.Dropdown(projects.ears(), label="The network that listens", min_width=260)
        )
    with gr.Accordion("How long recordings are cut", open=False, elem_id="label-cutting") as place:
        kind = gr.Radio(projects.CUTTINGS, value=projects.CUTTINGS[0][1], label="Cut them")
        with gr.Row():
            sliders = [
                unchecked(gr.Slider(low, high, value=USUAL[name], step=step, label=label,
                                    min_width=150))
                for name, low, high, step, label in (
                    ("window_s", 0.5, 60, 0.5, "Window (s)"),
                    ("long_s", 0, 300, 1, "Cut what is longer than (s)"),
                    ("top_db", 10, 80, 1, "Silence below (dB)"),
                    ("min_length_s", 0, 5, 0.05, "Shortest (s)"),
                    ("min_gap_s", 0, 5, 0.05, "Bridge gaps to (s)"),
                )
            ]  # fmt: skip
        preview = lane("waveform", elem_id="label-preview")
        words = gr.Markdown(elem_classes="ac-message")
    return Ways(suggestions, network, [kind, *sliders], preview, words, place)


def away() -> Away:
    """Formats, the Hub, Teach; and labels of other tools."""
    teach = gr.Button("Teach a network with it", variant="primary", elem_id="label-teach")
    taught = gr.Markdown(elem_classes="ac-message", elem_id="label-taught")
    with gr.Accordion("Take it away", open=False, elem_id="label-export"):
        with gr.Row():
            form = gr.Dropdown(
                transfer.FORMAT_CHOICES, value="csv", label="Format", elem_id="label-form"
            )
            clips = gr.Radio(transfer.CLIPS, value=transfer.STRETCHES, label="Regions")
        with gr.Row():
            with_sounds = gr.Checkbox(label="With the sounds", value=True)
            is_split = gr.Checkbox(label="Split to teach and to test, by recording", value=False)
        export = gr.Button("Make the ZIP", elem_id="label-make-zip")
        exported = gr.Markdown(elem_classes="ac-message", elem_id="label-exported")
        download = gr.DownloadButton("Download", visible=False, elem_id="label-download")
        gr.Markdown("Or put it on the Hugging Face Hub, in this format, with its sounds:")
        with gr.Row():
            repo = gr.Textbox(label="Repository", placeholder="user/name", max_length=200)
            token = gr.Textbox(
                label="Your token with write access; it is kept nowhere", type="password",
                max_length=200,
            )  # fmt: skip
        is_public = gr.Checkbox(label="For everybody to see", value=False)
        push = gr.Button("Put it there", elem_id="label-push")
        pushed = gr.Markdown(elem_classes="ac-message", elem_id="label-pushed")
    with gr.Accordion("Bring labels of another tool", open=False, elem_id="label-import"):
        brought_form = gr.Dropdown(transfer.FORMAT_CHOICES, value="audacity", label="Format")
        files = gr.File(label="The files with the labels", file_count="multiple", height=120)
        bring = gr.Button("Take these labels", elem_id="label-bring")
        brought = gr.Markdown(elem_classes="ac-message", elem_id="label-brought")
    with gr.Accordion("Rename or merge classes", open=False, elem_id="label-classes") as naming:
        with gr.Row():
            old = unchecked(gr.Dropdown([], label="The class", elem_id="label-old"))
            new = gr.Textbox(
                label="Its new name; that of another class merges both", max_length=MAX_NAME,
                elem_id="label-new",
            )  # fmt: skip
        rename = gr.Button("Rename it", elem_id="label-rename")
        renamed = gr.Markdown(elem_classes="ac-message", elem_id="label-renamed")
    with gr.Accordion("Delete this data set", open=False, elem_id="label-delete"):
        typed = gr.Textbox(
            label="Type its name to delete all that was said and uploaded; a folder that it only "
            "names stays", max_length=200, elem_id="label-typed",
        )  # fmt: skip
        delete = gr.Button("Delete it", variant="stop", elem_id="label-delete-it")
        deleted = gr.Markdown(elem_classes="ac-message", elem_id="label-deleted")
    named = (naming, old, new, rename, renamed, typed, delete, deleted)
    shown = (teach, taught, form, with_sounds, clips, is_split, export, download, exported)
    return Away(
        *shown, repo, token, is_public, push, pushed, files, brought_form, bring, brought, *named
    )
