"""Fine-tune, results: the evaluation of the new model, misclassified clips, and its export."""

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
from audioclf.jobs.job import Job
from audioclf.jobs.records import JobResult, JobState
from audioclf.storage import hf_hub
from audioclf.text import escape_markdown
from audioclf.ui.models.details import model_results
from audioclf.ui.page.limits import limits
from audioclf.ui.page.model_lists import use_model
from audioclf.ui.page.state import find_model, show_errors
from audioclf.ui.page.tables import filled

CLIPS = (
    ("Clip", "{}"),
    ("True class", "{}"),
    ("Predicted", "{}"),
    ("Confidence (%)", "{:.0f}"),
    ("P(true class) (%)", "{:.0f}"),
)
FORMATS = [("TensorFlow SavedModel", "saved_model"), ("LiteRT", "litert")]
MAX_EXPORT_S = 300
FAILED = "The export failed: its process ended without a message."


@show_errors(lambda sentence: (gr.Column(visible=False), None, None, sentence, None, None, ""))
def show_results(job_id: str | None) -> tuple[Any, ...]:
    """Confusion matrix, table per class, misclassified clips, and the comparison with the base.

    Without held-out clips, a sentence says so.
    """
    job = _done(job_id)
    if job is None:
        return gr.Column(visible=False), None, None, "", None, None, ""
    result = job.read_result()
    figure, per_class, evaluation = model_results(result.checkpoint)
    rows = [
        [
            clip.relative_path,
            clip.true_class,
            clip.predicted_class,
            100 * clip.probability,
            100 * clip.true_class_probability,
        ]
        for clip in result.clips
    ]
    wrong = sum(not clip.is_correct for clip in result.clips)
    text = _format_errors(len(rows), wrong)
    table = gr.update(value=filled(CLIPS, rows), visible=bool(rows))
    shown = (
        gr.update(value=figure, visible=bool(rows)),
        gr.update(value=per_class, visible=bool(rows)),
        gr.update(value=evaluation, visible=bool(rows)),
    )
    return gr.Column(visible=True), *shown, text, table, _compare_with_base(result)


def play_clip(job_id: str | None, event: gr.SelectData) -> Any:
    """Play the clip of the chosen row."""
    job = _done(job_id)
    clips = job.read_result().clips if job else ()
    clip = next((one for one in clips if one.relative_path == event.row_value[0]), None)
    return gr.Audio(value=_cached(Path(clip.path))) if clip else gr.skip()


def use_new_model(job_id: str | None, session: Any) -> tuple[Any, Any]:
    """Choose the new model in Classify, and open that tab."""
    job = _done(job_id)
    return use_model(job.read_result().checkpoint if job else None, session)


def show_progress() -> tuple[Any, str]:
    """Show at once that the export has begun."""
    return gr.DownloadButton(visible=False), "Exporting and checking: 10 to 30 s…"


def show_upload_progress() -> str:
    """Show at once that the upload has begun."""
    return "Exporting and uploading: half a minute or more…"


@show_errors(lambda sentence: (gr.DownloadButton(visible=False), sentence))
def export_model(job_id: str | None, formats: list[str] | None) -> tuple[Any, str]:
    """Export the new model as a ZIP, with further formats where requested."""
    job = _require_done(job_id)
    with tempfile.TemporaryDirectory() as temporary:
        archive = _export(job, Path(temporary, f"{job.read_result().checkpoint}.zip"), formats)
        path = save_file_to_cache(archive, get_upload_folder())
        text = f"{archive.name}: {archive.stat().st_size / 1e6:.1f} MB."
    return gr.DownloadButton(value=path, visible=True), text


@show_errors(lambda sentence: sentence)
def push_model(job_id: str | None, repo: str, token: str, is_public: bool) -> str:
    """Push the new model to the Hugging Face Hub, with the visitor's token."""
    job = _require_done(job_id)
    hf_hub.check(repo, token)
    with tempfile.TemporaryDirectory() as temporary:
        folder = _export(job, Path(temporary, job.read_result().checkpoint), ())
        return f"Uploaded: {hf_hub.push(folder, repo, token, private=not is_public)}"


def _export(job: Job, output: Path, formats: Any) -> Path:
    """In a child process: this one never imports TensorFlow. Raises ValueError."""
    supported = {name for _, name in FORMATS}
    options = [f"--format={name}" for name in formats or () if name in supported]
    folder = str(find_model(job.read_result().checkpoint).folder)
    command = [sys.executable, "-W", "ignore", "-m", "audioclf", "export", "--checkpoint", folder]
    try:
        child = subprocess.run(
            [*command, "--output", os.fspath(output), *options],
            capture_output=True,
            text=True,
            timeout=MAX_EXPORT_S,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    except subprocess.TimeoutExpired:
        raise ValueError("The export took too long and was ended: choose fewer formats.") from None
    if child.returncode:
        lines = child.stderr.strip().splitlines()[-1:] or [FAILED]
        is_expected = lines[0].startswith("audioclf: ")
        raise ValueError(lines[0].removeprefix("audioclf: ") if is_expected else FAILED)
    return output


def _done(job_id: Any) -> Job | None:
    try:
        job = queue.find(job_id) if isinstance(job_id, str) else None
    except ValueError:
        return None
    return (
        job
        if job and job.read_status().state == JobState.DONE and job.read_result().checkpoint
        else None
    )


def _require_done(job_id: Any) -> Job:
    job = _done(job_id)
    if job is None:
        raise ValueError("This training has no model yet: wait until it is finished.")
    return job


def _format_errors(n_clips: int, n_wrong: int) -> str:
    if not n_clips:
        return "No clips were held out, so the model is not evaluated."
    if not n_wrong:
        return f"All {n_clips} held-out clips are classified correctly. Choose a row to play it."
    return (
        f"{n_wrong} of {n_clips} held-out clips are misclassified; they come first. "
        "Choose a row to play it."
    )


def _compare_with_base(result: JobResult) -> str:
    """A sentence on the accuracy of the base model, on the classes that both have."""
    comparison = result.comparison
    if not comparison:
        return ""
    base = escape_markdown(comparison.base_model)
    return (
        f"On the {comparison.n_clips} of these clips whose classes {base} has too, its accuracy "
        f"is {100 * comparison.before:.0f} % (among {comparison.n_classes} classes); "
        f"the new model has {100 * comparison.after:.0f} %."
    )


def _cached(path: Path) -> str | None:
    """A clip as a WAV that browsers play."""
    try:
        samples, rate_hz = io.load(path, limits=limits().sound)
    except ValueError:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        wav = Path(temporary, f"{path.stem[:80]}.wav")
        io.write(wav, samples, rate_hz)
        return str(save_file_to_cache(wav, get_upload_folder()))
