"""The components of the tab Label."""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.datasets.formats import label_studio
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.ui.annotate import browse_api, projects, queue_api, regions_api, transfer
from audioclf.ui.annotate.sessions import DEFAULTS
from audioclf.ui.page.lanes import lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import skip_preprocess

SERVER = (
    queue_api.open_queue, queue_api.detect_silences, queue_api.next_items,
    queue_api.prepare_clip, queue_api.submit_annotation, queue_api.undo_annotation,
    queue_api.add_classes, browse_api.find_similar, browse_api.draw_map, browse_api.list_clips,
    regions_api.open_recording, regions_api.read_page,
    regions_api.read_outline, regions_api.save_region,
)  # fmt: skip


class ProjectControls(NamedTuple):
    """The components that make and choose data sets."""

    project: gr.Dropdown
    make_section: gr.Accordion
    name: gr.Textbox
    files: gr.File
    folder: gr.Textbox
    make: gr.Button
    examples: gr.Button
    message: gr.Markdown
    n_files: gr.State  # how many files the project had at the last scan
    revision: gr.State  # how often projects were made or filled


class QueueSettings(NamedTuple):
    """The components of suggestions and segmentation."""

    suggestions: gr.Radio
    model: gr.Dropdown
    segmentation: list[Any]
    effect: gr.Markdown  # of another segmentation on the labels
    preview: gr.HTML
    preview_text: gr.Markdown
    accordion: gr.Accordion


class Transfer(NamedTuple):
    """Those with which labels are taken away and import_message."""

    fine_tune: gr.Button
    fine_tune_message: gr.Markdown
    format: gr.Dropdown
    with_audio: gr.Checkbox
    clip_format: gr.Radio
    is_split: gr.Checkbox
    prefix: gr.Textbox
    export: gr.Button
    download: gr.DownloadButton
    export_message: gr.Markdown
    repo: gr.Textbox
    token: gr.Textbox
    is_public: gr.Checkbox
    push: gr.Button
    push_message: gr.Markdown
    files: gr.File
    import_format: gr.Dropdown
    import_labels: gr.Button
    import_message: gr.Markdown
    naming: gr.Accordion
    old: gr.Dropdown
    new: gr.Textbox
    rename: gr.Button
    merge: gr.Button
    rename_message: gr.Markdown
    typed_name: gr.Textbox
    delete: gr.Button
    delete_message: gr.Markdown


def project_controls() -> ProjectControls:
    """The list of data sets, and what makes one."""
    message = gr.Markdown(elem_id="label-said", elem_classes="ac-message")
    with gr.Row(equal_height=False):
        project = skip_preprocess(
            gr.Dropdown([], label="Data set", elem_id="label-set", visible=False, min_width=220)
        )
        with (
            gr.Column(scale=3, min_width=320),
            gr.Accordion(
                "Make a data set, or add files", open=False, elem_id="label-make"
            ) as make_section,
        ):
            with gr.Row():
                name = gr.Textbox(
                    value=projects.FIRST_NAME, label="Name", max_length=100, min_width=160,
                    elem_id="label-name",
                )  # fmt: skip
                folder = gr.Textbox(
                    label="Local folder, which stays as it is",
                    placeholder="the absolute path of a folder of recordings", max_length=4_000,
                    visible=is_local(), min_width=260, elem_id="label-folder",
                )  # fmt: skip
            files = gr.File(
                label="Audio files, or ZIPs of them", file_count="multiple", height=150,
                elem_id="label-files",
            )  # fmt: skip
            with gr.Row():
                make = gr.Button("Label these files", variant="primary", elem_id="label-begin")
                examples = gr.Button("Try it on the examples", elem_id="label-examples")
    return ProjectControls(
        project,
        make_section,
        name,
        files,
        folder,
        make,
        examples,
        message,
        gr.State(0),
        gr.State(0),
    )


