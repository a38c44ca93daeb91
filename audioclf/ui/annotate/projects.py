"""Label, its data sets: made, filled, chosen; and how their recordings are cut."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.annotation import add_files, project, tasks
from audioclf.annotation.embedding import ITS_CLASSES, OWN_LABELS
from audioclf.annotation.project import AnnotationProject
from audioclf.audio import excerpt
from audioclf.jobs.queue import new_id
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.annotate.sessions import NO_SUGGESTIONS, cutting_of
from audioclf.ui.page import session as my
from audioclf.ui.page import state
from audioclf.ui.page.lanes import ASSETS, outline
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import keeping, networks
from audioclf.ui.page.state import guarded

SUGGESTIONS = [
    ("From your own labels, as they grow", OWN_LABELS),
    ("The classes that a network knows", ITS_CLASSES),
    ("None", NO_SUGGESTIONS),
]
CUTTINGS = [
    ("Into windows", tasks.WINDOWS),
    ("Where they are silent", tasks.SILENCES),
    ("Not at all", tasks.WHOLE),
]
FIRST_NAME = "my sounds"
PREVIEW_S = 120.0
# What the browser remembers, the list of sets, a sentence, and how often one was made or filled.
Made = tuple[Any, Any, str, Any]


@guarded(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence), gr.skip()))
def make_set(
    name: str, folder: str | None, files: list[str] | None, mine: Any, n_made: int
) -> Made:
    """Make a data set of uploaded sounds, or of a folder of this machine, which stays where it is.

    With the name of a set that is there, uploaded sounds are added to it.
    """
    name = " ".join(str(name or "").split()) or FIRST_NAME
    own = next((one for one in my.sets_of(mine) if one.name == name), None)
    if own is not None:
        return _told(_add(own, folder, files), mine, n_made)
    if not files and not str(folder or "").strip():
        raise ValueError("Bring sounds first: upload files or a ZIP" + (
            ", or type the path of a folder." if is_local() else "."
        ))  # fmt: skip
    path = _folder(str(folder).strip()) if str(folder or "").strip() else None
    if path is not None and files:
        raise ValueError("Name a folder, which stays as it is, or upload sounds: not both at once.")
    made = project.create(name, path, "" if is_local() else new_id())
    try:
        if path is not None and project.scan_files(made) == 0:
            raise ValueError("There are no sounds in that folder: type the path of another one.")
        if files:
            add_files.add_files(made, [Path(file) for file in files], _limits())
    except ValueError:
        project.delete(made)
        raise
    return _told(made, mine, n_made)


@guarded(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence), gr.skip()))
def try_examples(mine: Any, n_made: int) -> Made:
    """Make a data set of the example sounds, to try the keys on."""
    own = next((one for one in my.sets_of(mine) if one.name == "examples"), None)
    made = own or project.create("examples", own_id="" if is_local() else new_id())
    add_files.add_files(made, sorted((ASSETS / "examples").glob("*.ogg")), _limits())
    return _told(made, mine, n_made)


def look_again(chosen: str | None, mine: Any) -> int:
    """Sounds that are new in the folder of the chosen set are added; how many it has then."""
    found = next((one for one in my.sets_of(mine) if one.id == chosen), None)
    if found is not None:
        with contextlib.suppress(ValueError):  # the desk says what is wrong
            add_files.take_back(found)
            project.scan_files(found, limits=_limits().sound)
            return found.n_files
    return 0


def choose_set(chosen: str | None, mine: Any) -> Any:
    """The browser remembers which data set is labelled."""
    kept = my.of(mine)
    found = next((one for one in my.sets_of(mine) if one.id == chosen), None)
    return gr.skip() if found is None or kept["set"] == chosen else {**kept, "set": chosen}


def list_sets(mine: Any) -> Any:
    """The data sets of this browser; on one's own machine, all."""
    found, kept = my.sets_of(mine), my.of(mine)
    choices = [(one.name, one.id) for one in found]
    chosen = kept["set"] if kept["set"] in [one.id for one in found] else None
    first = found[0].id if found else None
    return gr.update(choices=choices, value=chosen or first, visible=bool(found))


def close_making(mine: Any) -> tuple[Any, Any]:
    """What makes data sets is folded away once there is one, and its field for files emptied."""
    return gr.update(open=not my.sets_of(mine)), None


