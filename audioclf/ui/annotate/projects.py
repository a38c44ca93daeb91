"""Label, its data sets: made, filled, chosen; and how their recordings are cut."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.annotation import add_files, project, tasks
from audioclf.annotation.embedding import SuggestionKind
from audioclf.annotation.project import AnnotationProject
from audioclf.annotation.queue import LabelQueue
from audioclf.annotation.tasks import Segmentation
from audioclf.audio import excerpt
from audioclf.jobs.queue import new_id
from audioclf.storage.format import FORMAT
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.annotate.sessions import NO_SUGGESTIONS, parse_segmentation
from audioclf.ui.page import session as sessions
from audioclf.ui.page import state
from audioclf.ui.page.lanes import ASSETS, outline
from audioclf.ui.page.limits import limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import keep_selection, models
from audioclf.ui.page.state import show_errors

SUGGESTIONS = [
    ("From your own labels, as they grow", SuggestionKind.OWN_LABELS),
    ("From the classes of a model", SuggestionKind.MODEL_CLASSES),
    ("None", NO_SUGGESTIONS),
]
SEGMENTATIONS = [
    ("Into windows", tasks.SegmentationKind.WINDOWS),
    ("At silences", tasks.SegmentationKind.SILENCES),
    ("Not at all", tasks.SegmentationKind.WHOLE),
]
SETTINGS = ("kind", "window_s", "long_s", "top_db", "min_length_s", "min_gap_s")
FIRST_NAME = "my sounds"
PREVIEW_S = 120.0
# The browser session, the list of projects, a sentence, and how often one was made or filled.
Outcome = tuple[Any, Any, str, Any]


@show_errors(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence), gr.skip()))
def make_set(
    name: str, folder: str | None, files: list[str] | None, session: Any, revision: int
) -> Outcome:
    """Make a data set of uploaded files, or of a local folder, which stays where it is.

    With the name of an existing data set, the uploaded files are added to it.
    """
    name = " ".join(str(name or "").split()) or FIRST_NAME
    existing = next((p for p in sessions.sets_of(session) if p.read_name() == name), None)
    if existing is not None:
        return _outcome(_add(existing, folder, files), session, revision)
    if not files and not str(folder or "").strip():
        raise ValueError("Add audio first: upload files or a ZIP" + (
            ", or type the path of a folder." if is_local() else "."
        ))  # fmt: skip
    path = _folder(str(folder).strip()) if str(folder or "").strip() else None
    if path is not None and files:
        raise ValueError("Name a local folder, or upload files: not both at once.")
    new = project.create(name, path, "" if is_local() else new_id())
    try:
        if path is not None and project.scan_files(new) == 0:
            raise ValueError(
                "There are no audio files in that folder: type the path of another one."
            )
        if files:
            add_files.add_files(new, [Path(file) for file in files], limits().labelling)
    except ValueError:
        project.delete(new)
        raise
    return _outcome(new, session, revision)


@show_errors(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence), gr.skip()))
def try_examples(session: Any, revision: int) -> Outcome:
    """Make a data set of the examples, to try the keys on."""
    existing = next((p for p in sessions.sets_of(session) if p.read_name() == "examples"), None)
    labelled = existing or project.create("examples", project_id="" if is_local() else new_id())
    add_files.add_files(labelled, sorted((ASSETS / "examples").glob("*.ogg")), limits().labelling)
    return _outcome(labelled, session, revision)


def rescan(project_id: str | None, session: Any) -> int:
    """Add new files in the folder of the chosen data set; returns how many it has then."""
    labelled_set = _find(project_id, session)
    if labelled_set is not None:
        with contextlib.suppress(ValueError):  # the queue shows the error
            add_files.remove_staged(labelled_set)
            project.scan_files(labelled_set, limits=limits().labelling.sound)
            return labelled_set.count_files()
    return 0


def choose_set(project_id: str | None, session: Any) -> Any:
    """Store in the browser session which data set is labelled."""
    stored = sessions.parse_session(session)
    labelled_set = _find(project_id, session)
    return (
        gr.skip()
        if labelled_set is None or stored["project"] == project_id
        else {**stored, "project": project_id}
    )


def list_sets(session: Any) -> Any:
    """The list of the data sets of this browser; on a local page, all."""
    listed, stored = sessions.sets_of(session), sessions.parse_session(session)
    choices = [(p.read_name(), p.id) for p in listed]
    project_id = stored["project"] if stored["project"] in [p.id for p in listed] else None
    first = listed[0].id if listed else None
    return gr.update(choices=choices, value=project_id or first, visible=bool(listed))


def close_making(session: Any) -> tuple[Any, Any]:
    """Fold the form for new data sets away once there is one, and empty its files."""
    return gr.update(open=not sessions.sets_of(session)), None


def configure_queue(
    revision: int, project_id: str | None, suggestions: str, model: str | None
) -> Any:
    """The settings of the queue: data set, suggestions, embedding model, stored segmentation.

    revision: how often annotations or the segmentation changed, so that the page reads them.
    """
    if not project_id:
        return None
    try:
        labelled = project.by_id(project_id)
        n_files, segmentation = labelled.count_files(), tasks.load_segmentation(labelled)
    except ValueError:
        return None
    return {
        "format": FORMAT, "project": project_id, "suggestions": suggestions, "model": model,
        "segmentation": _settings_of(segmentation), "n_files": n_files, "revision": revision,
    }  # fmt: skip


def show_segmentation(project_id: str | None, session: Any) -> list[Any]:
    """The segmentation that is stored with the chosen data set, a value per component."""
    labelled = _find(project_id, session)
    segmentation = Segmentation()
    if labelled is not None:
        with contextlib.suppress(ValueError):  # the queue shows the error
            segmentation = tasks.load_segmentation(labelled)
    settings = _settings_of(segmentation)
    return [*(settings[name] for name in SETTINGS), ""]


@show_errors(lambda sentence: (gr.skip(), escape_markdown(sentence)))
def change_segmentation(
    project_id: str | None, revision: int, session: Any, *segmentation: Any
) -> tuple[Any, str]:
    """Store the segmentation with the data set, and say what becomes of its labels: they stay."""
    labelled = _find(project_id, session)
    if labelled is None:
        raise ValueError("Choose a data set first, or make one.")
    settings = parse_segmentation(_settings_by_name(segmentation))
    if settings == tasks.load_segmentation(labelled):
        return gr.skip(), ""
    sentence = _effect(labelled, settings)
    tasks.store_segmentation(labelled, settings)
    return revision + 1, sentence


def _effect(labelled: AnnotationProject, segmentation: Segmentation) -> str:
    """What another segmentation means for the labels. Raises ValueError for too many clips."""
    queue = LabelQueue(labelled, segmentation)
    stored = f"Stored with the data set. {pluralize(len(labelled.labels()), 'label')} kept"
    if not tasks.is_segmented(labelled, segmentation):
        return f"{stored}; the clips are known when the silences are detected."
    n_answered, n_clips = len(queue.events()), pluralize(len(queue.tasks), "clip")
    return f"{stored}: with them {n_answered:,} of {n_clips} count as labelled now."


@show_errors(lambda sentence: (None, escape_markdown(sentence)))
def preview_segmentation(project_id: str | None, *segmentation: Any) -> tuple[Any, str]:
    """The clips of the longest recording with these settings, in its first two minutes."""
    labelled, settings = (
        project.by_id(project_id),
        parse_segmentation(_settings_by_name(segmentation)),
    )
    files = [file for file in labelled.files() if tasks.is_long(file, settings)]
    if settings.kind == tasks.SegmentationKind.WHOLE:
        return None, "Every recording is one clip, however long it is."
    if not files:
        return (
            None,
            f"No recording is longer than {settings.long_s:g} s: each is one clip.",
        )
    longest = max(files, key=lambda file: file.duration_s or 0.0)
    end_s = min(PREVIEW_S, longest.duration_s or PREVIEW_S)
    path = labelled.path_of(longest.relative_path)
    samples, rate_hz = excerpt.samples_of(path, 0.0, end_s, limits().labelling.sound)
    ends = tasks.preview(longest, settings, samples, rate_hz)
    drawn = outline([samples], len(samples), len(samples) / rate_hz)
    name, n_clips = escape_markdown(longest.relative_path), pluralize(len(ends), "clip")
    text = (
        f"{name}: {n_clips} in {end_s:.0f} s. The same settings apply to "
        f"{pluralize(len(files), 'recording')} of this data set."
    )
    title = "The beginning of the longest recording, and its clips"
    return {**drawn, "title": title, "stretches": [[a, b] for a, b in ends]}, text


def _settings_by_name(segmentation: Sequence[Any]) -> dict[str, Any]:
    """The settings of segmentation by name, in the order of their components."""
    return dict(zip(SETTINGS, segmentation, strict=True))


def _settings_of(segmentation: Segmentation) -> dict[str, Any]:
    """The settings of a segmentation by name."""
    values = {**asdict(segmentation), **asdict(segmentation.split)}
    return {name: values[name] for name in SETTINGS}


def embedding_models() -> list[tuple[str, str]]:
    """Models that can embed clips, general-purpose ones first."""
    usable = [n for n in models() if not n.is_ensemble and n.unavailable_reason() is None]
    return [(model.name, model.name) for model in usable]


def update_backbones(selected: str | None) -> Any:
    """The list of embedding models as it is now; keeps the selection."""
    return keep_selection(embedding_models(), selected)


def _find(project_id: str | None, session: Any) -> AnnotationProject | None:
    """The chosen data set, if it is one of this session."""
    return next((p for p in sessions.sets_of(session) if p.id == project_id), None)


def _add(
    existing: AnnotationProject, folder: str | None, files: list[str] | None
) -> AnnotationProject:
    if str(folder or "").strip():
        raise ValueError(
            f"There is a data set “{existing.read_name()}” already: choose another name."
        )
    if not files:
        raise ValueError("Upload the files to add to this data set.")
    add_files.add_files(existing, [Path(file) for file in files], limits().labelling)
    return existing


def _outcome(labelled: AnnotationProject, session: Any, revision: int) -> Outcome:
    stored = _with_project(labelled, session)
    return stored, list_sets(stored), _summary(labelled), revision + 1


def _folder(typed: str) -> Path:
    if not is_local():
        raise ValueError("Local folders can be used on a local page only: upload the files.")
    return state.folder_typed(typed)


def _with_project(labelled: AnnotationProject, session: Any) -> sessions.Session:
    stored = sessions.parse_session(session)
    names = [labelled.id, *(name for name in stored["projects"] if name != labelled.id)]
    return {**stored, "projects": names, "project": labelled.id}


def _summary(labelled: AnnotationProject) -> str:
    files = labelled.files()
    minutes = sum(file.duration_s or 0.0 for file in files) / 60
    n_bad = sum(file.error is not None for file in files)
    bad = f" {n_bad} of them cannot be read." if n_bad else ""
    name, n_files = escape_markdown(labelled.read_name()), pluralize(len(files), "file")
    return f"“{name}” has {n_files}, {minutes:.1f} minutes.{bad}"
