"""Classify: one sound, what it looks like and what a network hears in it."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from audioclf.inference import export_formats
from audioclf.inference.prediction import Prediction
from audioclf.ui.classify import views
from audioclf.ui.classify.heatmap import heat_lane, is_many
from audioclf.ui.page.lanes import ASSETS, join_playback, lane, waveform_lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import list_networks, network_choices
from audioclf.ui.page.session import remembered
from audioclf.ui.page.state import (
    PREDICT,
    QUEUED,
    QUIET,
    Shared,
    Sound,
    guarded,
    hear,
    network_named,
    playable,
    temporary_file,
    unchecked,
)
from audioclf.ui.plotting import figures

PREPROCESSINGS = [
    ("As it is", "as_is"),
    ("Denoised", "denoised"),
    ("Silences removed", "silence_removed"),
]
MOST_CELLS, LEAST_KEPT = 500_000, 0.01  # of larger tables, classes that are likely somewhere
N_COLOURED = 7  # classes that win most windows, then the most probable
PRIVACY = (
    "Sounds stay on this server for about an hour, and whoever knows an upload's address can "
    "hear it."
)
CONTAINERS = [".webm", ".mp4", ".m4a", ".mov", ".mka", ".caf", ".wma", ".opus", ".aif", ".3gp"]
PREDICTING = "() => [{sentence: 'Predicting…'}, null]"  # at once: no old answer above a new sound
EMPTY = {"sentence": "Upload or record a sound, or choose an example: it is heard at once."}


@guarded(lambda sentence: None)
def show_waveform(sound: str | None) -> dict[str, Any] | None:
    """The waveform of a sound: duration in seconds, and lowest and highest sample per column."""
    if sound is None:
        return None
    heard = Sound(sound)
    return {**waveform_lane(heard), "audio": playable(heard)}


@guarded(lambda sentence: ({"error": sentence}, None, None))
def predict_clip(
    sound: str | None, network: str | None, cleaning: str
) -> tuple[dict[str, Any], dict[str, Any] | None, Prediction | None]:
    """What a network hears in a sound, for the clip and window by window.

    sound: a sound file. network: the name of a checkpoint. cleaning: as_is, denoised or
    silence_removed. Returns the answer (a sentence and the ranking, or `error`, a sentence), and
    the prediction: classes, the clip's probabilities, and start_s, end_s and probabilities of
    every window; of many classes, the rows that matter and the best of every window.
    """
    if sound is None:
        return EMPTY, None, None
    heard = Sound(sound)
    prediction = hear(heard, network_named(network), cleaning)
    if prediction.is_silent:
        return {"sentence": f"{prediction.sentence()}."}, None, None
    shown = windows_lane(prediction, Path(sound).name, heard.duration_s)
    return answer(prediction), shown, prediction


def take_file(file: str | None) -> str | None:
    """A file that the browser would not take for a sound, as the sound."""
    return file


def answer(prediction: Prediction) -> dict[str, Any]:
    """The clip's answer in words, and the ranking with its colours."""
    many = is_many(prediction)
    colours = {} if many else figures.class_colours(prediction.classes)
    ranking = [
        {"class": name, "probability": round(p, 6), "colour": colours.get(name)}
        for name, p in prediction.ranking()
    ]
    return {"sentence": prediction.sentence(), "ranking": ranking, "many": many}


def windows_lane(prediction: Prediction, file: str, duration_s: float) -> dict[str, Any]:
    """The prediction as the command line prints it, with what its drawing needs.

    Of many classes, those that matter: see `heat_lane`.
    """
    if is_many(prediction):
        return heat_lane(prediction, file, duration_s)
    colours = figures.class_colours(prediction.classes)
    wins = np.bincount(prediction.probabilities.argmax(axis=1), minlength=len(colours))
    top = np.argsort(-(wins + prediction.clip), kind="stable")[:N_COLOURED].tolist()
    return {
        **prediction.to_dict(file),
        "title": "What is heard, window by window",
        "duration_s": duration_s,
        "colours": [colours[name] for name in prediction.classes],
        "top": top,
    }


def write_tables(prediction: Prediction | None, sound: str | None) -> tuple[Any, ...]:
    """The prediction as CSV, JSON and Audacity label file, behind their buttons."""
    if prediction is None or sound is None:
        return tuple(gr.DownloadButton(value=None, interactive=False) for _ in range(3))
    stem, name = Path(sound).stem[:80], Path(sound).name
    prediction = prediction.of_classes_above(LEAST_KEPT, MOST_CELLS)
    endings = {"csv": "csv", "json": "json", "audacity": "txt"}
    return tuple(
        gr.DownloadButton(
            value=temporary_file(
                f"{stem}.{ending}", export_formats.FORMATS[kind](prediction, name)
            ),
            interactive=True,
        )
        for kind, ending in endings.items()
    )


