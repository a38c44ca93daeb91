"""The segments of the Split view as files: their times for other programs, and the clips."""

import csv
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from audioclf.audio import excerpt, silence
from audioclf.datasets.formats import audacity, raven
from audioclf.datasets.formats.base import Interval
from audioclf.ui.page.state import QUEUED, VIEWS, Sound, show_errors, temporary_file

TABLES = (("CSV", "csv"), ("Audacity labels", "txt"), ("Raven table", "selections.txt"))
MAX_CLIPS = 2_000  # in a ZIP; more is a sign of a threshold that is too low
# The file is offered as soon as Gradio has put its address behind the button.
DOWNLOAD = "() => setTimeout(() => document.querySelector('#split-zip-file')?.click(), 200)"


class Exports(NamedTuple):
    """The components: a button per table, that of the ZIP, and what holds the file for it."""

    tables: list[Any]
    archive: gr.Button
    archive_file: gr.DownloadButton


def find_segments(
    sound: Sound, top_db: float, min_length_s: float, min_gap_s: float
) -> list[Interval]:
    """The segments as numbered intervals in seconds. Raises ValueError."""
    settings = silence.Split(top_db, min_length_s, min_gap_s)
    segments = silence.split_blocks(sound.blocks(), sound.rate_hz, settings)
    return [
        Interval(float(start_s), float(end_s), f"segment {number}")
        for number, (start_s, end_s) in enumerate(segments, 1)
    ]


@show_errors(lambda sentence: [gr.DownloadButton(value=None)] * len(TABLES))
def write_segments(
    sound: str | None, top_db: float, min_length_s: float, min_gap_s: float
) -> list[Any]:
    """The times of all segments as CSV, Audacity's label track and Raven's selection table."""
    segments = find_segments(Sound(sound), top_db, min_length_s, min_gap_s) if sound else []
    if not sound or not segments:
        return [gr.DownloadButton(value=None, interactive=False)] * len(TABLES)
    nyquist_hz = Sound(sound).rate_hz / 2
    texts = (_csv(segments), audacity.track(segments), raven.table(segments, nyquist_hz))
    stem = Path(sound).stem[:80]
    return [
        gr.DownloadButton(value=temporary_file(f"{stem}.segments.{ending}", text), interactive=True)
        for text, (_, ending) in zip(texts, TABLES, strict=True)
    ]


@show_errors(lambda sentence: (None, sentence))
def pack_segments(
    sound: str | None, top_db: float, min_length_s: float, min_gap_s: float
) -> tuple[str | None, Any]:
    """A ZIP with a FLAC file per segment, as the original in rate and channels, and their times."""
    if sound is None:
        return None, ""
    segments = find_segments(Sound(sound), top_db, min_length_s, min_gap_s)
    if not segments:
        raise ValueError("There is no segment to pack: raise the threshold in dB.")
    if len(segments) > MAX_CLIPS:
        raise ValueError(
            f"These are {len(segments)} segments, and at most {MAX_CLIPS} are packed: "
            "lengthen the shortest one, or bridge longer gaps."
        )
    stem = Path(sound).stem[:80]
    with tempfile.TemporaryDirectory() as folder:
        path, clip = Path(folder, f"{stem}.segments.zip"), Path(folder, "clip.flac")
        with zipfile.ZipFile(path, "w") as archive:  # FLAC is compressed already
            archive.writestr("segments.csv", _csv(segments))
            for number, (start_s, end_s, _) in enumerate(segments, 1):
                excerpt.cut(Path(sound), clip, start_s, end_s)
                archive.write(clip, f"{stem} {number:04d} {start_s:.2f}-{end_s:.2f} s.flac")
        return save_file_to_cache(path, get_upload_folder()), gr.skip()


def _csv(segments: list[Interval]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["segment", "start_s", "end_s", "length_s"])
    for number, (start_s, end_s, _) in enumerate(segments, 1):
        writer.writerow([number, *(f"{s:.4f}" for s in (start_s, end_s, end_s - start_s))])
    return text.getvalue()


def build() -> Exports:
    """A row of buttons."""
    with gr.Row():
        archive = gr.Button("Segments as ZIP", size="sm", min_width=120, elem_id="split-zip")
        tables: list[Any] = [
            gr.DownloadButton(
                f"Segments as {label}",
                size="sm",
                min_width=120,
                interactive=False,
                elem_id=f"split-table-{number}",
            )
            for number, (label, _) in enumerate(TABLES)
        ]
        archive_file = gr.DownloadButton("ZIP", visible="hidden", elem_id="split-zip-file")
    return Exports(tables, archive, archive_file)


def wire(exports: Exports, inputs: list[Any], message: gr.Markdown) -> None:
    """Clips are packed when the ZIP is asked for, and downloaded at once."""
    exports.archive.click(
        pack_segments, inputs, [exports.archive_file, message], **QUEUED, **VIEWS
    ).success(None, None, None, js=DOWNLOAD, **QUEUED)
