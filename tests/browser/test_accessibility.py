"""What axe-core finds on the page: nothing serious on any tab, light or dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import PATIENCE_MS, new_visitor, upload_and_predict
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
QUIET = """() => ![...document.querySelectorAll('.progress-text')].some(e => e.checkVisibility())
  && !document.getAnimations().some(a => a instanceof CSSTransition)"""
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
      `${id}: ${target.join(' ')}: ${failureSummary}`));
}"""


def serious(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical, in what is seen."""
    found: list[Any] = page.evaluate(SERIOUS)
    return [str(one) for one in found]


def check_table(page: Page) -> None:
    """The models sort by accuracy at a click on the header, up and down; numbers end alike."""
    cells = page.locator('#networks [data-col="1"]')
    header = page.locator('#networks [data-heading="1"] .header')
    for is_down in (False, True):
        header.click()
        page.wait_for_function(
            """isDown => { const [a, b] = [0, 3].map(i => +document.querySelectorAll(
                 '#networks [data-col="1"]')[i].innerText); return isDown ? a > b : a < b; }""",
            arg=is_down,
        )
    words = cells.first.locator("span").first
    assert words.evaluate("e => getComputedStyle(e).textAlign") == "right"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_tab(
    browser: Browser, page_url: str, made_wav: Path, theme: str
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not in node_modules: `npm ci` installs it")
    with new_visitor(browser, page_url) as page:
        page.goto(f"{page_url}/?__theme={theme}")
        page.wait_for_selector("#sound input[type=file]", state="attached")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = {"empty page": serious(page)}
        upload_and_predict(page, made_wav)
        for view in ("Export", "Denoised", "Split", "Compare"):
            page.get_by_role("tab", name=view, exact=True).click()
            page.wait_for_timeout(300)
            if view == "Split":  # what is offered once the segments are there
                expect(page.locator("#split-table-0")).to_be_enabled(timeout=PATIENCE_MS)
            page.wait_for_function(QUIET)  # what comes and goes is faded
            found[view] = serious(page)
        for tab, shown in (
            ("Label", "#label-set"),
            ("Fine-tune", "#teach-begin"),
            ("Models", "#networks"),
        ):
            page.get_by_role("tab", name=tab, exact=True).click()
            if tab != "Label":
                expect(page.locator(shown)).to_be_visible(timeout=PATIENCE_MS)
            page.wait_for_timeout(500)
            found[tab] = serious(page)
        check_table(page)
        assert {place: what for place, what in found.items() if what} == {}