def describe_network(network: str | None) -> str:
    """One line on a network: what it is, what it was trained on, how it did where."""
    try:
        found = network_named(network)
    except ValueError:
        return "No trained network is here yet: teach one, in the tab Teach."
    card, measured = found.card, found.evaluation
    lines = [card.get("description", ""), f"Trained on {card.get('training', {}).get('data')}."]
    if measured:
        lines.append(
            f"Measured on {measured['data']}: {100 * measured['accuracy']:.2f} % of "
            f"{measured['n_clips']} clips right."
        )
    if found.unavailable_reason:
        lines.append(found.unavailable_reason)
    elif not card.get("calibration") and not found.is_multi_label:
        lines.append("Its probabilities are not calibrated.")
    return " ".join(lines)


def first_networks(built: str | None, mine: Any) -> Any:
    """The dropdown as a new visitor finds it: what was fetched since the start comes first.

    built: what stood there first; where that is still right, what was chosen meanwhile stays.
    """
    changed: dict[str, Any] = {} if first_name() == built else {"value": first_name()}
    return gr.update(choices=network_choices(mine=mine), **changed)


def first_name() -> str | None:
    """General ears, or the most accurate network."""
    return next((name for _, name in network_choices()), None)


def build(app: gr.Blocks, tabs: gr.Tabs, tab: gr.Tab) -> Shared:
    """The tab's components, then its wiring; what other parts of the page read of them."""
    mine = remembered()
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            sound = gr.Audio(
                label="Sound",
                sources=["upload", "microphone"],
                type="filepath",
                elem_id="sound",
                buttons=["download"],
                waveform_options=gr.WaveformOptions(sample_rate=44_100),
            )
            other = gr.UploadButton(
                "Upload webm, mp4, caf or another container",
                file_types=CONTAINERS,
                size="sm",
                elem_id="other",
            )
            gr.Examples(
                [[str(path)] for path in sorted((ASSETS / "examples").glob("*.ogg"))],
                sound,
                label="Examples (made by a program, not recorded)",
                example_labels=[
                    path.stem.replace("_", " ")
                    for path in sorted((ASSETS / "examples").glob("*.ogg"))
                ],
                cache_examples=False,
            )
            if not is_local():
                gr.Markdown(PRIVACY, elem_classes="ac-note")
            choices = network_choices()
            network = unchecked(
                gr.Dropdown(
                    choices,
                    value=choices[0][1] if choices else None,
                    label="Network",
                    elem_id="network",
                )
            )
            about = gr.Markdown(describe_network(network.value), elem_id="about")
            cleaning = gr.Radio(PREPROCESSINGS, value="as_is", label="Predict on the sound")
        with gr.Column(scale=8, min_width=320):
            heard = lane("answer", EMPTY, elem_id="answer")
            with gr.Column(elem_classes="ac-stack"):
                waveform = lane("waveform", elem_id="lane-waveform")
                spectrogram = lane("spectrogram", elem_id="lane-spectrogram")
                windows = lane("windows", elem_id="lane-windows")
            with gr.Row():
                downloads = [
                    gr.DownloadButton(
                        f"Download {kind}",
                        size="sm",
                        interactive=False,
                        elem_id=f"download-{number}",
                    )
                    for number, kind in enumerate(("CSV", "JSON", "Audacity labels"))
                ]
            shared = Shared(tabs, tab, mine, sound, network, cleaning)
            views.build(shared, spectrogram)
    prediction = gr.State(None, time_to_live=3600)

    join_playback(sound)
    app.load(first_networks, [gr.State(network.value), mine], network, **QUIET)
    tab.select(list_networks, [network, mine], network, **QUIET)
    other.upload(take_file, other, sound, **QUIET)
    sound.change(None, None, [heard, windows], js=PREDICTING)
    sound.change(show_waveform, sound, waveform, show_progress="hidden", concurrency_id="waveform")
    gr.on(
        [sound.change, network.change, cleaning.change],
        predict_clip,
        [sound, network, cleaning],
        [heard, windows, prediction],
        trigger_mode="always_last",
        show_progress="minimal",
        **PREDICT,
    ).then(write_tables, [prediction, sound], downloads, **QUEUED)
    network.change(describe_network, network, about, show_progress="hidden")
    return shared
