"""What tests share: the real data where it is, a network trained on made sounds, the page."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from audioclf import audio
from audioclf.checkpoint import Checkpoint
from tests import sounds

ROOT = Path(__file__).parent.parent
ESC10 = ROOT.parent / "shared" / "datasets" / "esc10"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or writes the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("AUDIOCLF_CACHE")
    os.environ["AUDIOCLF_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AUDIOCLF_CACHE"]
    else:
        os.environ["AUDIOCLF_CACHE"] = before


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
            audio.write(folder / name / f"{i}.wav", 0.5 * make(i), sounds.RATE_HZ)
    return folder


@pytest.fixture(scope="session")
def taught(three_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A network that was really trained, on made sounds, measured on a fold it never saw."""
    from audioclf import lesson  # with Keras: ten seconds that most tests need not wait
    from audioclf.train import Settings

    work = lesson.Lesson(
        folder=three_sounds,
        architecture="separable_cnn",
        name="three_sounds",
        out=tmp_path_factory.mktemp("checkpoints"),
        folds=(1, 2, 3, 4),
        credit="Made by a program.",
        settings=Settings(epochs=30, batch_size=4),
    )
    return lesson.teach(work, lambda stage, report: None, lambda words, things: things)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """The page as a Space serves it: `python app.py`, a process of its own."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {k: v for k, v in os.environ.items() if k != "AUDIOCLF_LOCAL"}
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
