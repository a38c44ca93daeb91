"""The Export view: what is shown, as a file that the next tool reads."""

from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.inference import export_formats
from audioclf.inference.prediction import Prediction
from audioclf.ui.classify.answers import Answered
from audioclf.ui.page.state import temporary_file

MOST_CELLS, LEAST_KEPT = 500_000, 0.01  # of larger tables, classes that are likely in some window
EVENTS, WINDOWS = "events", "windows"
KINDS = [("Events", EVENTS), ("Windows", WINDOWS)]
FORMATS = (  # label, name of the format, ending
    ("CSV", "csv", "csv"),
    ("JSON", "json", "json"),
    ("Audacity labels", "audacity", "txt"),
    ("Raven table", "raven", "selections.txt"),
)


def write_tables(answered: Answered | None, sound: str | None, kind: str) -> tuple[Any, ...]:
    """What is shown in every format, behind its button, and a note on what the files hold."""
    if answered is None or sound is None:
        return *(gr.DownloadButton(value=None) for _ in FORMATS), ""
    stem, name = Path(sound).stem[:80], Path(sound).name
    prediction = answered.prediction.of_classes_above(LEAST_KEPT, MOST_CELLS)
    percent, buttons = round(100 * answered.settings.threshold), []
    for _, form, ending in FORMATS:
        if kind == EVENTS:
            text = export_formats.EVENT_FORMATS[form](answered.events, name)
        else:
            text = export_formats.FORMATS[form](prediction, name)
        shown = kind if kind == WINDOWS else f"{kind}-from-{percent}"
        file = temporary_file(f"{stem}.{shown}.{ending}", text)
        buttons.append(gr.DownloadButton(value=file))
    return *buttons, _note(answered, prediction, kind)


def _note(answered: Answered, prediction: Prediction, kind: str) -> str:
    if kind == EVENTS:
        return (
            f"Events from {100 * answered.settings.threshold:.0f} % and "
            f"{answered.settings.min_length_s:g} s on, with their confidence in the label."
        )
    n_all, n_kept = len(answered.prediction.classes), len(prediction.classes)
    if n_kept == n_all:
        return f"Every window, with the probabilities of all {n_all} classes."
    return (
        f"The files hold {n_kept} of {n_all} classes: the others stay below "
        f"{100 * LEAST_KEPT:.0f} % in every window of this long recording."
    )


def build() -> tuple[gr.Radio, list[Any]]:
    """The choice, and the outputs of `write_tables`: the buttons and the note."""
    kind = gr.Radio(
        KINDS, value=EVENTS, label="Rows of the file", show_label=False, elem_id="export-kind"
    )
    with gr.Row():
        downloads: list[Any] = [
            gr.DownloadButton(
                f"Download {label}", size="sm", min_width=130, elem_id=f"download-{number}"
            )
            for number, (label, _, _) in enumerate(FORMATS)
        ]
    note = gr.Markdown(label="Note", elem_classes="ac-message ac-note")
    return kind, [*downloads, note]
