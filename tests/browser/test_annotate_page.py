"""Label in a real browser: thirty clips by keys alone, regions, every format, and on to Teach."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from audioclf.annotation import database, event_log, project
from audioclf.audio import io
from audioclf.datasets.formats.base import Label
from audioclf.datasets.formats.registry import FORMATS
from audioclf.models import checkpoint
from tests import sounds
from tests.browsing import TOO_WIDE, on_a_phone
from tests.conftest import ROOT, free_port, serve, visit

pytestmark = pytest.mark.browser
BACKBONE = "separable_cnn-mel"
KINDS = ("sine", "noise", "clicks")
LONG_MS = 90_000


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    shutil.copytree(checkpoint.find(BACKBONE).folder, folder / BACKBONE)
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people's")


@pytest.fixture(scope="module")
def own_url(
    networks: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page on one's own machine."""
    cache = str(tmp_path_factory.mktemp("cache"))
    with serve(
        AUDIOCLF_CHECKPOINTS=str(networks), AUDIOCLF_CACHE=cache, AUDIOCLF_DATA=str(data_dir),
        AUDIOCLF_LOCAL="1",
    ) as url:  # fmt: skip
        yield url


@pytest.fixture(autouse=True)
def same_home(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests see the sets that the page makes."""
    monkeypatch.setenv("AUDIOCLF_DATA", str(data_dir))


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten sines, noises and clicks of a second each, and a file that is none."""
    root = tmp_path_factory.mktemp("thirty")
    for i in range(10):
        io.write(root / f"sine{i}.wav", sounds.sine(300 + 80 * i, 1.0), sounds.RATE_HZ)
        io.write(root / f"noise{i}.wav", sounds.noise(1.0, seed=i), sounds.RATE_HZ)
        io.write(
            root / f"clicks{i}.wav", sounds.clicks(1.0, every_s=0.1 + 0.02 * i), sounds.RATE_HZ
        )
    (root / "broken.wav").write_bytes(b"RIFFnothing")
    return root


@pytest.fixture(scope="module")
def long_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute and a half: noise, a pause, a tone."""
    root = tmp_path_factory.mktemp("long")
    parts = [sounds.noise(40, seed=1), sounds.silence(10), sounds.sine(880, 40)]
    io.write(root / "long.wav", np.concatenate(parts), sounds.RATE_HZ)
    return root


@pytest.fixture
def page(browser: Browser, own_url: str) -> Iterator[Page]:
    with visit(browser, own_url) as opened:
        open_label(opened)
        yield opened


def open_label(page: Page) -> None:
    page.get_by_role("tab", name="Label", exact=True).click()
    # Where there are sets they are listed, where there are none one is made.
    expect(page.locator("#label-set:visible, #label-begin:visible").first).to_be_visible()


def make(page: Page, name: str, folder: Path) -> None:
    """A data set of a folder's sounds, as somebody types it."""
    if not page.locator("#label-begin").is_visible():
        page.locator("#label-make button").first.click()
    page.locator("#label-name input, #label-name textarea").fill(name)
    page.locator("#label-folder input, #label-folder textarea").fill(str(folder))
    page.wait_for_timeout(300)  # a page that has just loaded may set its fields anew
    field = page.locator("#label-name input, #label-name textarea")
    if field.input_value() != name:
        field.fill(name)
    page.locator("#label-begin").click()
    expect(page.locator("#label-said")).to_contain_text(f"“{name}” has")
    expect(page.locator(f'.ac-desk [data-set="{name}"] .ac-lanes canvas')).to_be_visible()


def add_classes(page: Page, names: str) -> None:
    field = page.locator(".ac-desk input[list]")
    if not field.is_visible():
        page.keyboard.press("n")
    field.fill(names)
    page.keyboard.press("Shift+Enter")
    expect(field).to_be_hidden()
    last = names.split(",")[-1].strip()
    expect(page.locator(f'.ac-desk .ac-classes [title="{last}"]')).to_be_visible()


def shown(page: Page) -> str:
    return page.locator(".ac-desk .ac-where .ac-soundname").first.text_content() or ""


def label(page: Page) -> str:
    """Press the key of the sound that is there; which it was, when the next one has come."""
    before = shown(page)
    page.keyboard.press(str(1 + [before.startswith(kind) for kind in KINDS].index(True)))
    return before


def wait_for_other(page: Page, before: str) -> None:
    where = page.locator(".ac-desk .ac-where .ac-soundname").first
    end = page.locator(".ac-desk .ac-sentence")
    expect(
        where.filter(has_text=re.compile(r"\w"), has_not_text=before).or_(
            end.filter(has_text="That is all")
        )
    ).to_be_visible()


def wait_for_clip(page: Page) -> None:
    """A key is meant for the clip that is shown: nothing is, while the next one is loaded."""
    where = page.locator(".ac-desk .ac-where .ac-soundname").first
    expect(where.filter(has_text=re.compile(r"\w"))).to_be_visible()


def box_of(shown: Locator) -> FloatRect:
    """Where something is drawn, once it stays: a canvas may be drawn anew just after it appears."""
    for _ in range(50):
        expect(shown).to_be_visible(timeout=LONG_MS)
        if box := shown.bounding_box():
            return box
        shown.page.wait_for_timeout(100)
    raise AssertionError("it is never drawn")


def progress(page: Page, words: str) -> None:
    expect(page.locator(".ac-desk .ac-progress")).to_contain_text(words)


def test_thirty_clips_by_keys_alone(page: Page, thirty: Path) -> None:
    make(page, "thirty", thirty)
    expect(page.locator(".ac-desk details.ac-rest").first).to_contain_text(
        "1 file cannot be decoded"
    )
    expect(page.locator(".ac-desk input[list]")).to_be_focused()  # the first thing to do
    add_classes(page, "sine, noise")
    progress(page, "0 of 30 labelled")
    for _ in range(3):
        before = shown(page)
        while before.startswith("clicks"):  # not known yet
            page.keyboard.press("s")
            wait_for_other(page, before)
            before = shown(page)
        wait_for_other(page, label(page))
    progress(page, "3 of 30 labelled")
    while not shown(page).startswith("clicks"):
        wait_for_other(page, label(page))
    before = shown(page)
    page.keyboard.press("n")  # a class that is new, for this sound
    page.keyboard.type("clicks")
    page.keyboard.press("Enter")
    wait_for_other(page, before)
    expect(page.locator(".ac-desk .ac-classes")).to_contain_text("clicks1")
    n_said = int(page.locator(".ac-desk .ac-progress").text_content().split()[0])
    wait_for_labels("thirty", n_said)
    last = label(page)
    wait_for_other(page, last)
    page.keyboard.press("u")
    expect(page.locator(".ac-desk .ac-where .ac-soundname").first).to_have_text(last)
    progress(page, f"{n_said} of 30 labelled")

    page.reload()
    page.wait_for_selector("#sound input[type=file]", state="attached")
    open_label(page)
    progress(page, f"{n_said} of 30 labelled")
    for key in ("a", "l"):  # quiet, and no loop: the rest is quick
        page.keyboard.press(key)
    for _ in range(30 - n_said):
        wait_for_other(page, label(page))
    expect(page.locator(".ac-desk .ac-sentence")).to_contain_text("That is all: 30 of 30")
    labels = project.find("thirty").labels()
    assert len(labels) == 30 and all(one.file.startswith(one.name) for one in labels)


def test_suggestions_come_and_are_accepted_as_such(page: Page, thirty: Path) -> None:
    make(page, "suggested", thirty)
    add_classes(page, "sine, noise, clicks")
    for _ in range(8):
        wait_for_other(page, label(page))
    accept = page.locator(".ac-desk .ac-accept")
    expect(accept).to_be_visible(timeout=LONG_MS)
    before = shown(page)
    wait_for_labels("suggested", 8)
    page.keyboard.press("Enter")
    wait_for_other(page, before)
    progress(page, "9 of 30 labelled")
    wait_for_labels("suggested", 9)
    with database.connect(project.find("suggested").store) as db:
        last = event_log.current(db)[-1]
    assert last.accepted and last.suggested and last.accepted[0] == "your labels"
    expect(
        page.locator(".ac-desk p.ac-note", has_text="Suggestions were right for")
    ).to_be_visible()

    page.keyboard.press("f")
    rows = page.locator(".ac-desk .ac-soundrow")
    expect(rows.first).to_be_visible()
    n_ticked = page.locator(".ac-desk .ac-soundrow input:checked").count()
    page.get_by_role("button", name="Label the ticked ones").click()
    progress(page, f"{9 + n_ticked} of 30 labelled")

    page.get_by_role("button", name="Map", exact=True).click()
    plot = page.locator(".ac-desk .ac-map canvas")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    accept_button = page.get_by_role("button", name="Label it")
    for x in range(8, int(box["width"]), 40):
        for y in range(8, int(box["height"]), 40):
            if accept_button.is_visible():
                break
            page.mouse.click(box["x"] + x, box["y"] + y)
    expect(accept_button).to_be_visible()


def test_regions_are_drawn_resized_named_and_removed(page: Page, long_one: Path) -> None:
    make(page, "long", long_one)
    add_classes(page, "noise, tone")
    page.keyboard.press("e")
    wave = page.locator(".ac-desk .ac-wave canvas").first
    expect(wave).to_be_visible(timeout=LONG_MS)
    box = box_of(wave)
    second, middle = box["width"] / 30, box["y"] + box["height"] / 2

    def drag(from_s: float, to_s: float) -> None:
        page.mouse.move(box["x"] + from_s * second, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + to_s * second, middle, steps=12)
        page.mouse.up()

    drag(5, 10)
    row = page.locator(".ac-desk .ac-view .ac-soundrow")
    expect(row).to_contain_text("noise")
    page.keyboard.press("2")
    expect(row).to_contain_text("tone")
    drag(9.95, 15)  # its right end
    expect(row).to_contain_text("to 15.")
    for _ in range(100):  # drawn, named, resized: until the last of them is there
        one = wait_for_labels("long", 1)[0]
        if one.end_s and one.end_s > 14:
            break
        time.sleep(0.1)
    assert one.name == "tone" and one.start_s == pytest.approx(5, abs=0.2)
    assert one.end_s == pytest.approx(15, abs=0.3)
    samples = (one.start_s or 0) * sounds.RATE_HZ
    assert samples == pytest.approx(round(samples), abs=1e-6)

    page.keyboard.press("PageDown")
    expect(page.locator(".ac-desk .ac-view:visible .ac-xaxis span").first).to_have_text("30")
    drag(2, 4)
    wait_for_labels("long", 2)
    expect(row).to_have_count(2)
    page.keyboard.press("Delete")
    expect(row).to_have_count(1)
    page.keyboard.press("u")
    expect(row).to_have_count(2)
    assert {one.name for one in wait_for_labels("long", 2)} == {"tone"}


def wait_for_labels(name: str, n_labels: int) -> list[Label]:
    for _ in range(100):
        if len(labels := project.find(name).labels()) == n_labels:
            return labels
        time.sleep(0.1)
    raise AssertionError(f"{len(labels)} labels, and not {n_labels}")


def test_every_format_is_exported_and_the_set_goes_to_fine_tune(
    page: Page, thirty: Path, tmp_path: Path
) -> None:
    make(page, "given", thirty)
    add_classes(page, "sine, noise, clicks")
    page.locator(".ac-desk select[aria-label=Order]").select_option("filed")
    for _ in range(30):
        wait_for_other(page, label(page))
    page.locator("#label-export button").first.click()
    for name, form in FORMATS.items():
        page.locator("#label-form input").click()
        page.get_by_role("option", name=form.title, exact=True).click()
        page.locator("#label-make-zip").click()
        expect(page.locator("#label-exported")).to_contain_text(f"30 labels, as {form.title}")
        with page.expect_download() as download:
            page.locator("#label-download").click()
        path = tmp_path / f"{name}.zip"
        download.value.save_as(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            assert sum(one.endswith(".wav") for one in names) == 30 and archive.testzip() is None
            assert any(one.endswith("README.md") for one in names)
    page.locator("#label-teach").click()
    expect(page.locator("#teach-report")).to_contain_text("given", timeout=LONG_MS)
    expect(page.locator("#teach-report")).to_contain_text("30 clips of 3 classes", timeout=LONG_MS)


def test_two_tabs_label_at_once(browser: Browser, own_url: str, thirty: Path) -> None:
    with visit(browser, own_url) as first, visit(browser, own_url) as second:
        open_label(first)
        make(first, "both", thirty)
        add_classes(first, "sine, noise, clicks")
        open_label(second)
        second.locator("#label-set input").click()
        second.get_by_role("option", name="both").click()
        expect(second.locator('.ac-desk [data-set="both"]')).to_be_visible()
        progress(second, "of 30 labelled")
        for _ in range(6):
            wait_for_other(first, last := label(first))
            wait_for_other(second, label(second))
        wait_for_labels("both", 12)
        first.keyboard.press("u")  # its own last word, and not that of the other window
        assert len(wait_for_labels("both", 11)) == 11
        with database.connect(project.find("both").store) as db:
            events = event_log.history(db)
        (undone,) = [undoes for _, undoes in events if undoes]
        assert next(mark.file for mark, _ in events if mark.number == undone) == last


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=document.title='pwned'>", "${document.title='pwned'}", "=HYPERLINK(1)",
     "../x", "🐸 frog", "ضفدع", "x" * 100],
)  # fmt: skip
def test_classes_are_only_words(page: Page, thirty: Path, name: str) -> None:
    title = f"words {abs(hash(name)) % 10**6}"
    make(page, title, thirty)
    add_classes(page, name)
    before = shown(page)
    page.keyboard.press("1")
    wait_for_other(page, before)
    button = page.locator(".ac-desk .ac-classes .ac-name").first
    assert button.text_content() == name
    assert page.title() != "pwned" and page.locator(".ac-desk img[src=x]").count() == 0
    assert [one.name for one in wait_for_labels(title, 1)] == [name]
    page.get_by_role("button", name="All clips").click()
    expect(page.locator(".ac-desk .ac-soundrow .ac-said").first).to_be_visible()
    assert page.evaluate(TOO_WIDE) == []


