"""Classify in a real browser: what is unfamiliar, why it answers so, keys, fingers, an hour."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from audioclf.audio import io
from audioclf.models import checkpoint
from tests import made, sounds
from tests.browser.test_page import DROP
from tests.browsing import n_inked, upload_and_predict
from tests.conftest import serve, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def local_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page on one's own machine: a network with attention, and one that knows noise alone."""
    folder = tmp_path_factory.mktemp("models")
    attention = checkpoint.find("cnn_attention-mel")
    shutil.copytree(attention.folder, folder / attention.name)
    made.familiar_with_noise(folder)
    with serve(AUDIOCLF_CHECKPOINTS=str(folder), AUDIOCLF_LOCAL="1") as url:
        yield url


@pytest.fixture
def local_page(browser: Browser, local_url: str) -> Iterator[Page]:
    with visit(browser, local_url) as opened:
        yield opened


def choose(page: Page, name: str) -> None:
    page.locator("#network input").click()
    page.get_by_role("option", name=name).click()


def test_a_sound_unlike_the_training_clips_is_answered_so(local_page: Page, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    io.write(path, sounds.sine(880, 8), sounds.RATE_HZ)
    choose(local_page, "noise_only")
    upload_and_predict(local_page, path)
    answer = local_page.locator("#answer")
    expect(answer.locator(".ac-sentence")).to_contain_text("Unlike anything this model was")
    expect(answer.locator(".ac-unfamiliar")).to_contain_text("nearest: ")
    windows = local_page.locator("#lane-windows")
    expect(windows.locator(".ac-legend")).to_contain_text("unfamiliar")
    expect(windows.locator(".ac-panel .ac-warning")).to_contain_text("only the nearest")
    assert "certain" not in local_page.inner_text("#results")
    knows = answer.locator(".ac-knows")
    expect(knows.locator(".ac-all")).to_be_hidden()
    knows.locator("summary").focus()
    local_page.keyboard.press("Enter")
    expect(knows.locator(".ac-all")).to_be_visible()
    expect(knows.locator(".ac-all")).to_contain_text("baby cry, chainsaw")


def test_an_answer_is_explained_over_the_spectrogram_until_another_sound(
    local_page: Page, made_wav: Path, tmp_path: Path
) -> None:
    choose(local_page, "cnn_attention-mel")
    upload_and_predict(local_page, made_wav)
    local_page.locator("#lane-windows .ac-explain").click()
    explained, overlay = local_page.locator("#explanation"), local_page.locator(".ac-why canvas")
    expect(explained).to_contain_text("Why ")
    expect(explained).to_contain_text("attention")
    expect(overlay).to_have_count(2)
    assert n_inked(local_page, ".ac-why canvas") > 10
    explained.get_by_role("button", name="Hide the explanation").click()
    expect(overlay).to_have_count(0)
    local_page.locator("#lane-windows").get_by_role("button", name="Select").click()
    local_page.locator("#lane-timeline").get_by_role("button", name="Explain").click()
    expect(overlay).to_have_count(2)
    other = tmp_path / "other.wav"
    io.write(other, sounds.noise(4), sounds.RATE_HZ)
    local_page.evaluate(
        DROP, ["#sound button", other.name, base64.b64encode(other.read_bytes()).decode()]
    )
    expect(local_page.locator("#lane-waveform .ac-xaxis")).to_contain_text("4 s")
    expect(overlay).to_have_count(0)
