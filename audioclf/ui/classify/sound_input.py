"""Where a sound comes in: one zone for every file, the microphone, and examples.

Gradio's own zone refuses what browsers do not take for audio, such as webm, and is gone once a
sound is there. `assets/js/drop_zone.js` hands every file to a hidden upload, which takes any.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from audioclf.audio import excerpt, io
from audioclf.ui.page.lanes import ASSETS, join_playback
from audioclf.ui.page.limits import HOSTED
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import QUEUED, QUIET, show_errors

LIMITS = (
    "Up to {seconds:.0f} s and {mb:.0f} MB. Uploads stay on this server for about an hour, and "
    "whoever knows an upload's address can play it."
)
OFFER = "Use the first {seconds:.0f} s"
EXAMPLES = "Examples (made by a program, not recorded)"
NAMED = {"rain": "rain", "clock": "clock_tick", "sea_waves": "sea_waves"}  # by the default models
FOR_GENERAL = {"siren": "siren, for the general-purpose model"}


class SoundInput(NamedTuple):
    """The components that bring a sound."""

    sound: gr.Audio
    other: gr.UploadButton
    beginning: gr.Button


def take_file(file: str | None) -> str | None:
    """A file of any container, as the sound."""
    return file


def offer_beginning(sound: str | None) -> Any:
    """The button that cuts a sound which is too long here; hidden for any other."""
    return gr.update(visible=_is_too_long(sound))


@show_errors(lambda sentence: gr.skip())
def take_beginning(sound: str | None) -> Any:
    """The first seconds of a sound, as many as are accepted here."""
    if sound is None or not HOSTED.sound.max_duration_s:
        return gr.skip()
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, f"{Path(sound).stem[:80]}.wav")
        excerpt.write_beginning(Path(sound), wav, HOSTED.sound.max_duration_s)
        return save_file_to_cache(wav, get_upload_folder())


def _is_too_long(sound: str | None) -> bool:
    if sound is None or is_local() or not HOSTED.sound.max_duration_s:
        return False
    try:
        duration_s = io.read_header(sound).duration_s
    except (ValueError, OSError):
        return False
    return (duration_s or 0.0) > HOSTED.sound.max_duration_s + io.ROUNDING_S


def find_examples() -> list[Path]:
    """The examples: first those that the default models name rightly."""
    paths = sorted((ASSETS / "examples").glob("*.ogg"))
    return sorted(paths, key=lambda path: path.stem not in NAMED)


def build() -> SoundInput:
    """The player with its zone, the hidden upload, limits and examples."""
    sound = gr.Audio(
        label="Audio",
        sources=["upload", "microphone"],
        type="filepath",
        elem_id="sound",
        buttons=["download"],
        waveform_options=gr.WaveformOptions(sample_rate=44_100),
    )
    other = gr.UploadButton("Choose another file", file_types=None, size="sm", elem_id="other")
    beginning = gr.Button(
        OFFER.format(seconds=HOSTED.sound.max_duration_s or 0),
        variant="primary",
        size="sm",
        visible=False,
        elem_id="beginning",
    )
    if not is_local():
        limits = LIMITS.format(
            seconds=HOSTED.sound.max_duration_s or 0, mb=(HOSTED.sound.max_bytes or 0) / 1e6
        )
        gr.Markdown(limits, elem_classes="ac-note", elem_id="limits")
    examples = find_examples()
    gr.Examples(
        [[str(path)] for path in examples],
        sound,
        label=EXAMPLES,
        example_labels=[
            FOR_GENERAL.get(path.stem, path.stem.replace("_", " ")) for path in examples
        ],
        cache_examples=False,
    )
    return SoundInput(sound, other, beginning)


def wire(sound_input: SoundInput, app: gr.Blocks) -> None:
    """Every file becomes the sound; of one that is too long, its beginning is offered."""
    join_playback(sound_input.sound)
    app.load(None, js="() => { window.audioclf.then((s) => s.startDropZone('sound', 'other')); }")
    sound_input.other.upload(take_file, sound_input.other, sound_input.sound, **QUIET)
    sound_input.sound.change(offer_beginning, sound_input.sound, sound_input.beginning, **QUIET)
    sound_input.beginning.click(take_beginning, sound_input.sound, sound_input.sound, **QUEUED)
