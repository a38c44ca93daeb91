"""The tab Label, export and import: every format, the Hub, and on to Fine-tune."""

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
from audioclf.audio.excerpt import ClipFormat
from audioclf.datasets.formats.base import class_name
from audioclf.datasets.formats.registry import DETECTIONS, FORMATS, format_named
from audioclf.storage import deadline, hf_hub
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.annotate import projects
from audioclf.ui.annotate.payloads import MAX_CLASSES, MAX_NAMES, annotator
from audioclf.ui.page import session as sessions
from audioclf.ui.page.limits import limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.state import FINE_TUNE, show_errors

FORMAT_CHOICES = [(form.title, name) for name, form in FORMATS.items()]
IMPORT_CHOICES = [*FORMAT_CHOICES, *((title, name) for name, title in DETECTIONS.items())]
MAX_PREFIX = 500  # characters of an address
REGIONS = ""  # no clips: regions of the recordings
CLIPS = [
    ("Regions of their recordings", REGIONS),
    ("Files: FLAC", ClipFormat.FLAC),
    ("Files: WAV", ClipFormat.WAV),
]
EXPORTING = "Exporting…"
Renamed = tuple[Any, str, Any, Any]  # revision, sentence, new name, the button Merge
IMPORT_S, EXPORT_S, PUSH_S = 30.0, 120.0, 300.0  # on a public page
MOST_BYTES = 5_000_000  # of an import, there too


def _seconds(limit_s: float) -> float | None:
    return None if is_local() else limit_s


def _import_limits() -> ImportLimits:
    if is_local():
        return importing.ANY
    check = deadline.within(IMPORT_S, "This import")
    return ImportLimits(MOST_BYTES, MAX_CLASSES, MAX_NAMES, check)


def show_progress() -> tuple[Any, str]:
    """Show at once that the export has begun."""
    return gr.update(visible=False), EXPORTING


@show_errors(lambda sentence: (gr.update(visible=False), escape_markdown(sentence)))
def export_set(project_id: str | None, session: Any, format: str, *options: Any) -> tuple[Any, str]:
    """The labels in a format, as a ZIP to download.

    options: whether with audio files, the format of clips, whether split, and what stands before
    the files in tasks of Label Studio.
    """
    with_audio, clips, is_split, prefix = options
    labelled = _find_project(project_id, session)
    export = Export(
        format, bool(with_audio), str(clips or ""), bool(is_split),
        audio_prefix=str(prefix or "").strip()[:MAX_PREFIX],
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        check = deadline.within(_seconds(EXPORT_S), "This export")
        archive = exporting.write_labels(
            labelled, export, Path(folder, f"{labelled.read_name()}.zip"), check
        )
        mb = archive.stat().st_size / 1e6
        stored = save_file_to_cache(archive, get_upload_folder())
    button = gr.update(
        value=stored, visible=True, label=f"Download {labelled.read_name()}.zip ({mb:.1f} MB)"
    )
    return button, f"{pluralize(len(labelled.labels()), 'label')}, as {format_named(format).title}."


@show_errors(escape_markdown)
def push_set(
    project_id: str | None, format: str, repo: str, token: str, is_public: bool, session: Any
) -> str:
    """Push the data set with its audio files to the Hugging Face Hub; the token is not stored."""
    hf_hub.check(repo, token)
    labelled = _find_project(project_id, session)
    clips = ClipFormat.FLAC if not format_named(format).holds_segments else REGIONS
    check = deadline.within(_seconds(EXPORT_S), "This export")
    with exporting.exported_folder(
        labelled, Export(format, True, clips, is_split=False), check
    ) as folder:
        args = {"folder": str(folder), "repo": repo, "token": token, "private": not is_public}
        url = _push(args, _seconds(PUSH_S))
    return f"Uploaded: {url}"


def _push(args: dict[str, Any], limit_s: float | None) -> str:
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
        raise ValueError("The upload failed, and the log says why: try it again.") from None
    if "error" in answer:
        raise ValueError(answer["error"])
    return str(answer["url"])


@show_errors(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence)))
def fine_tune_on_project(project_id: str | None, session: Any) -> tuple[Any, Any, str]:
    """Use the current labels in Fine-tune; later labels come with another click."""
    labelled, stored = _find_project(project_id, session), sessions.parse_session(session)
    check = deadline.within(_seconds(EXPORT_S), "This export")
    collection = to_dataset.from_labels(labelled, limits().upload, check)
    revision = stored["revision"] + 1
    return {**stored, "dataset": collection, "revision": revision}, gr.Tabs(selected=FINE_TUNE), ""


