"""What tests of the page do in the browser again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

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
STORED = "cookies,local_storage,indexeddb,cache_storage,service_workers"
expect.set_options(timeout=PATIENCE_MS)
TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&
  e.getBoundingClientRect().right > innerWidth + 2 && getComputedStyle(e).position !== 'fixed')
  .map(e => e.tagName + '.' + e.className)"""


DESKTOP, PHONE = (1440, 900), (390, 844)
_unused: dict[str, list[BrowserContext]] = {}  # by address


@contextmanager
def new_visitor(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Iterator[Page]:
    """An empty page of a visitor who was never here.

    The context is one that an earlier visit left, without what it stored: the page's scripts are
    loaded and compiled once, not in every test.
    """
    contexts = _unused.setdefault(url, [])
    context = contexts.pop() if contexts else browser.new_context(locale="en-GB")
    opened = context.new_page()
    opened.set_viewport_size({"width": size[0], "height": size[1]})
    opened.set_default_timeout(PATIENCE_MS)
    parts = urlsplit(url)
    stored = {"origin": f"{parts.scheme}://{parts.netloc}", "storageTypes": STORED}
    context.new_cdp_session(opened).send("Storage.clearDataForOrigin", stored)
    try:
        yield opened
    finally:
        opened.close()
        contexts.append(context)


@contextmanager
def on_a_phone(browser: Browser, url: str, theme: str) -> Iterator[Page]:
    """A fresh visit on a phone, in one theme."""
    with new_visitor(browser, url, PHONE) as phone:
        phone.goto(f"{url}/?__theme={theme}")
        phone.wait_for_selector("#sound input[type=file]", state="attached")
        yield phone


def upload(page: Page, path: Path) -> None:
    page.locator("#sound input[type=file]").set_input_files(str(path))


def upload_and_predict(page: Page, path: Path) -> None:
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