def open_desk(
    n_brought: int, chosen: str | None, suggestions: str, network: str | None, *cutting: Any
) -> Any:
    """What the queue is to work with: data set, who suggests, how recordings are cut.

    n_brought: how often labels were brought, so that the page reads them.
    """
    if not chosen:
        return None
    settings = _named(cutting)
    try:
        cutting_of(settings)
    except ValueError:  # a slider that is being moved
        return gr.skip()
    try:
        n_files = project.by_id(chosen).n_files
    except ValueError:
        return None
    return {
        "set": chosen, "kind": suggestions, "network": network, "cutting": settings,
        "n_files": n_files, "n_brought": n_brought,
    }  # fmt: skip


@guarded(lambda sentence: (None, escape_markdown(sentence)))
def preview_cutting(chosen: str | None, *cutting: Any) -> tuple[Any, str]:
    """What becomes of the longest recording with these settings: its first two minutes."""
    one, settings = project.by_id(chosen), cutting_of(_named(cutting))
    files = [file for file in one.files() if tasks.is_long(file, settings)]
    if settings.kind == tasks.WHOLE:
        return None, "Every recording is asked about whole, however long it is."
    if not files:
        return (
            None,
            f"No recording is longer than {settings.long_s:g} s: each is asked about whole.",
        )
    longest = max(files, key=lambda file: file.duration_s or 0.0)
    end_s = min(PREVIEW_S, longest.duration_s or PREVIEW_S)
    path = one.path_of(longest.place)
    samples, rate_hz = excerpt.samples_of(path, 0.0, end_s, _limits().sound)
    ends = tasks.preview(longest, settings, samples, rate_hz)
    drawn = outline([samples], len(samples), len(samples) / rate_hz)
    words = (
        f"{escape_markdown(longest.place)}: {pluralize(len(ends), 'sound')} in {end_s:.0f} s; so it is with "
        f"{pluralize(len(files), 'recording')} of this data set."
    )
    title = "The beginning of the longest recording, and what is asked about"
    return {**drawn, "title": title, "stretches": [[a, b] for a, b in ends]}, words


def _named(cutting: Sequence[Any]) -> dict[str, Any]:
    """The settings of cutting by name, in the order in which they stand on the page."""
    names = ("kind", "window_s", "long_s", "top_db", "min_length_s", "min_gap_s")
    return dict(zip(names, cutting, strict=True))


def ears() -> list[tuple[str, str]]:
    """Networks whose embeddings can be read, the best ears first."""
    found = [one for one in networks() if not one.is_ensemble and one.unavailable_reason is None]
    return [(one.name, one.name) for one in found]


def update_backbones(chosen: str | None) -> Any:
    """The networks that may listen, as they are now."""
    return keeping(ears(), chosen)


def _limits() -> Any:
    usual = my.limits()
    return usual if is_local() else replace(usual, sound=state.HOSTED)


def _add(own: AnnotationProject, folder: str | None, files: list[str] | None) -> AnnotationProject:
    if str(folder or "").strip():
        raise ValueError(f"There is a data set “{own.name}” already: choose another name.")
    if not files:
        raise ValueError("Upload the sounds that belong to this data set too.")
    add_files.add_files(own, [Path(file) for file in files], _limits())
    return own


def _told(one: AnnotationProject, mine: Any, n_made: int) -> Made:
    kept = _chosen(one, mine)
    return kept, list_sets(kept), _in_words(one), n_made + 1


def _folder(typed: str) -> Path:
    if not is_local():
        raise ValueError("Folders are named on one's own machine only: upload the sounds.")
    return state.folder_typed(typed)


def _chosen(one: AnnotationProject, mine: Any) -> my.Mine:
    kept = my.of(mine)
    names = [one.id, *(name for name in kept["sets"] if name != one.id)]
    return {**kept, "sets": names, "set": one.id}


def _in_words(one: AnnotationProject) -> str:
    files = one.files()
    minutes = sum(file.duration_s or 0.0 for file in files) / 60
    n_bad = sum(file.trouble is not None for file in files)
    bad = f" {n_bad} of them cannot be heard." if n_bad else ""
    return f"“{escape_markdown(one.name)}” has {pluralize(len(files), 'sound')}, {minutes:.1f} minutes.{bad}"
