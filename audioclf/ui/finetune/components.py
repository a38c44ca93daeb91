"""The components of Teach, step by step; `teach_tab` wires them."""

from typing import NamedTuple

import gradio as gr

from audioclf.datasets import inspection
from audioclf.datasets.checks import MOST_SHARE, USUAL_SHARE
from audioclf.datasets.formats.base import MAX_NAME
from audioclf.datasets.layouts import AUDIO_SUFFIXES
from audioclf.jobs.job import TrainingMode
from audioclf.ui.finetune import data, progress
from audioclf.ui.finetune import settings as teach_settings
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import unchecked
from audioclf.ui.page.tables import table

HOW = (
    "A ZIP with a folder per class (or with a `metadata.csv`, as ESC-50 or as UrbanSound8K): "
    "`dog/1.wav`, `dog/2.wav`, `rain/1.wav`, …"
)


class Sounds(NamedTuple):
    """The components of the first two steps."""

    archive: gr.File
    files: gr.File
    label: gr.Textbox
    add: gr.Button
    over: gr.Button
    folder: gr.Textbox
    use_folder: gr.Button
    said: gr.Markdown
    report: gr.Markdown
    classes: gr.Dataframe
    durations: gr.BarPlot
    leave_out: gr.Checkbox


class Settings(NamedTuple):
    """Those of the third."""

    kind: gr.Radio
    start: gr.Dropdown
    architecture: gr.Dropdown
    name: gr.Textbox
    epochs: gr.Number
    variation: gr.Radio
    share: gr.Slider
    estimate: gr.Markdown
    begin: gr.Button
    said: gr.Markdown


class Learning(NamedTuple):
    """Those of the fourth."""

    trainings: gr.Dropdown
    told: gr.Markdown
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    log: gr.Textbox
    cancel: gr.Button
    resume: gr.Button
    publish: gr.Button
    delete: gr.Button
    timer: gr.Timer


def sounds() -> Sounds:
    """Steps 1 and 2."""
    gr.Markdown("### 1 Sounds")
    with gr.Tabs(elem_id="teach-sounds", overflow_behavior="wrap"):
        with gr.Tab("A ZIP"):
            archive = gr.File(label="ZIP", file_types=[".zip"], height=120, elem_id="teach-zip")
            gr.Markdown(HOW, elem_classes="ac-note")
        with gr.Tab("Files"), gr.Row():
            files = gr.File(
                label="Sounds of one class",
                file_count="multiple",
                file_types=sorted(AUDIO_SUFFIXES),
                height=140,
                elem_id="teach-files",
                scale=3,
                min_width=260,
            )
            with gr.Column(scale=2, min_width=220):
                label = gr.Textbox(label="Their class", max_length=MAX_NAME, elem_id="teach-class")
                add = gr.Button("Bring them", elem_id="teach-add")
                over = gr.Button("Start over", size="sm", elem_id="teach-over")
        with gr.Tab("A folder here", visible=is_local()):
            folder = gr.Textbox(label="Its whole path", elem_id="teach-folder")
            use_folder = gr.Button("Look into it", elem_id="teach-use-folder")
    said = gr.Markdown(elem_id="teach-said", elem_classes="ac-message")
    gr.Markdown("### 2 Check")
    report = gr.Markdown(data.NOTHING, elem_id="teach-report")
    leave_out = gr.Checkbox(label="Leave out", visible=False, elem_id="teach-leave-out")
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
    parts = (archive, files, label, add, over, folder, use_folder, said)
    return Sounds(*parts, report, classes, durations, leave_out)


def settings() -> Settings:
    """Step 3."""
    gr.Markdown("### 3 Settings")
    choices = teach_settings.starts()
    with gr.Row():
        kind = gr.Radio(
            teach_settings.KINDS,
            value=TrainingMode.LINEAR_PROBE,
            label="What learns",
            elem_id="teach-kind",
            min_width=300,
        )
        with gr.Column(min_width=300):
            start = unchecked(
                gr.Dropdown(
                    choices,
                    value=choices[0][1] if choices else None,
                    label="Start from",
                    elem_id="teach-start",
                )
            )
            architecture = gr.Dropdown(
                teach_settings.architectures(),
                value="separable_cnn",
                label="Architecture",
                visible=False,
                elem_id="teach-architecture",
            )
            name = gr.Textbox(label="Name of the new network", elem_id="teach-name", max_length=64)
    with gr.Accordion("More settings", open=False), gr.Row():
        epochs = unchecked(
            gr.Number(
                teach_settings.EPOCHS[TrainingMode.FINE_TUNE],
                label="Epochs",
                precision=0,
                visible=False,
                elem_id="teach-epochs",
            )
        )
        variation = gr.Radio(
            teach_settings.VARIATIONS,
            value="usual",
            label="Variations of the clips (gain, equaliser, mixtures, masks)",
            visible=False,
            elem_id="teach-variation",
        )
        share = unchecked(
            gr.Slider(
                0.0,
                MOST_SHARE,
                value=USUAL_SHARE,
                step=0.05,
                label="Share of the clips that is held out to measure on",
                elem_id="teach-share",
            )
        )
    estimate = gr.Markdown(elem_id="teach-estimate")
    begin = gr.Button("Start teaching", variant="primary", elem_id="teach-begin")
    said = gr.Markdown(elem_id="teach-refused", elem_classes="ac-message")
    parts = (kind, start, architecture, name, epochs, variation, share)
    return Settings(*parts, estimate, begin, said)


def learning() -> Learning:
    """Step 4."""
    gr.Markdown("### 4 Learn")
    trainings = unchecked(
        gr.Dropdown([], label="Trainings", visible=False, elem_id="teach-trainings")
    )
    told = gr.Markdown(progress.NONE_YET, elem_id="teach-told")
    with gr.Row():
        cancel = gr.Button("Cancel", visible=False, elem_id="teach-cancel")
        resume = gr.Button("Resume", visible=False, elem_id="teach-resume")
        publish = gr.Button("Publish what it has learnt", visible=False, elem_id="teach-publish")
    what = "this training; its network stays" if is_local() else "this training and its network"
    delete = gr.Button(f"Remove {what}", visible=False, size="sm", elem_id="teach-delete")
    with gr.Row():
        loss, accuracy = _curve("loss", "Loss"), _curve("accuracy", "Accuracy (%)")
    with gr.Accordion("Log", open=False):
        log = gr.Textbox(show_label=False, lines=8, max_lines=16, elem_id="teach-log")
    timer = gr.Timer(1.0, active=False)
    return Learning(trainings, told, loss, accuracy, log, cancel, resume, publish, delete, timer)


def _curve(name: str, title: str) -> gr.LinePlot:
    """Of the clips that are taught and of those that are held out, per epoch."""
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
