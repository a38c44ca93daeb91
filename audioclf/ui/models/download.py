"""The button that downloads YAMNet, which is not part of the project."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.models import checkpoint, download
from audioclf.models.download import YAMNET, Source

DOWNLOAD_ENV = "AUDIOCLF_DOWNLOAD"  # names what is fetched when the page starts, on a Space
MAX_BUILD_S = 600
EVERY_S = 0.3
MB = 1e6
OFFER = (
    "**YAMNet** predicts 521 classes, and `yamnet-esc10` needs it: {mb:.1f} MB from {host}, "
    "licence {licence}."
)
HERE = "YAMNet is installed: it is the first choice in Classify."
READING = "Downloaded. Converting its weights and checking the result: about half a minute…"
FAILED = "YAMNet was converted but not installed: try “audioclf download yamnet” instead."


class _Progress:
    """The progress of a download."""

    def __init__(self) -> None:
        self.total: float | None = None
        self.n = 0.0

    def update(self, n: float = 1) -> None:
        """So many bytes more."""
        self.n += n

    def reset(self, total: float | None = None) -> None:
        """From 0 again."""
        self.n = 0.0

    def close(self) -> None:
        """It is over."""


class _Download:
    """A download in a thread of its own, which any number of visitors may follow."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.progress = _Progress()
        self.is_downloaded = False
        self.outcome: str | None = None  # when it is over
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            path = download.download(self.source, self.progress)
            self.is_downloaded = True
            _install(path)
            self.outcome = HERE if download.installed(self.source) is not None else FAILED
        except ValueError as error:
            self.outcome = str(error)
        except Exception:  # whatever it is, visitors must not wait for ever
            logging.getLogger("audioclf").exception("YAMNet could not be fetched")
            self.outcome = "YAMNet could not be downloaded: try “audioclf download yamnet” instead."

    def sentence(self) -> str:
        """The progress as a sentence."""
        if self.outcome is not None or self.is_downloaded:
            return self.outcome or READING
        n_bytes = self.source.n_bytes
        return f"Downloading: {min(self.progress.n, n_bytes) / MB:.1f} of {n_bytes / MB:.1f} MB"


_running: _Download | None = None  # the last one
_one_at_a_time = threading.Lock()


def download_model() -> Iterator[str]:
    """Download, convert and install YAMNet; yields its progress as sentences."""
    global _running
    if download.installed(YAMNET) is not None:
        yield HERE
        return
    with _one_at_a_time:
        if _running is None or _running.outcome is not None:
            _running = _Download(YAMNET)
        followed = _running
    while followed.outcome is None:
        yield followed.sentence()
        followed.thread.join(EVERY_S)
    yield followed.sentence()


def download_at_start() -> None:
    """Download what the environment names while the page is served; the log has the result."""
    if os.environ.get(DOWNLOAD_ENV, "").lower() != "yamnet":
        return
    for sentence in download_model():
        if not sentence.startswith("Downloading"):
            logging.getLogger("audioclf").warning(sentence)


def _install(path: Path) -> None:
    """In a child process: this one never imports TensorFlow. Raises ValueError."""
    out = os.fspath(checkpoint.home().resolve())
    command = [sys.executable, "-m", "audioclf", "download", "yamnet", "--from", os.fspath(path)]
    command += ["--output-dir", out]
    root = os.fspath(Path(__file__).parents[3])
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=MAX_BUILD_S, check=False, cwd=root
        )
    except subprocess.TimeoutExpired:
        raise ValueError("Converting the weights took too long and was ended: try again.") from None
    if child.returncode == 2:
        raise ValueError(child.stderr.strip().splitlines()[-1].removeprefix("audioclf: "))
    if child.returncode:
        why = " (it was killed: is there enough memory?)" if child.returncode < 0 else ""
        raise ValueError(
            f"Converting the weights failed{why}: try “audioclf download yamnet” instead."
        )


def _offer() -> str:
    host = YAMNET.urls[0].split("/")[2]
    return OFFER.format(mb=YAMNET.n_bytes / MB, host=host, licence=YAMNET.licence)


def is_missing() -> bool:
    """Whether there is something to offer."""
    return download.installed(YAMNET) is None


def show_offer() -> Any:
    """The offer, while it is not here."""
    return gr.Row(visible=is_missing())


def build() -> tuple[gr.Row, gr.Markdown, Any]:
    """The row with its button, the line with its progress, and the event at its end."""
    with gr.Row(visible=is_missing(), equal_height=True, elem_id="offer") as row:
        with gr.Column(scale=5, min_width=300):
            gr.Markdown(_offer())
        with gr.Column(scale=1, min_width=160):
            button = gr.Button("Download YAMNet", elem_id="get-yamnet")
    status = gr.Markdown(label="Status", elem_id="fetched")
    finished = button.click(
        download_model, None, status, show_progress="hidden", concurrency_limit=2
    )
    return row, status, finished
