"""Label, taken away and brought: every format, the Hub, and straight to Teach."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from audioclf import collection, hub, label_export, label_import
from audioclf.label_export import Export
from audioclf.labelled import LabelledSet
from audioclf.labels.formats import FORMATS, format_named
from audioclf.ui import mine as my
from audioclf.ui.label_values import who
from audioclf.ui.shared import TEACH, guarded

FORMAT_CHOICES = [(form.title, name) for name, form in FORMATS.items()]
STRETCHES, FLAC, WAV = "", "flac", "wav"
CLIPS = [
    ("Stay regions of their recordings", STRETCHES),
    ("Become files: FLAC", FLAC),
    ("Become files: WAV", WAV),
]
MAKING = "Making it…"


def tell_making() -> tuple[Any, str]:
    """At once: it has begun."""
    return gr.update(visible=False), MAKING


@guarded(lambda sentence: (gr.update(visible=False), sentence))
def export_set(
    chosen: str | None, form: str, with_sounds: bool, clips: str, is_split: bool, mine: Any
) -> tuple[Any, str]:
    """The labels in a format, as a ZIP to download."""
    one = _mine(chosen, mine)
    export = Export(form, bool(with_sounds), str(clips or ""), bool(is_split))
    with tempfile.TemporaryDirectory() as folder:
        made = label_export.write_labels(one, export, Path(folder, f"{one.name}.zip"))
        mb = made.stat().st_size / 1e6
        kept = save_file_to_cache(made, get_upload_folder())
    button = gr.update(value=kept, visible=True, label=f"Download {one.name}.zip ({mb:.1f} MB)")
    return button, f"{len(one.labels()):,} labels, as {format_named(form).title}."


@guarded(lambda sentence: sentence)
def push_set(
    chosen: str | None, form: str, repo: str, token: str, is_public: bool, mine: Any
) -> str:
    """Put the data set with its sounds on the Hugging Face Hub; the token is kept nowhere."""
    hub.check(repo, token)
    one = _mine(chosen, mine)
    clips = FLAC if not format_named(form).holds_stretches else STRETCHES
    with label_export.made(one, Export(form, True, clips, is_split=False)) as folder:
        where = hub.push(folder, repo, token, private=not is_public, kind="dataset")
    return f"It is there: {where}"


@guarded(lambda sentence: (gr.skip(), gr.skip(), sentence))
def teach_with_set(chosen: str | None, mine: Any) -> tuple[Any, Any, str]:
    """Teach, with what is labelled now; later labels come with another click."""
    one, kept = _mine(chosen, mine), my.of(mine)
    made = collection.from_labels(one, my.limits())
    n_brought = kept["n_brought"] + 1
    return {**kept, "sounds": made, "n_brought": n_brought}, gr.Tabs(selected=TEACH), ""


@guarded(lambda sentence: (gr.skip(), sentence))
def import_labels(
    chosen: str | None, files: list[str] | None, form: str, n_imports: int, mine: Any
) -> tuple[Any, str]:
    """Take labels from files of another tool; they count as said now."""
    one = _mine(chosen, mine)
    if not files:
        raise ValueError("Choose the files with the labels first.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file in files:
            shutil.copy(file, folder / Path(file).name)
        taken = label_import.read_labels(one, [folder], form, who({}))
    left = f" {taken.n_left_out:,} lie where there is no sound, and are left out."
    return n_imports + 1, f"{taken.n_new:,} new labels.{left if taken.n_left_out else ''}"


def _mine(chosen: str | None, mine: Any) -> LabelledSet:
    """The chosen data set. Raises ValueError for another person's."""
    found = next((one for one in my.sets_of(mine) if one.id == chosen), None)
    if found is None:
        raise ValueError("Choose a data set first, or make one.")
    return found
