"""How quickly the page answers a labeller's keys, in a real headless Chromium.

`PYTHONPATH=. python benchmarks/label_keys.py [N_KEYS]` labels clips of two seconds by keys alone
and prints the time from a key to the next sound playing, beside the same sound fetched only when
it is wanted; how soon 1,000 clips open and 10,000 are listed; and what page and app take of memory.
CHROMIUM names the browser.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

from audioclf.annotation import project
from audioclf.audio import io
from tests.browsing import FLAGS
from tests.conftest import ROOT, free_port

PACE_S = 0.6  # between keys: a quick labeller
WATCH = """
window.answers = []; let pressed = 0;
document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  const from = pressed;
  const heard = () => window.answers.push(performance.now() - from);
  this.addEventListener('playing', heard, { once: true });
  return play.apply(this, arguments);
};
"""
ALONE = """async () => {
  const { api } = (await window.audioclf).annotationQueue().project;
  const found = [];
  for (let i = 0; i < 30; i++) {
    const name = String(i).padStart(5, '0') + '.wav';
    const from = performance.now();
    const place = { file: name, start_s: null, end_s: null };
    const player = new Audio((await api.prepareClip(place)).audioUrl);
    const heard = new Promise((done) => player.addEventListener('playing', done, { once: true }));
    player.play();
    await heard;
    found.push(performance.now() - from);
    player.pause();
  }
  return found;
}"""


def main(n_keys: int) -> None:
    """One run: a folder of clips, the app, the browser."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        os.environ["AUDIOCLF_DATA"], os.environ["AUDIOCLF_CACHE"] = str(home / "d"), str(home / "c")
        folder = clips(home / "clips", 1_000)
        many = home / "many"
        many.mkdir()
        for number in range(10_000):
            os.link(folder / f"{number % 1_000:05}.wav", many / f"{number:05}.wav")
        for name, sounds in (("thousand", folder), ("ten thousand", many)):
            project.scan_files(project.create(name, sounds))
        port = free_port()
        command = [sys.executable, "app.py", "--local", "--port", str(port)]
        app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            with sync_playwright() as playwright:
                path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
                browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.add_init_script(WATCH)
                page.set_default_timeout(120_000)
                wait(f"http://127.0.0.1:{port}")
                page.goto(f"http://127.0.0.1:{port}")
                measure(page, app.pid, n_keys)
                browser.close()
        finally:
            app.terminate()
            app.wait()


def clips(folder: Path, n_clips: int) -> Path:
    """Two seconds each of tones, noises and clicks."""
    folder.mkdir()
    rng, times = np.random.default_rng(0), np.arange(44_100) / 22_050
    for number in range(n_clips):
        tone = np.sin(2 * np.pi * (200 + number) * times)
        samples = [tone, rng.normal(0, 0.3, len(times)), np.sign(np.sin(8 * tone))][number % 3]
        io.write(folder / f"{number:05}.wav", (0.3 * samples).astype(np.float32), 22_050)
    return folder


def measure(page: Page, app: int, n_keys: int) -> None:
    """Open, press keys, look at memory, list."""
    page.wait_for_selector("#sound input[type=file]", state="attached")
    page.get_by_role("tab", name="Label", exact=True).click()
    page.locator("#label-set:visible").wait_for()
    opened = open_set(page, "thousand")
    print(f"1,000 clips: open after {opened:.2f} s")
    page.evaluate(
        "async () => (await window.audioclf).annotationQueue()"
        ".project.addClasses(['one', 'two', 'three'])"
    )
    page.wait_for_function(
        "async () => (await window.audioclf).annotationQueue()"
        ".project.state.status.embedding.isReady",
        timeout=300_000,
    )
    page.keyboard.press("Escape")  # out of the field for the first class
    memory = page.context.new_cdp_session(page)
    start = heap_mb(memory), rss_mb(app)
    page.evaluate("() => { window.answers.length = 0; }")
    for number in range(n_keys):
        page.keyboard.press(str(number % 3 + 1))
        time.sleep(PACE_S)
        if number in (n_keys // 2, n_keys - 1):
            print(
                f"after {number + 1} keys: page {heap_mb(memory):.0f} MB, app {rss_mb(app):.0f} MB"
            )
    print(f"before: page {start[0]:.0f} MB, app {start[1]:.0f} MB")
    answers = page.evaluate("() => window.answers")
    tell("key to the next sound playing", answers)
    tell("fetched only when it is wanted", page.evaluate(ALONE))
    opened = open_set(page, "ten thousand")
    print(f"10,000 candidates: open after {opened:.2f} s")
    started = time.perf_counter()
    page.get_by_role("button", name="All clips").click()
    page.locator(".ac-soundrow").nth(49).wait_for()
    print(f"their list after {time.perf_counter() - started:.2f} s")


def open_set(page: Page, name: str) -> float:
    """Seconds from choosing a set to its first sound on the page."""
    time.sleep(2)  # the list is not made anew any more
    page.locator("#label-set input").click()
    started = time.perf_counter()
    page.get_by_role("option", name=name, exact=True).click()
    page.wait_for_function(
        "() => document.querySelector('.ac-desk .ac-lanes canvas')"
        f" && document.querySelector('.ac-desk [data-set]').dataset.set === '{name}'"
    )
    return time.perf_counter() - started


def tell(what: str, times_ms: list[float]) -> None:
    """Median and 95th percentile."""
    worst = float(np.percentile(times_ms, 95))
    print(f"{what}: median {statistics.median(times_ms):.0f} ms, 95 % within {worst:.0f} ms "
          f"({len(times_ms)} sounds)")  # fmt: skip


def heap_mb(session: CDPSession) -> float:
    """What the page's scripts hold, after their rubbish was collected."""
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def rss_mb(process: int) -> float:
    """What the app takes of memory."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1e3
    return 0.0


def wait(url: str) -> None:
    """Until the page is served."""
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.3)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
