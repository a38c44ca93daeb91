"""Take the pictures of README.md and docs/ from the page as it is.

`CHROMIUM=/usr/bin/chromium python scripts/make_screenshots.py [classify label fine-tune models]`
starts the page in a temporary folder of its own, with sounds that a program made, and uses it as a
person does. Pictures go to docs/images/. Nothing of the user's is read or changed.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
EXAMPLES = ROOT / "audioclf" / "ui" / "assets" / "examples"
MODELS = ("cnn_attention-mel", "separable_cnn-mel", "mlp-summary")  # the best is chosen at first
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
         "--autoplay-policy=no-user-gesture-required"]  # fmt: skip
PATIENCE_MS = 120_000
WIDTH = 1280

# What the page calls its parts.
TABS = {"label": "Label", "fine-tune": "Fine-tune", "models": "Models"}
SOUND = "#sound input[type=file]"
ANSWER, SPECTROGRAM, WINDOWS = "#answer .ac-bar", "#lane-spectrogram img", "#lane-windows canvas"
SET_NAME, SET_FOLDER, SET_BEGIN = "#label-name", "#label-folder", "#label-begin"
DESK, CLASS_FIELD, CURRENT = ".ac-desk", ".ac-desk input[list]", ".ac-desk .ac-where .ac-soundname"
SUGGESTION, CLASSES = ".ac-desk .ac-accept", ".ac-desk .ac-classes"
ZIP, CHECK, KIND, FROM_SCRATCH = "#teach-zip", "#teach-report", "#teach-kind", "From scratch"
ARCHITECTURE, NAME, BEGIN = "#teach-architecture", "#teach-name", "#teach-begin"
ESTIMATE, STATUS, EPOCH = "#teach-estimate", "#teach-told", re.compile(r"epoch [2-9]\d of")
CANCEL = "#teach-cancel"
TABLE = "#networks"


def classify(page: Page, folder: Path) -> None:
    """A recording of three sounds, one after the other."""
    path = folder / "garden.wav"
    parts = [cut(name, 5.0, 0) for name in ("rain", "clock", "chainsaw")]
    soundfile.write(path, np.concatenate(parts), rate_hz())
    page.set_viewport_size({"width": WIDTH, "height": 1080})
    page.locator(SOUND).set_input_files(path)
    for part in (ANSWER, SPECTROGRAM, WINDOWS):
        expect(page.locator(part).first).to_be_visible()
    page.locator(WINDOWS).first.click(position={"x": 300, "y": 20})
    page.wait_for_timeout(1_000)
    page.locator("body").click(position={"x": 5, "y": 5})


def label(page: Page, folder: Path) -> None:
    """A data set of two dozen clips, half of them labelled, and a suggestion."""
    names = ("chainsaw", "clock", "rain", "siren")
    write_clips(folder / "clips", names, 6, nested=False)
    page.set_viewport_size({"width": WIDTH, "height": 960})
    page.get_by_role("tab", name=TABS["label"], exact=True).click()
    fill(page, SET_NAME, "field trip")
    fill(page, SET_FOLDER, str(folder / "clips"))
    page.locator(SET_BEGIN).click()
    expect(page.locator(f"{DESK} canvas").first).to_be_visible()
    field = page.locator(CLASS_FIELD)
    if not field.is_visible():
        page.keyboard.press("n")
    field.fill(", ".join(names))
    page.keyboard.press("Shift+Enter")
    expect(field).to_be_hidden()
    expect(page.locator(f'{CLASSES} [title="{names[-1]}"]')).to_be_visible()
    page.wait_for_timeout(1_000)
    for _ in range(13):
        before = page.locator(CURRENT).first.text_content() or ""
        number = next(i for i, name in enumerate(names, 1) if before.startswith(name))
        page.keyboard.press(str(number))
        expect(page.locator(CURRENT).first).not_to_have_text(before)
        page.wait_for_timeout(800)
    expect(page.locator(SUGGESTION)).to_be_visible()
    page.wait_for_timeout(1_000)
    page.evaluate("scrollTo(0, 0)")


def fine_tune(page: Page, folder: Path) -> None:
    """A training from scratch, some epochs after its start."""
    names = ("chainsaw", "clock", "rain", "siren")
    write_clips(folder / "yard", names, 14, nested=True)
    path = folder / "yard.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for clip in sorted((folder / "yard").glob("*/*.wav")):
            archive.write(clip, f"{clip.parent.name}/{clip.name}")
    page.set_viewport_size({"width": WIDTH, "height": 1290})
    page.get_by_role("tab", name=TABS["fine-tune"], exact=True).click()
    page.locator(f"{ZIP} input[type=file]").set_input_files(path)
    expect(page.locator(CHECK)).to_contain_text("56 clips of 4 classes")
    page.locator(KIND).get_by_text(FROM_SCRATCH).click()
    page.locator(f"{ARCHITECTURE} input").click()
    page.get_by_role("option", name=re.compile("^separable_cnn")).first.click()
    expect(page.locator(f"{NAME} input, {NAME} textarea")).not_to_have_value("")
    expect(page.locator(ESTIMATE)).to_contain_text(re.compile(r"\d"))
    page.locator(BEGIN).click()
    expect(page.locator(STATUS)).to_contain_text(EPOCH)
    page.locator(CHECK).evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 60)")
    page.wait_for_timeout(1_500)


def models(page: Page, folder: Path) -> None:
    """The table of models, with latencies that were measured on this machine."""
    page.set_viewport_size({"width": WIDTH, "height": 1080})
    page.get_by_role("tab", name=TABS["models"], exact=True).click()
    expect(page.locator(TABLE)).to_contain_text(MODELS[0])
    page.wait_for_timeout(8_000)


SCENES = {"classify": classify, "label": label, "fine-tune": fine_tune, "models": models}


def rate_hz() -> int:
    """The examples' sample rate."""
    return int(soundfile.info(EXAMPLES / "rain.ogg").samplerate)


