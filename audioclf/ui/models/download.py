"""Get YAMNet: the button that fetches a network which is not part of the project."""

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

WANTED = "AUDIOCLF_DOWNLOAD"  # names what is fetched when the page starts, on a Space
MAX_BUILD_S = 600
EVERY_S = 0.3
MB = 1e6
OFFER = (
    "**YAMNet** hears 521 kinds of sounds: speech, music, animals, kettles, cars. Its weights are "
    "Google's and not part of this project: {mb:.1f} MB from {host}, licence {licence}. Networks "
    "that were taught on what it hears, such as `yamnet-esc10`, need it too."
)
HERE = "YAMNet is here: it is the first choice in Classify."
READING = "Fetched. Reading its weights, and comparing what is made of them: about half a minute…"
FAILED = "YAMNet was read, but is not where it should be: try “audioclf download yamnet” instead."


class _Counted:
    """How far a download is, as it is told by the one who downloads."""

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


class _Fetching:
    """One fetch in a thread of its own, which any number of visitors may follow, or leave."""

    def __init__(self, wanted: Source) -> None:
        self.wanted = wanted
        self.pluralize = _Counted()
        self.is_read = False
        self.said: str | None = None  # when it is over
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            path = download.download(self.wanted, self.pluralize)
            self.is_read = True
            _publish(path)
            self.said = HERE if download.find(self.wanted) is not None else FAILED
        except ValueError as error:
            self.said = str(error)
        except Exception:  # whatever it is, visitors must not wait for ever
            logging.getLogger("audioclf").exception("YAMNet could not be fetched")
            self.said = "YAMNet could not be fetched: try “audioclf download yamnet” instead."

    def sentence(self) -> str:
        """How far it is."""
        if self.said is not None or self.is_read:
            return self.said or READING
        n_bytes = self.wanted.n_bytes
        return f"Fetching: {min(self.pluralize.n, n_bytes) / MB:.1f} of {n_bytes / MB:.1f} MB"


_running: _Fetching | None = None  # the last one
_one_at_a_time = threading.Lock()


def get_yamnet() -> Iterator[str]:
    """Fetch, read, compare and publish YAMNet; how far it is, sentence by sentence."""
    global _running
    if download.find(YAMNET) is not None:
        yield HERE
        return
    with _one_at_a_time:
        if _running is None or _running.said is not None:
            _running = _Fetching(YAMNET)
        followed = _running
    while followed.said is None:
        yield followed.sentence()
        followed.thread.join(EVERY_S)
    yield followed.sentence()


def fetch_at_start() -> None:
    """What the environment names is fetched while the page is already served; the log tells how."""
    if os.environ.get(WANTED, "").lower() != "yamnet":
        return
    for sentence in get_yamnet():
        if not sentence.startswith("Fetching"):
            logging.getLogger("audioclf").warning(sentence)


def _publish(path: Path) -> None:
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
        raise ValueError("Reading the weights took too long and was ended: try again.") from None
    if child.returncode == 2:
        raise ValueError(child.stderr.strip().splitlines()[-1].removeprefix("audioclf: "))
    if child.returncode:
        why = " (it was killed: is there enough memory?)" if child.returncode < 0 else ""
        raise ValueError(
            f"Reading the weights failed{why}: try “audioclf download yamnet” instead."
        )


def _offer() -> str:
    host = YAMNET.urls[0].split("/")[2]
    return OFFER.format(mb=YAMNET.n_bytes / MB, host=host, licence=YAMNET.licence)


def is_missing() -> bool:
    """Whether there is something to offer."""
    return download.find(YAMNET) is None


def show_offer() -> Any:
    """The offer, while it is not here."""
    return gr.Row(visible=is_missing())


def build() -> tuple[gr.Row, gr.Markdown, Any]:
    """The row with its button, the line that tells how far it is, and the event when it is over."""
    with gr.Row(visible=is_missing(), equal_height=True, elem_id="offer") as row:
        with gr.Column(scale=5, min_width=300):
            gr.Markdown(_offer())
        with gr.Column(scale=1, min_width=160):
            button = gr.Button("Get YAMNet", elem_id="get-yamnet")
    told = gr.Markdown(elem_id="fetched")
    finished = button.click(get_yamnet, None, told, show_progress="hidden", concurrency_limit=2)
    return row, told, finished
