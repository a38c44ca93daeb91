"""The tab Classify: one clip, its spectrogram, and the predictions of a model."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from audioclf.inference import export_formats
from audioclf.inference.prediction import Prediction
from audioclf.models.ranking import format_accuracy
from audioclf.ui.classify import views
from audioclf.ui.classify.heatmap import heat_lane, is_many
from audioclf.ui.page.lanes import ASSETS, join_playback, lane, waveform_lane
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import list_networks, network_choices
from audioclf.ui.page.session import browser_state
from audioclf.ui.page.state import (
    PREDICT,
    QUEUED,
    QUIET,
    Shared,
    Sound,
    network_named,
    playable,
    predict_sound,
    show_errors,
    skip_preprocess,
    temporary_file,
)
from audioclf.ui.plotting import figures

PREPROCESSINGS = [
    ("None", "as_is"),
    ("Denoised", "denoised"),
    ("Silences removed", "silence_removed"),
]
MOST_CELLS, LEAST_KEPT = 500_000, 0.01  # of larger tables, classes that are likely in some window
N_COLOURED = 7  # classes that win most windows, then the most probable
PRIVACY = (
    "Uploads stay on this server for about an hour, and whoever knows an upload's address can "
    "play it."
)
CONTAINERS = [".webm", ".mp4", ".m4a", ".mov", ".mka", ".caf", ".wma", ".opus", ".aif", ".3gp"]
PREDICTING = "() => [{sentence: 'Predicting…'}, null]"  # at once: no old answer above new audio
EMPTY = {"sentence": "Upload or record a sound, or choose an example: it is classified at once."}


@show_errors(lambda sentence: None)
def show_waveform(sound: str | None) -> dict[str, Any] | None:
    """The waveform of a sound: duration in seconds, and lowest and highest sample per column."""
    if sound is None:
        return None
    audio = Sound(sound)
    return {**waveform_lane(audio), "audio": playable(audio)}


@show_errors(lambda sentence: ({"error": sentence}, None, None))
def predict_clip(
    sound: str | None, network: str | None, cleaning: str
) -> tuple[dict[str, Any], dict[str, Any] | None, Prediction | None]:
    """The predictions of a model for a clip, as a whole and window by window.

    sound: an audio file. network: the name of a checkpoint. cleaning: as_is, denoised or
    silence_removed. Returns the answer (a sentence and the ranking, or `error`, a sentence), and
    the prediction: classes, the clip's probabilities, and start_s, end_s and probabilities of
    every window; of many classes, the rows that matter and the best of every window.
    """
    if sound is None:
        return EMPTY, None, None
    audio = Sound(sound)
    prediction = predict_sound(audio, network_named(network), cleaning)
    if prediction.is_silent:
        return {"sentence": f"{prediction.summary()}."}, None, None
    shown = windows_lane(prediction, Path(sound).name, audio.duration_s)
    return answer(prediction), shown, prediction


def take_file(file: str | None) -> str | None:
    """A container that browsers do not take for audio, as the audio."""
    return file


def answer(prediction: Prediction) -> dict[str, Any]:
    """The clip's answer in words, and the ranking with its colours."""
    many = is_many(prediction)
    colours = {} if many else figures.class_colours(prediction.classes)
    ranking = [
        {"class": name, "probability": round(p, 6), "colour": colours.get(name)}
        for name, p in prediction.ranking()
    ]
    return {"sentence": prediction.summary(), "ranking": ranking, "many": many}


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
        "title": "Predictions per window",
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
    """One line on a model: what it is, what it was trained on, its accuracy on which data."""
    try:
        found = network_named(network)
    except ValueError:
        return "There is no trained model yet: train one in the tab Fine-tune."
    card, evaluation = found.card, found.evaluation
    lines = [card.get("description", ""), f"Trained on {card.get('training', {}).get('data')}."]
    if evaluation:
        lines.append(
            f"Evaluated on {evaluation['data']}: "
            f"{format_accuracy(evaluation['accuracy'], evaluation['n_clips'])} of "
            f"{evaluation['n_clips']} clips right, in brackets the 95 % interval."
        )
    if found.unavailable_reason:
        lines.append(found.unavailable_reason)
    elif not card.get("calibration") and not found.is_multi_label:
        lines.append("Its probabilities are not calibrated.")
    return " ".join(lines)


def first_networks(built: str | None, session: Any) -> Any:
    """The dropdown as a new visitor finds it: what was fetched since the start comes first.

    built: what stood there first; where that is still right, what was chosen meanwhile stays.
    """
    changed: dict[str, Any] = {} if first_name() == built else {"value": first_name()}
    return gr.update(choices=network_choices(session=session), **changed)


def first_name() -> str | None:
    """The general-purpose model, or the most accurate one."""
    return next((name for _, name in network_choices()), None)


def build(app: gr.Blocks, tabs: gr.Tabs, tab: gr.Tab) -> Shared:
    """The tab's components, then its wiring; what other parts of the page read of them."""
    session = browser_state()
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            sound = gr.Audio(
                label="Audio",
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
            network = skip_preprocess(
                gr.Dropdown(
                    choices,
                    value=choices[0][1] if choices else None,
                    label="Model",
                    elem_id="network",
                )
            )
            about = gr.Markdown(
                describe_network(network.value), label="Description", elem_id="about"
            )
            cleaning = gr.Radio(
                PREPROCESSINGS, value="as_is", label="Preprocessing", elem_id="preprocessing"
            )
        with gr.Column(scale=8, min_width=320):
            audio = lane("answer", EMPTY, elem_id="answer")
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
            shared = Shared(tabs, tab, session, sound, network, cleaning)
            views.build(shared, spectrogram)
    prediction = gr.State(None, time_to_live=3600)

    join_playback(sound)
    app.load(first_networks, [gr.State(network.value), session], network, **QUIET)
    tab.select(list_networks, [network, session], network, **QUIET)
    other.upload(take_file, other, sound, **QUIET)
    sound.change(None, None, [audio, windows], js=PREDICTING)
    sound.change(show_waveform, sound, waveform, show_progress="hidden", concurrency_id="waveform")
    gr.on(
        [sound.change, network.change, cleaning.change],
        predict_clip,
        [sound, network, cleaning],
        [audio, windows, prediction],
        trigger_mode="always_last",
        show_progress="minimal",
        **PREDICT,
    ).then(write_tables, [prediction, sound], downloads, **QUEUED)
    network.change(describe_network, network, about, show_progress="hidden")
    return shared
