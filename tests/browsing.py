"""What tests of the page do in the browser again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&
  e.getBoundingClientRect().right > innerWidth + 2 && getComputedStyle(e).position !== 'fixed')
  .map(e => e.tagName + '.' + e.className)"""


@contextmanager
def on_a_phone(browser: Browser, url: str, theme: str) -> Iterator[Page]:
    """A fresh visit on a phone, in one theme."""
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(f"{url}/?__theme={theme}")
    phone.wait_for_selector("#sound input[type=file]", state="attached")
    yield phone
    phone.close()


def upload(page: Page, path: Path) -> None:
    page.locator("#sound input[type=file]").set_input_files(str(path))


def hear(page: Page, path: Path) -> None:
    """Upload, and wait until the answer and all lanes are there."""
    upload(page, path)
    expect(page.locator("#answer .ac-sentence")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#lane-spectrogram img")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#lane-windows canvas")).to_be_visible(timeout=PATIENCE_MS)


def n_inked(page: Page, selector: str) -> int:
    """Painted pixels of a canvas."""
    script = """c => new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height)
      .data.buffer).filter(p => p).length"""
    return int(page.locator(selector).first.evaluate(script))
