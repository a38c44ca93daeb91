"""The components of the tab Fine-tune, step by step; `tab` wires them."""

from typing import NamedTuple

import gradio as gr

from audioclf.datasets import inspection
from audioclf.datasets.checks import DEFAULT_SHARE, MAX_SHARE
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.jobs.records import TrainingMode
from audioclf.ui.finetune import data, progress, selection
from audioclf.ui.finetune import settings as finetune_settings
from audioclf.ui.finetune.selection import SelectionControls
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import skip_preprocess
from audioclf.ui.page.tables import table

HOW = (
    "A ZIP with a folder per class (or with a `metadata.csv`, as ESC-50 or as UrbanSound8K): "
    "`dog/1.wav`, `dog/2.wav`, `rain/1.wav`, …"
)


class DataControls(NamedTuple):
    """The components of the first two steps."""

    archive: gr.File
    files: gr.File
    label: gr.Textbox
    add: gr.Button
    over: gr.Button
    folder: gr.Textbox
    use_folder: gr.Button
    message: gr.Markdown
    report: gr.Markdown
    classes: gr.Dataframe
    durations: gr.BarPlot
    skip_unusable: gr.Checkbox
    selection: SelectionControls


class SettingsControls(NamedTuple):
    """Those of the third."""

    kind: gr.Radio
    start: gr.Dropdown
    architecture: gr.Dropdown
    name: gr.Textbox
    epochs: gr.Number
    variation: gr.Radio
    share: gr.Slider
    learning_rate: gr.Number
    batch_size: gr.Number
    seed: gr.Number
    estimate: gr.Markdown
    begin: gr.Button
    message: gr.Markdown


class TrainingControls(NamedTuple):
    """Those of the fourth."""

    trainings: gr.Dropdown
    status: gr.Markdown
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    log: gr.Textbox
    cancel: gr.Button
    resume: gr.Button
    save: gr.Button
    delete: gr.Button
    timer: gr.Timer


def data_controls(note: str) -> DataControls:
    """Steps 1 and 2; `note` says what limits an upload has, where it has any."""
    gr.Markdown("## 1 Audio")
    if note:
        gr.Markdown(note, elem_classes="ac-note")
    with gr.Tabs(elem_id="teach-sounds", overflow_behavior="wrap"):
        with gr.Tab("A ZIP"):
            archive = gr.File(label="ZIP", file_types=[".zip"], height=120, elem_id="teach-zip")
            gr.Markdown(HOW, elem_classes="ac-note")
        with gr.Tab("Files"), gr.Row():
            files = gr.File(
                label="Audio files of one class",
                file_count="multiple",
                file_types=sorted(AUDIO_SUFFIXES),
                height=140,
                elem_id="teach-files",
                scale=3,
                min_width=260,
            )
            with gr.Column(scale=2, min_width=220):
                label = gr.Textbox(label="Class name", max_length=MAX_NAME, elem_id="teach-class")
                add = gr.Button("Add files", elem_id="teach-add")
                over = gr.Button("Start over", size="sm", elem_id="teach-over")
        with gr.Tab("Local folder", visible=is_local()):
            folder = gr.Textbox(label="Absolute path", elem_id="teach-folder")
            use_folder = gr.Button("Open", elem_id="teach-use-folder")
    message = gr.Markdown(elem_id="teach-said", elem_classes="ac-message")
    gr.Markdown("## 2 Check")
    report = gr.Markdown(data.NOTHING, elem_id="teach-report")
    skip_unusable = gr.Checkbox(label="Leave out", visible=False, elem_id="teach-leave-out")
    with gr.Row():
        classes = table(
            data.CLASSES,
            max_height=300,
            label="Classes",
            visible=False,
            elem_id="teach-classes",
        )
        durations = gr.BarPlot(
            x="duration",
            y="clips",
            x_title="Duration of a clip",
            y_title="Clips",
            sort=list(inspection.LENGTHS),
            x_label_angle=-40,
            height=220,
            min_width=300,
            show_label=False,
            visible=False,
            elem_id="teach-durations",
        )
    parts = (archive, files, label, add, over, folder, use_folder, message)
    return DataControls(
        *parts, report, classes, durations, skip_unusable, selection.selection_controls()
    )


