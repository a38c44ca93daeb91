"""Fine-tune, step 2: which classes and clips a training takes, and what tells their sources.

The selection is a plain value of the page: it goes with the training, and the files stay as they
are.
"""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.grouping import BY_TABLE, MAX_PATTERN, Grouping, GroupingHints, GroupingKind
from audioclf.text import escape_markdown, pluralize
from audioclf.ui.page import session as sessions
from audioclf.ui.page.state import QUEUED, Shared, show_errors, skip_preprocess

MAX_ROWS = 2_000  # clips and files that are listed
CLIP_HEADERS, IGNORED_HEADERS = ("Use", "File", "Class"), ("Ignored file", "Why")
EXAMPLE_PATTERN = "{source}_*"
Selection = dict[str, Any]  # data set, grouping, and the classes and clips that are left out


def new_selection(sounds: str | None, revision: int = 0) -> Selection:
    """Everything, with the sources of the table; another one for every revision of an upload."""
    return {
        "dataset": sounds, "revision": revision, "grouping": [BY_TABLE.kind, ""],
        "classes_out": [], "clips_out": [],
    }  # fmt: skip


def parse_selection(selection: Any, sounds: str | None) -> Selection:
    """The selection, if it is one of this data set; else everything."""
    is_own = isinstance(selection, dict) and selection.get("dataset") == sounds
    return {**new_selection(sounds), **(selection if is_own else {})}


def grouping_of(selection: Selection) -> Grouping:
    """What tells the sources of the clips. Raises ValueError."""
    kind, value = selection["grouping"]
    return Grouping(str(kind), str(value))


def list_choices(session: Any) -> tuple[Any, ...]:
    """The choices of another data set: everything is ticked.

    Returns what tells sources, a pattern, the classes, the clips, the ignored files, and the
    selection.
    """
    stored = sessions.parse_session(session)
    sounds, revision = stored["dataset"], stored["revision"]
    try:
        data = dataset.load(sessions.folder_of(sounds)) if sounds else None
    except ValueError:  # the check shows the error
        data = None
    if data is None:
        hidden = gr.update(visible=False)
        return hidden, hidden, hidden, hidden, hidden, new_selection(sounds, revision)
    clips = [[True, clip.relative_path, clip.label] for clip in data.clips[:MAX_ROWS]]
    ignored = [[one.path, one.reason] for one in data.ignored[:MAX_ROWS]]
    return (
        gr.update(choices=_grouping_choices(data.hints), value=_default(data), visible=True),
        gr.update(value=data.hints.pattern or EXAMPLE_PATTERN, visible=False),
        gr.update(choices=_class_choices(data), value=list(data.classes), visible=True),
        gr.update(value=clips, visible=True),
        gr.update(value=ignored, visible=bool(ignored)),
        new_selection(sounds, revision),
    )


def select_classes(ticked: list[str] | None, session: Any, selection: Any) -> Selection:
    """Leave out the classes that are not ticked."""
    selection = parse_selection(selection, sessions.parse_session(session)["dataset"])
    try:
        data = dataset.load(sessions.folder_of(selection["dataset"]))
    except ValueError:
        return selection
    out = sorted(set(data.classes) - set(ticked or ()))
    return {**selection, "classes_out": out}


def select_clips(rows: list[list[Any]] | None, session: Any, selection: Any) -> Selection:
    """Leave out the clips whose rows are not ticked."""
    selection = parse_selection(selection, sessions.parse_session(session)["dataset"])
    out = [str(row[1]) for row in rows or () if len(row) > 1 and row[0] in (False, "false", 0)]
    return {**selection, "clips_out": sorted(out)}


@show_errors(lambda sentence: (gr.skip(), gr.skip(), escape_markdown(sentence)))
def select_grouping(
    choice: str | None, pattern: str, session: Any, selection: Any
) -> tuple[Any, Any, str]:
    """Group the clips by what was chosen: the pattern is shown for file names alone."""
    sounds = sessions.parse_session(session)["dataset"]
    selection = parse_selection(selection, sounds)
    kind, _, column = str(choice or GroupingKind.TABLE).partition(":")
    is_pattern = kind == GroupingKind.PATTERN
    grouping = Grouping(kind, str(pattern or "") if is_pattern else column)
    data = dataset.load(sessions.folder_of(sounds), grouping=grouping)
    n_sources = len({clip.group for clip in data.clips if clip.group})
    told = f"{pluralize(n_sources, 'source')} {grouping.describe()}." if n_sources else ""
    return (
        gr.update(visible=is_pattern),
        {**selection, "grouping": [grouping.kind, grouping.value]},
        escape_markdown(told),
    )