def queue_view() -> gr.HTML:
    """The queue, regions, all sounds and the map; `assets/js/annotate/queue.js` draws them."""
    html: Any = gr.HTML(
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
    html.api_info = lambda: {"type": "object"}
    return html


def queue_settings() -> QueueSettings:
    """Suggestions and segmentation, folded away."""
    with gr.Accordion("Suggestions", open=False, elem_id="label-suggestions"), gr.Row():
        suggestions = gr.Radio(
            projects.SUGGESTIONS, value=projects.SUGGESTIONS[0][1], label="Suggestions",
            min_width=320,
        )  # fmt: skip
        model = skip_preprocess(
            gr.Dropdown(projects.embedding_models(), label="Embedding model", min_width=260)
        )
    with gr.Accordion("Segmentation", open=False, elem_id="label-cutting") as accordion:
        kind = gr.Radio(
            projects.SEGMENTATIONS,
            value=projects.SEGMENTATIONS[0][1],
            label="Segment long recordings",
        )
        with gr.Row():
            sliders = [
                skip_preprocess(gr.Slider(low, high, value=DEFAULTS[name], step=step, label=label,
                                    min_width=150))
                for name, low, high, step, label in (
                    ("window_s", 0.5, 60, 0.5, "Window (s)"),
                    ("long_s", 0, 300, 1, "Segment what is longer than (s)"),
                    ("top_db", 10, 80, 1, "Silence below (dB)"),
                    ("min_length_s", 0, 5, 0.05, "Shortest (s)"),
                    ("min_gap_s", 0, 5, 0.05, "Bridge gaps to (s)"),
                )
            ]  # fmt: skip
        effect = gr.Markdown(elem_classes="ac-message", elem_id="label-cut")
        preview = lane("waveform", elem_id="label-preview")
        preview_text = gr.Markdown(elem_classes="ac-message")
    return QueueSettings(
        suggestions, model, [kind, *sliders], effect, preview, preview_text, accordion
    )


def transfer_controls() -> Transfer:
    """Formats, the Hub, Teach; and labels of other tools."""
    fine_tune = gr.Button("Fine-tune a model with it", variant="primary", elem_id="label-teach")
    fine_tune_message = gr.Markdown(elem_classes="ac-message", elem_id="label-fine-tune-message")
    with gr.Accordion("Export", open=False, elem_id="label-export"):
        with gr.Row():
            format = gr.Dropdown(
                transfer.FORMAT_CHOICES, value="csv", label="Format", elem_id="label-form"
            )
            clip_format = gr.Radio(transfer.CLIPS, value=transfer.REGIONS, label="Regions")
        with gr.Row():
            with_audio = gr.Checkbox(label="With audio files", value=True)
            is_split = gr.Checkbox(label="Train/test split by recording", value=False)
        prefix = gr.Textbox(
            label_studio.LOCAL_PREFIX, label="Before every file, in tasks of Label Studio",
            max_length=transfer.MAX_PREFIX, visible=False, elem_id="label-prefix",
        )  # fmt: skip
        export = gr.Button("Export", elem_id="label-make-zip")
        export_message = gr.Markdown(elem_classes="ac-message", elem_id="label-exported")
        download = gr.DownloadButton("Download", visible=False, elem_id="label-download")
        gr.Markdown("Or push it to the Hugging Face Hub, in this format, with its audio files:")
        with gr.Row():
            repo = gr.Textbox(label="Repository", placeholder="user/name", max_length=200)
            token = gr.Textbox(
                label="Your token with write access; it is not stored", type="password",
                max_length=200,
            )  # fmt: skip
        is_public = gr.Checkbox(label="Public", value=False)
        push = gr.Button("Push to Hub", elem_id="label-push")
        push_message = gr.Markdown(elem_classes="ac-message", elem_id="label-pushed")
    with gr.Accordion("Import annotations", open=False, elem_id="label-import"):
        import_format = gr.Dropdown(transfer.IMPORT_CHOICES, value="audacity", label="Format")
        files = gr.File(label="Files with the annotations", file_count="multiple", height=120)
        import_labels = gr.Button("Import", elem_id="label-bring")
        import_message = gr.Markdown(elem_classes="ac-message", elem_id="label-brought")
    with gr.Accordion("Rename or merge classes", open=False, elem_id="label-classes") as naming:
        with gr.Row():
            old = skip_preprocess(gr.Dropdown([], label="Class", elem_id="label-old"))
            new = gr.Textbox(
                label="New name; that of another class merges both", max_length=MAX_NAME,
                elem_id="label-new",
            )  # fmt: skip
        with gr.Row():
            rename = gr.Button("Rename", elem_id="label-rename")
            merge = gr.Button("Merge", variant="stop", visible=False, elem_id="label-merge")
        rename_message = gr.Markdown(elem_classes="ac-message", elem_id="label-renamed")
    with gr.Accordion("Delete this data set", open=False, elem_id="label-delete"):
        typed_name = gr.Textbox(
            label="Type its name to delete all annotations and uploads; a local folder "
            "stays", max_length=200, elem_id="label-typed",
        )  # fmt: skip
        delete = gr.Button("Delete", variant="stop", elem_id="label-delete-it")
        delete_message = gr.Markdown(elem_classes="ac-message", elem_id="label-deleted")
    named = (
        naming, old, new, rename, merge, rename_message, typed_name, delete, delete_message,
    )  # fmt: skip
    shown = (
        fine_tune,
        fine_tune_message,
        format,
        with_audio,
        clip_format,
        is_split,
        prefix,
        export,
        download,
        export_message,
    )
    return Transfer(
        *shown,
        repo,
        token,
        is_public,
        push,
        push_message,
        files,
        import_format,
        import_labels,
        import_message,
        *named,
    )