def settings_controls() -> SettingsControls:
    """Step 3."""
    gr.Markdown("## 3 Settings")
    choices = finetune_settings.base_models()
    with gr.Row():
        kind = gr.Radio(
            finetune_settings.KINDS,
            value=TrainingMode.LINEAR_PROBE,
            label="Training mode",
            elem_id="teach-kind",
            min_width=300,
        )
        with gr.Column(min_width=300):
            start = skip_preprocess(
                gr.Dropdown(
                    choices,
                    value=choices[0][1] if choices else None,
                    label="Start from",
                    elem_id="teach-start",
                )
            )
            architecture = gr.Dropdown(
                finetune_settings.architectures(),
                value="separable_cnn",
                label="Architecture",
                visible=False,
                elem_id="teach-architecture",
            )
            name = gr.Textbox(label="Name of the new model", elem_id="teach-name", max_length=64)
    with gr.Accordion("More settings", open=False), gr.Row():
        epochs = skip_preprocess(
            gr.Number(
                finetune_settings.EPOCHS[TrainingMode.FINE_TUNE],
                label="Epochs",
                precision=0,
                visible=False,
                elem_id="teach-epochs",
            )
        )
        variation = gr.Radio(
            finetune_settings.AUGMENTATION_CHOICES,
            value="usual",
            label="Augmentation (gain, equaliser, mixup, masks)",
            visible=False,
            elem_id="teach-variation",
        )
        share = skip_preprocess(
            gr.Slider(
                0.0,
                MAX_SHARE,
                value=DEFAULT_SHARE,
                step=0.05,
                label="Validation split",
                elem_id="teach-share",
            )
        )
        rate, batch, seed = (
            skip_preprocess(gr.Number(0, label=label, elem_id=f"teach-{name}", min_width=140))
            for name, label in (
                ("rate", "Learning rate (all layers; 0: default)"),
                ("batch", "Batch size (all layers; 0: default)"),
                ("seed", "Seed (all layers; 0: default)"),
            )
        )
    estimate = gr.Markdown(elem_id="teach-estimate")
    begin = gr.Button("Start training", variant="primary", elem_id="teach-begin")
    message = gr.Markdown(elem_id="teach-refused", elem_classes="ac-message")
    parts = (kind, start, architecture, name, epochs, variation, share, rate, batch, seed)
    return SettingsControls(*parts, estimate, begin, message)


def training_controls() -> TrainingControls:
    """Step 4."""
    gr.Markdown("## 4 Training")
    trainings = skip_preprocess(
        gr.Dropdown([], label="Trainings", visible=False, elem_id="teach-trainings")
    )
    status = gr.Markdown(progress.NONE_YET, elem_id="teach-told")
    with gr.Row():
        cancel = gr.Button("Cancel", visible=False, elem_id="teach-cancel")
        resume = gr.Button("Resume", visible=False, elem_id="teach-resume")
        save = gr.Button("Save the model so far", visible=False, elem_id="teach-publish")
    what = "this training; its model stays" if is_local() else "this training and its model"
    delete = gr.Button(f"Remove {what}", visible=False, size="sm", elem_id="teach-delete")
    with gr.Row():
        loss, accuracy = _curve("loss", "Loss"), _curve("accuracy", "Accuracy (%)")
    with gr.Accordion("Log", open=False):
        log = gr.Textbox(show_label=False, lines=8, max_lines=16, elem_id="teach-log")
    timer = gr.Timer(1.0, active=False)
    return TrainingControls(
        trainings, status, loss, accuracy, log, cancel, resume, save, delete, timer
    )


def _curve(name: str, title: str) -> gr.LinePlot:
    """A curve of the training and the validation clips, per epoch."""
    return gr.LinePlot(
        x="epoch",
        y=name,
        color="of",
        color_map=progress.COLOURS,
        color_title="",
        x_title="Epoch",
        y_title=title,
        height=240,
        min_width=300,
        show_label=False,
        visible=False,
        elem_id=f"teach-{name}",
    )