def cut(name: str, seconds: float, seed: int) -> np.ndarray:
    """A part of an example, from another place and as loud as the seed says, (samples,)."""
    samples, rate = soundfile.read(EXAMPLES / f"{name}.ogg", dtype="float32", always_2d=True)
    rng = np.random.default_rng([seed, len(name)])
    first = int(rng.integers(0, max(1, len(samples) - round(seconds * rate))))
    part = samples[first : first + round(seconds * rate)].mean(axis=1)
    return part * rng.uniform(0.3, 1.0)


def write_clips(folder: Path, names: tuple[str, ...], n_clips: int, *, nested: bool) -> None:
    """Four-second clips of the examples, in a folder per class or side by side."""
    for name in names:
        target = folder / name if nested else folder
        target.mkdir(parents=True, exist_ok=True)
        for number in range(n_clips):
            soundfile.write(target / f"{name}_{number}.wav", cut(name, 4.0, number), rate_hz())


def fill(page: Page, field: str, text: str) -> None:
    """Type into a text field."""
    page.locator(f"{field} input, {field} textarea").first.fill(text)


@contextmanager
def page_server(folder: Path) -> Iterator[str]:
    """The page in local mode, with everything that it keeps in that folder; its address."""
    for name in MODELS:
        shutil.copytree(ROOT / "checkpoints" / name, folder / "checkpoints" / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {f"AUDIOCLF_{name.upper()}": str(folder / name)
              for name in ("checkpoints", "cache", "data", "jobs")}  # fmt: skip
    command = [sys.executable, "app.py", "--local", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **places})
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(url, timeout=2).read()
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def main(names: list[str]) -> None:
    """Take the pictures of that name, or all."""
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        with page_server(folder) as url:
            for name in names or SCENES:
                page = browser.new_page(viewport={"width": WIDTH, "height": 960}, locale="en-GB")
                page.set_default_timeout(PATIENCE_MS)
                page.goto(f"{url}/?__theme=light")
                page.wait_for_selector(SOUND, state="attached")
                page.wait_for_timeout(1_500)
                SCENES[name](page, folder)
                page.screenshot(path=PICTURES / f"{name}.png")
                print(f"docs/images/{name}.png")
                if name == "fine-tune":
                    page.locator(CANCEL).click()
                    page.wait_for_timeout(4_000)
                page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
