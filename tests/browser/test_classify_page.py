"""Classify in a real browser: what is unfamiliar, why it answers so, keys, fingers, an hour."""

import base64
import os
import re
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


AT = "+getComputedStyle(document.documentElement).getPropertyValue('--audioclf-at')"


def test_the_whole_page_is_used_by_keyboard_alone(local_page: Page) -> None:
    press = local_page.keyboard.press
    choose(local_page, "cnn_attention-mel")
    local_page.get_by_role("button", name="siren").focus()
    press("Enter")
    windows = local_page.locator("#lane-windows .ac-plot")
    expect(windows).to_be_visible()
    expect(local_page.locator("#views")).to_contain_text("Events from")
    windows.focus()
    press("ArrowRight")
    expect(windows).to_have_attribute("aria-valuenow", "2")
    waveform = local_page.locator("#lane-waveform .ac-plot")
    waveform.focus()
    press("[")
    press(" ")
    local_page.wait_for_function(f"() => {AT} > 0.1")
    press(" ")
    press("]")
    selected = local_page.locator("#lane-timeline .ac-tools .ac-when")
    expect(selected).to_contain_text("0.00 to ")
    press("+")
    expect(local_page.locator("#lane-timeline .ac-scroll")).not_to_have_attribute(
        "aria-valuetext", re.compile("^0.00 to [4-9]")
    )
    press("0")
    tools = local_page.locator("#lane-timeline .ac-tools")
    tools.get_by_role("button", name="Predict").focus()
    press("Enter")
    expect(local_page.locator("#segment-answer")).to_contain_text("alone: ")
    local_page.locator("#views").get_by_role("tab", name="Export").focus()
    press("Enter")
    local_page.locator("#export-kind").get_by_role("radio", name="Windows").focus()
    press(" ")
    expect(local_page.locator("#views")).to_contain_text("Every window")
    expect(local_page.locator("#download-0")).to_be_enabled()


def test_fingers_zoom_and_a_selection_is_looped_and_sent_to_label(
    local_page: Page, made_wav: Path
) -> None:
    upload_and_predict(local_page, made_wav)
    plot = local_page.locator("#lane-waveform .ac-plot")
    box = plot.bounding_box()
    assert box is not None
    tools = local_page.context.new_cdp_session(local_page)
    tools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    middle, y = box["x"] + box["width"] / 2, box["y"] + 30

    def touch(kind: str, *offsets: float) -> None:
        points = [{"x": middle + x, "y": y, "id": n} for n, x in enumerate(offsets)]
        tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    for distance in (60, 80, 120, 160):
        touch("touchMove", -distance, distance)
    touch("touchEnd")
    scroll = local_page.locator("#lane-timeline .ac-scroll")
    expect(scroll).to_have_attribute("aria-valuetext", re.compile(r"^3\.[6-9]\d to 6\.[2-4]\d s"))
    tools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    local_page.mouse.move(box["x"] + box["width"] * 0.2, y)
    local_page.mouse.down()
    local_page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    local_page.mouse.up()
    bar = local_page.locator("#lane-timeline")
    bar.get_by_role("button", name="Loop").click()
    expect(bar.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    for _ in range(2):  # it ends before 0.51 of the sound, and begins again
        local_page.wait_for_function(f"() => {AT} > 0.47 && {AT} < 0.51")
        local_page.wait_for_function(f"() => {AT} < 0.45 && {AT} > 0.41")
    bar.get_by_role("button", name="Label").click()
    tab = local_page.locator("#tabs").get_by_role("tab", name="Label", exact=True).first
    expect(tab).to_have_attribute("aria-selected", "true")
    (clip,) = Path(os.environ["AUDIOCLF_DATA"]).rglob("*then*tone*.flac")
    assert io.read_header(clip).duration_s == pytest.approx(0.75, abs=0.15)
