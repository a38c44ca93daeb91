"""Label, taken away and brought: every format, the Hub, and straight to Teach."""

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from audioclf.annotation import exporting, importing, project, to_dataset
from audioclf.annotation.exporting import Export
from audioclf.annotation.importing import ImportLimits
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets.formats.registry import FORMATS, format_named
from audioclf.storage import deadline, hf_hub
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.annotate import projects
from audioclf.ui.annotate.payloads import MOST_CLASSES, MOST_NAMES, who
from audioclf.ui.page import session as my
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import TEACH, guarded

FORMAT_CHOICES = [(form.title, name) for name, form in FORMATS.items()]
STRETCHES, FLAC, WAV = "", "flac", "wav"
CLIPS = [
    ("Stay regions of their recordings", STRETCHES),
    ("Become files: FLAC", FLAC),
    ("Become files: WAV", WAV),
]
MAKING = "Making it…"
IMPORT_S, EXPORT_S, PUSH_S = 30.0, 120.0, 300.0  # on a public page
MOST_BYTES = 5_000_000  # of an import, there too


def _seconds(limit_s: float) -> float | None:
    return None if is_local() else limit_s


def _import_limits() -> ImportLimits:
    if is_local():
        return importing.ANY
    check = deadline.within(IMPORT_S, "This import")
    return ImportLimits(MOST_BYTES, MOST_CLASSES, MOST_NAMES, check)


def tell_making() -> tuple[Any, str]:
    """At once: it has begun."""
    return gr.update(visible=False), MAKING


@guarded(lambda sentence: (gr.update(visible=False), escape_markdown(sentence)))
def export_set(
    chosen: str | None, form: str, with_sounds: bool, clips: str, is_split: bool, mine: Any
) -> tuple[Any, str]:
    """The labels in a format, as a ZIP to download."""
    one = _mine(chosen, mine)
    export = Export(form, bool(with_sounds), str(clips or ""), bool(is_split))
    with tempfile.TemporaryDirectory() as folder:
        check = deadline.within(_seconds(EXPORT_S), "This export")
        made = exporting.write_labels(one, export, Path(folder, f"{one.name}.zip"), check)
        mb = made.stat().st_size / 1e6
        kept = save_file_to_cache(made, get_upload_folder())
    button = gr.update(value=kept, visible=True, label=f"Download {one.name}.zip ({mb:.1f} MB)")
    return button, f"{pluralize(len(one.labels()), 'label')}, as {format_named(form).title}."


@guarded(escape_markdown)
def push_set(
    chosen: str | None, form: str, repo: str, token: str, is_public: bool, mine: Any
) -> str:
    """Put the data set with its sounds on the Hugging Face Hub; the token is kept nowhere."""
    hf_hub.check(repo, token)
    one = _mine(chosen, mine)
    clips = FLAC if not format_named(form).holds_stretches else STRETCHES
    check = deadline.within(_seconds(EXPORT_S), "This export")
    with exporting.exported_folder(one, Export(form, True, clips, is_split=False), check) as folder:
        args = {"folder": str(folder), "repo": repo, "token": token, "private": not is_public}
        where = _pushed(args, _seconds(PUSH_S))
    return f"It is there: {where}"


def _pushed(args: dict[str, Any], limit_s: float | None) -> str:
    """The address of the repository; pushed by a process that can be ended. Raises ValueError."""
    command = [sys.executable, "-m", "audioclf.storage.push_worker"]
    root = Path(__file__).parents[3]
    try:
        done = subprocess.run(
            command, input=json.dumps(args), capture_output=True, text=True, timeout=limit_s,
            cwd=root, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(deadline.over("This upload", limit_s or 0.0)) from None
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        logging.error("a push ended with status %s: %s", done.returncode, done.stderr[-2_000:])
        raise ValueError("The upload went wrong, and the log says why: try it again.") from None
    if "error" in answer:
        raise ValueError(answer["error"])
    return str(answer["url"])


@guarded(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence)))
def teach_with_set(chosen: str | None, mine: Any) -> tuple[Any, Any, str]:
    """Teach, with what is labelled now; later labels come with another click."""
    one, kept = _mine(chosen, mine), my.of(mine)
    in_time = deadline.within(_seconds(EXPORT_S), "This export")
    made = to_dataset.from_labels(one, my.limits(), in_time)
    n_brought = kept["n_brought"] + 1
    return {**kept, "sounds": made, "n_brought": n_brought}, gr.Tabs(selected=TEACH), ""


@guarded(lambda sentence: (gr.skip(), escape_markdown(sentence)))
def import_labels(
    chosen: str | None, files: list[str] | None, form: str, n_imports: int, mine: Any
) -> tuple[Any, str]:
    """Take labels from files of another tool; they count as said now."""
    one = _mine(chosen, mine)
    if not files:
        raise ValueError("Choose the files with the labels first.")
    limits = _import_limits()
    importing.check_size(sum(Path(file).stat().st_size for file in files), limits)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file in files:
            shutil.copy(file, folder / Path(file).name)
        taken = importing.read_labels(one, [folder], form, who({}), limits)
    left = f" {taken.n_left_out:,} lie where there is no sound, and are left out."
    return (
        n_imports + 1,
        f"{pluralize(taken.n_new, 'new label')}.{left if taken.n_left_out else ''}",
    )


def forget_export() -> tuple[Any, str]:
    """What was made of another data set is not offered."""
    return gr.update(visible=False), ""


def list_classes(chosen: str | None, mine: Any) -> Any:
    """The classes of the data set, to be renamed."""
    try:
        names = _mine(chosen, mine).classes()
    except ValueError:
        names = []
    return gr.update(choices=names, value=names[0] if names else None)


@guarded(lambda sentence: (gr.skip(), escape_markdown(sentence)))
def rename_class(
    chosen: str | None, old: str | None, new: str, n_changes: int, mine: Any
) -> tuple[Any, str]:
    """Give a class another name, in every label that counts; that of another class merges both."""
    n_labels = project.rename_class(_mine(chosen, mine), str(old or ""), new, who({}))
    return n_changes + 1, f"{pluralize(n_labels, 'label')} renamed."


@guarded(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence)))
def delete_set(chosen: str | None, typed: str, mine: Any) -> tuple[Any, Any, str]:
    """Delete the data set whose name was typed; a folder that it only names stays."""
    one, kept = _mine(chosen, mine), my.of(mine)
    if " ".join(str(typed or "").split()) != one.name:
        raise ValueError(f"Type “{one.name}” to delete it.")
    project.delete(one)
    kept = {**kept, "sets": [name for name in kept["sets"] if name != one.id], "set": None}
    return kept, projects.list_sets(kept), "It is deleted."


def _mine(chosen: str | None, mine: Any) -> AnnotationProject:
    """The chosen data set. Raises ValueError for another person's."""
    found = next((one for one in my.sets_of(mine) if one.id == chosen), None)
    if found is None:
        raise ValueError("Choose a data set first, or make one.")
    return found
