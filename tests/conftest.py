"""What tests share: the real data where it is, a network trained on made sounds, the page."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from audioclf.audio import io
from audioclf.models.checkpoint import Checkpoint
from tests import made, sounds
from tests.browsing import FLAGS, new_visitor

ROOT = Path(__file__).parent.parent
# What is logged of answers that tests provoke: an error status, a file that is no sound, an upload
# that another one replaces.
EXPECTED = (
    "Failed to load resource", "Waveform load error", "AbortError",
)  # fmt: skip
ESC10 = ROOT.parent / "shared" / "datasets" / "esc10"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or writes the user's cache, or what the user made."""
    folder = tmp_path_factory.mktemp("cache")
    patch = pytest.MonkeyPatch()
    patch.setenv("AUDIOCLF_CACHE", str(folder))
    patch.setenv("AUDIOCLF_DATA", str(tmp_path_factory.mktemp("data_home")))
    yield folder
    patch.undo()


@pytest.fixture(scope="session")
def esc10() -> Path:
    """Real recordings, which are no part of the project."""
    if not ESC10.is_dir():
        pytest.skip("the real ESC-10 clips are not beside this checkout")
    return ESC10


@pytest.fixture(scope="session")
def three_sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per class of made clips: sine, noise and clicks, eight each."""
    folder = tmp_path_factory.mktemp("data") / "three_sounds"
    makers = {
        "sine": lambda i: sounds.sine(300.0 + 150 * i, 3.5),
        "noise": lambda i: sounds.noise(3.5, seed=i),
        "clicks": lambda i: sounds.clicks(3.5, every_s=0.2 + 0.05 * i),
    }
    for name, make in makers.items():
        (folder / name).mkdir(parents=True)
        for i in range(8):
            io.write(folder / name / f"{i}.wav", 0.5 * make(i), sounds.RATE_HZ)
    return folder


@pytest.fixture(scope="session")
def trained_model(three_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A network that was really trained, on made sounds, measured on a fold it never saw."""
    from audioclf.training import pipeline  # with Keras: ten seconds that most tests need not wait
    from audioclf.training.config import Hyperparameters, TrainingConfig

    work = TrainingConfig(
        folder=three_sounds,
        architecture="separable_cnn",
        name="three_sounds",
        output_dir=tmp_path_factory.mktemp("checkpoints"),
        folds=(1, 2, 3, 4),
        attribution="Made by a program.",
        settings=Hyperparameters(epochs=30, batch_size=4),
    )
    return pipeline.train_and_evaluate(
        work, lambda stage, report: None, lambda words, things: things
    )


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(**settings: str) -> Iterator[str]:
    """The page as a Space serves it: `python app.py`, a process of its own; its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {k: v for k, v in os.environ.items() if k != "AUDIOCLF_LOCAL"} | settings
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment
    )
    try:
        for _ in range(240):
            if process.poll() is not None:
                raise RuntimeError(f"app.py ended with status {process.returncode}")
            try:
                urllib.request.urlopen(url, timeout=2).read()
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """The page with the networks that ship."""
    with serve() as url:
        yield url


@pytest.fixture(scope="session")
def made_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network of every kind that a table of networks can meet."""
    return made.checkpoints(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="session")
def made_url(made_checkpoints: Path) -> Iterator[str]:
    """The page with these networks."""
    with serve(AUDIOCLF_CHECKPOINTS=str(made_checkpoints)) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).is_file():
        pytest.skip("no Chromium: `make test` finds or installs one")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@contextmanager
def visit(browser: Browser, url: str) -> Iterator[Page]:
    """A fresh visit; an error of a script or in the console, or a trace, fails the test."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            errors.append(message.text)

    with new_visitor(browser, url) as opened:
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", note)
        opened.goto(url)
        opened.wait_for_selector("#sound input[type=file]", state="attached")
        yield opened
        assert errors == []
        assert "Traceback" not in opened.content()


@pytest.fixture
def page(browser: Browser, page_url: str) -> Iterator[Page]:
    """A fresh visit to the page with the networks that ship."""
    with visit(browser, page_url) as opened:
        yield opened


@pytest.fixture
def made_page(browser: Browser, made_url: str) -> Iterator[Page]:
    """A fresh visit to the page with made networks."""
    with visit(browser, made_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def made_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds: noise, a pause, a tone."""
    path = tmp_path_factory.mktemp("made") / "noise then tone.wav"
    parts = [0.3 * sounds.noise(4, seed=1), sounds.silence(2), 0.3 * sounds.sine(880, 4)]
    io.write(path, np.concatenate(parts), sounds.RATE_HZ)
    return path