def _default(data: Dataset) -> str:
    has_groups = any(clip.group for clip in data.clips)
    return GroupingKind.TABLE if has_groups else GroupingKind.UNKNOWN


def _grouping_choices(hints: GroupingHints) -> list[tuple[str, str]]:
    choices = [("As the table says, where it does", str(GroupingKind.TABLE))]
    choices += [("Not known", str(GroupingKind.UNKNOWN))]
    choices += [(f"Column “{name}”", f"{GroupingKind.COLUMN}:{name}") for name in hints.columns]
    choices += [("Folder of the file", str(GroupingKind.FOLDER))] if hints.has_folders else []
    proposed = f", such as {hints.pattern}" if hints.pattern else ""
    return [*choices, (f"Pattern on file names{proposed}", str(GroupingKind.PATTERN))]


def _class_choices(data: Dataset) -> list[tuple[str, str]]:
    counts = {name: sum(clip.label == name for clip in data.clips) for name in data.classes}
    return [(f"{name} ({n:,})", name) for name, n in counts.items()]


class SelectionControls(NamedTuple):
    """The components of the selection."""

    grouping: gr.Dropdown
    pattern: gr.Textbox
    sources: gr.Markdown
    classes: gr.CheckboxGroup
    clips: gr.Dataframe
    ignored: gr.Dataframe
    selection: gr.State


def selection_controls() -> SelectionControls:
    """What tells sources, and the classes and clips to tick."""
    with gr.Accordion("Classes, clips and sources", open=False, elem_id="teach-selection"):
        with gr.Row():
            grouping = gr.Dropdown(
                [], label="Sources, each on one side of the split", visible=False,
                elem_id="teach-sources",
            )  # fmt: skip
            pattern = gr.Textbox(
                label="Pattern: {source} for the source, * for anything else",
                max_length=MAX_PATTERN, visible=False, elem_id="teach-pattern",
            )  # fmt: skip
        sources = gr.Markdown(elem_classes="ac-message", elem_id="teach-grouped")
        classes = gr.CheckboxGroup(
            [], label="Classes of this training", visible=False, elem_id="teach-ticked"
        )
        with gr.Row():
            clips = gr.Dataframe(
                headers=list(CLIP_HEADERS), datatype=["bool", "str", "str"], type="array",
                static_columns=[1, 2], max_height=300, visible=False, interactive=True,
                label="Clips of this training", elem_id="teach-chosen",
            )  # fmt: skip
            ignored = gr.Dataframe(
                headers=list(IGNORED_HEADERS), interactive=False, max_height=300,
                visible=False, label="Files that are no clips", elem_id="teach-ignored",
            )  # fmt: skip
    return SelectionControls(
        skip_preprocess(grouping), pattern, sources, skip_preprocess(classes), clips, ignored,
        gr.State(None),
    )  # fmt: skip


def wire(shared: Shared, upload: gr.State, controls: SelectionControls) -> None:
    """Another data set lists its choices; a tick changes the selection."""
    gr.on(
        [upload.change], list_choices, shared.session,
        [controls.grouping, controls.pattern, controls.classes, controls.clips, controls.ignored,
         controls.selection],
        trigger_mode="always_last", **QUEUED,
    )  # fmt: skip
    context = [shared.session, controls.selection]
    controls.classes.input(
        select_classes, [controls.classes, *context], controls.selection,
        trigger_mode="always_last", **QUEUED,
    )  # fmt: skip
    controls.clips.input(
        select_clips, [controls.clips, *context], controls.selection,
        trigger_mode="always_last", **QUEUED,
    )  # fmt: skip
    gr.on(
        [controls.grouping.input, controls.pattern.submit, controls.pattern.blur], select_grouping,
        [controls.grouping, controls.pattern, *context],
        [controls.pattern, controls.selection, controls.sources], **QUEUED,
    )  # fmt: skip
