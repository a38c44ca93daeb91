"""Teach, afterwards: what the new network confuses, the clips that it misjudged, and taking it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from audioclf.audio import io
from audioclf.jobs import queue
from audioclf.jobs.job import Job, JobState
from audioclf.storage import hf_hub
from audioclf.text import escape_markdown
from audioclf.ui.models.details import show_results
from audioclf.ui.page.model_lists import use_network
from audioclf.ui.page.state import guarded, limits, network_named
from audioclf.ui.page.tables import filled

CLIPS = (
    ("Clip", "{}"),
    ("It is", "{}"),
    ("Heard as", "{}"),
    ("Sure (%)", "{:.0f}"),
    ("Of the truth (%)", "{:.0f}"),
)
FORMATS = [("TensorFlow SavedModel", "saved_model"), ("LiteRT", "litert")]
MAX_EXPORT_S = 300
FAILED = "It could not be made: the program that exports networks ended without a word."


@guarded(lambda sentence: (gr.Column(visible=False), None, None, sentence, None, None, ""))
def show_outcome(chosen: str | None) -> tuple[Any, ...]:
    """What came out: confusion, a table per class, misjudged clips, the comparison.

    Where no clips were held out, one sentence says so.
    """
    found = _done(chosen)
    if found is None:
        return gr.Column(visible=False), None, None, "", None, None, ""
    result = found.result
    figure, per_class, measured = show_results(result["checkpoint"])
    rows = [
        [r["place"], r["expected"], r["heard"], 100 * r["probability"], 100 * r["of_the_truth"]]
        for r in result["clips"]
    ]
    wrong = sum(r["expected"] != r["heard"] for r in result["clips"])
    words = _on_clips(len(rows), wrong)
    table = gr.update(value=filled(CLIPS, rows), visible=bool(rows))
    shown = (
        gr.update(value=figure, visible=bool(rows)),
        gr.update(value=per_class, visible=bool(rows)),
        gr.update(value=measured, visible=bool(rows)),
    )
    return gr.Column(visible=True), *shown, words, table, _beside(result)


def hear_clip(chosen: str | None, event: gr.SelectData) -> Any:
    """The clip of the row that was chosen, to listen to."""
    found = _done(chosen)
    rows = found.result.get("clips", []) if found else []
    row = next((one for one in rows if one["place"] == event.row_value[0]), None)
    return gr.Audio(value=_cached(Path(row["path"]))) if row else gr.skip()


def use_taught(chosen: str | None, mine: Any) -> tuple[Any, Any]:
    """The new network in Classify's list, and Classify in front."""
    found = _done(chosen)
    return use_network(found.result["checkpoint"] if found else None, mine)


def tell_making() -> tuple[Any, str]:
    """That something is being made, at once: it takes a while."""
    return gr.DownloadButton(visible=False), "Making it, and comparing what is made: 10 to 30 s…"


def tell_pushing() -> str:
    """The same of an upload."""
    return "Making it, then uploading: half a minute or more…"


@guarded(lambda sentence: (gr.DownloadButton(visible=False), sentence))
def make_bundle(chosen: str | None, formats: list[str] | None) -> tuple[Any, str]:
    """The new network as a ZIP to take away, with further formats where they are asked for."""
    found = _need(chosen)
    with tempfile.TemporaryDirectory() as place:
        made = _export(found, Path(place, f"{found.result['checkpoint']}.zip"), formats)
        path = save_file_to_cache(made, get_upload_folder())
        words = f"{made.name}: {made.stat().st_size / 1e6:.1f} MB."
    return gr.DownloadButton(value=path, visible=True), words


@guarded(lambda sentence: sentence)
def push_network(chosen: str | None, repo: str, token: str, is_public: bool) -> str:
    """The new network as a repository on the Hugging Face Hub, with one's own token."""
    found = _need(chosen)
    hf_hub.check(repo, token)
    with tempfile.TemporaryDirectory() as place:
        folder = _export(found, Path(place, found.result["checkpoint"]), ())
        return f"It is there: {hf_hub.push(folder, repo, token, private=not is_public)}"


def _export(found: Job, output: Path, formats: Any) -> Path:
    """In a child process: this one never imports TensorFlow. Raises ValueError."""
    known = {name for _, name in FORMATS}
    asked = [f"--format={name}" for name in formats or () if name in known]
    folder = str(network_named(found.result["checkpoint"]).folder)
    command = [sys.executable, "-W", "ignore", "-m", "audioclf", "export", "--checkpoint", folder]
    try:
        child = subprocess.run(
            [*command, "--output", os.fspath(output), *asked],
            capture_output=True,
            text=True,
            timeout=MAX_EXPORT_S,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    except subprocess.TimeoutExpired:
        raise ValueError("Making it took too long and was ended: choose fewer formats.") from None
    if child.returncode:
        said = child.stderr.strip().splitlines()[-1:] or [FAILED]
        is_ours = said[0].startswith("audioclf: ")
        raise ValueError(said[0].removeprefix("audioclf: ") if is_ours else FAILED)
    return output


def _done(chosen: Any) -> Job | None:
    try:
        found = queue.find(chosen) if isinstance(chosen, str) else None
    except ValueError:
        return None
    return found if found and found.status.state == JobState.DONE and found.result else None


def _need(chosen: Any) -> Job:
    found = _done(chosen)
    if found is None:
        raise ValueError("This training has published no network yet: wait until it is done.")
    return found


def _on_clips(n_clips: int, n_wrong: int) -> str:
    if not n_clips:
        return "No clips were held out, so nothing is known of how it does on others."
    if not n_wrong:
        return f"All {n_clips} clips that were held out are right. Choose a row to hear it."
    return (
        f"{n_wrong} of {n_clips} clips that were held out are misjudged; they come first. "
        "Choose a row to hear it."
    )


def _beside(result: dict[str, Any]) -> str:
    """The network that it started from, on the classes that both know."""
    beside = result.get("beside")
    if not beside:
        return ""
    return (
        f"On the {beside['n_clips']} of these clips whose classes {escape_markdown(beside['start'])} knows "
        f"too, it has {100 * beside['before']:.0f} % right (among {beside['n_classes']} classes); "
        f"the new network has {100 * beside['after']:.0f} %."
    )


def _cached(path: Path) -> str | None:
    """A clip as the browser can play it."""
    try:
        samples, rate_hz = io.load(path, limits=limits())
    except ValueError:
        return None
    with tempfile.TemporaryDirectory() as place:
        made = Path(place, f"{path.stem[:80]}.wav")
        io.write(made, samples, rate_hz)
        return str(save_file_to_cache(made, get_upload_folder()))