def test_keys_work_wherever_the_focus_is_but_in_a_text_field(page: Page, thirty: Path) -> None:
    make(page, "focus", thirty)
    add_classes(page, "sine, noise, clicks")
    page.get_by_role("tab", name="Label", exact=True).focus()
    wait_for_other(page, label(page))
    progress(page, "1 of 30")
    page.locator("#label-make button").first.click()
    page.locator("#label-name input, #label-name textarea").fill("")
    page.keyboard.type("1u2b")
    progress(page, "1 of 30")
    assert page.locator("#label-name input, #label-name textarea").input_value() == "1u2b"
    wait_for_clip(page)
    page.get_by_role("button", name="Not sure (0)").click()
    progress(page, "1 not sure")
    wait_for_clip(page)
    page.keyboard.press("b")
    progress(page, "1 bad audio")
    wait_for_clip(page)
    page.keyboard.press("m")  # several classes
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    progress(page, "4 of 30")
    names = [one.name for one in wait_for_labels("focus", 3)]
    assert names[1:] == ["sine", "clicks"]
    page.keyboard.press("m")


def test_what_was_said_survives_a_kill_of_the_app(
    browser: Browser, networks: Path, thirty: Path, tmp_path: Path
) -> None:
    port, data = free_port(), tmp_path / "data"
    environment = {
        **os.environ, "AUDIOCLF_LOCAL": "1", "AUDIOCLF_CHECKPOINTS": str(networks),
        "AUDIOCLF_CACHE": str(tmp_path / "cache"), "AUDIOCLF_DATA": str(data),
    }  # fmt: skip
    start = [sys.executable, "app.py", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    app = subprocess.Popen(start, cwd=ROOT, env=environment)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        wait_until_served(url)
        page.goto(url)
        page.wait_for_selector("#sound input[type=file]", state="attached")
        open_label(page)
        make(page, "killed", thirty)
        add_classes(page, "sine, noise, clicks")
        for _ in range(3):
            wait_for_other(page, label(page))
        progress(page, "3 of 30")
        app.send_signal(signal.SIGKILL)
        app.wait()
        label(page)  # nobody hears it
        expect(page.locator(".ac-desk .ac-unsaved")).to_contain_text("Not saved yet")
        app = subprocess.Popen(start, cwd=ROOT, env=environment)
        wait_until_served(url)
        page.reload()
        page.wait_for_selector("#sound input[type=file]", state="attached")
        open_label(page)
        progress(page, "4 of 30")
    finally:
        app.kill()
        app.wait()
        page.close()


def wait_until_served(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the page is not served")


def test_a_visitor_sees_own_sets_only_and_brings_uploads(
    browser: Browser, networks: Path, thirty: Path, tmp_path: Path
) -> None:
    cache, data = str(tmp_path / "cache"), str(tmp_path / "data")
    with (
        serve(AUDIOCLF_CHECKPOINTS=str(networks), AUDIOCLF_CACHE=cache, AUDIOCLF_DATA=data) as url,
        visit(browser, url) as page,
    ):
        open_label(page)
        assert not page.locator("#label-folder").is_visible()
        files = [str(thirty / name) for name in ("sine0.wav", "noise0.wav", "broken.wav")]
        page.locator("#label-files input[type=file]").set_input_files(files)
        expect(page.locator("#label-files")).to_contain_text("noise0")
        page.locator("#label-begin").click()
        expect(page.locator("#label-said")).to_contain_text("3 files")
        add_classes(page, "sine, noise")
        wait_for_other(page, label(page))
        progress(page, "1 of 2 labelled")
        stranger = browser.new_context()
        other = stranger.new_page()
        other.goto(url)
        other.wait_for_selector("#sound input[type=file]", state="attached")
        open_label(other)
        expect(other.locator("#label-begin")).to_be_visible()
        assert not other.locator("#label-set").is_visible()
        other.locator("#label-examples").click()
        progress(other, "0 of ")
        stranger.close()


def test_on_a_phone_nothing_sticks_out(browser: Browser, own_url: str, thirty: Path) -> None:
    for theme in ("light", "dark"):
        with on_a_phone(browser, own_url, theme) as phone:
            open_label(phone)
            make(phone, f"phone {theme}", thirty)
            add_classes(phone, "sine, noise, a class with a rather long name, " + "y" * 90)
            for name in ("One by one", "All clips", "Regions"):
                phone.get_by_role("button", name=name, exact=True).click()
                phone.wait_for_timeout(500)
                assert phone.evaluate(TOO_WIDE) == []