@show_errors(lambda sentence: (gr.skip(), escape_markdown(sentence)))
def import_labels(
    project_id: str | None, files: list[str] | None, format: str, revision: int, session: Any
) -> tuple[Any, str]:
    """Import annotations from files of another tool."""
    labelled = _find_project(project_id, session)
    if not files:
        raise ValueError("Choose the files with the labels first.")
    import_limits = _import_limits()
    importing.check_size(sum(Path(file).stat().st_size for file in files), import_limits)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file in files:
            shutil.copy(file, folder / Path(file).name)
        result = importing.read_labels(labelled, [folder], format, annotator({}), import_limits)
    left = f" {result.n_skipped:,} lie outside of their file and were skipped."
    what = "new suggestion" if format in DETECTIONS else "new label"
    return revision + 1, f"{pluralize(result.n_new, what)}.{left if result.n_skipped else ''}"


def show_prefix(format: str) -> Any:
    """Show the prefix of audio files for Label Studio alone."""
    return gr.update(visible=format == "label_studio")


def forget_export() -> tuple[Any, str]:
    """Hide the export of another data set."""
    return gr.update(visible=False), ""


def list_classes(project_id: str | None, session: Any) -> Any:
    """The classes of the data set, to be renamed; none is chosen yet."""
    try:
        names = _find_project(project_id, session).classes()
    except ValueError:
        names = []
    return gr.update(choices=names, value=None)


@show_errors(lambda sentence: (gr.skip(), escape_markdown(sentence), gr.skip(), gr.skip()))
def rename_class(
    project_id: str | None, old: str | None, new: str, revision: int, session: Any
) -> Renamed:
    """Give a class another name, in every label that counts; that of another class asks first."""
    labelled, old, new = _find_project(project_id, session), str(old or ""), class_name(new)
    counts = project.class_counts(labelled)
    if new in counts and old in counts and new != old:
        question = (
            f"“{new}” is a class already, with {pluralize(counts[new], 'label')}: Merge adds the "
            f"{pluralize(counts[old], 'label')} of “{old}” to it."
        )
        return gr.skip(), escape_markdown(question), gr.skip(), gr.update(visible=True)
    n_labels = project.rename_class(labelled, old, new, annotator({}))
    sentence = f"{pluralize(n_labels, 'label')} renamed. U takes it back."
    return revision + 1, sentence, "", gr.update(visible=False)


@show_errors(lambda sentence: (gr.skip(), escape_markdown(sentence), gr.skip(), gr.skip()))
def merge_classes(
    project_id: str | None, old: str | None, new: str, revision: int, session: Any
) -> Renamed:
    """Merge a class with another one, after the counts of both were shown."""
    labelled = _find_project(project_id, session)
    n_labels = project.rename_class(labelled, str(old or ""), new, annotator({}))
    sentence = f"{pluralize(n_labels, 'label')} merged. U takes all of it back."
    return revision + 1, sentence, "", gr.update(visible=False)


def hide_merge() -> tuple[Any, str]:
    """Take the question back when another class or name is chosen."""
    return gr.update(visible=False), ""


@show_errors(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence)))
def delete_set(project_id: str | None, typed: str, session: Any) -> tuple[Any, Any, str]:
    """Delete the data set whose name was typed; a folder that it only names stays."""
    labelled, stored = _find_project(project_id, session), sessions.parse_session(session)
    if " ".join(str(typed or "").split()) != labelled.read_name():
        raise ValueError(f"Type “{labelled.read_name()}” to delete it.")
    project.delete(labelled)
    stored = {
        **stored,
        "projects": [name for name in stored["projects"] if name != labelled.id],
        "project": None,
    }
    return stored, projects.list_sets(stored), "Deleted."


def _find_project(project_id: str | None, session: Any) -> AnnotationProject:
    """The chosen data set. Raises ValueError for another person's."""
    labelled = next((p for p in sessions.sets_of(session) if p.id == project_id), None)
    if labelled is None:
        raise ValueError("Choose a data set first, or make one.")
    return labelled
