"""Fine-tune in a real browser: add sounds, check, train, follow, reload, cancel, resume, use."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from audioclf.audio import io
from audioclf.models import checkpoint
from tests import sounds
from tests.browsing import on_a_phone, upload_and_predict
from tests.conftest import serve, visit

pytestmark = pytest.mark.browser
START = "separable_cnn-mel"
LONG_MS = 120_000


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks that ship, in a folder that new ones may be put into."""
    folder = tmp_path_factory.mktemp("networks")
    for name in (START, "mlp-summary"):
        shutil.copytree(checkpoint.find(name).folder, folder / name)
    return folder


@pytest.fixture(scope="module")
def public_url(networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as anybody may visit it."""
    cache = tmp_path_factory.mktemp("cache")
    with serve(AUDIOCLF_CHECKPOINTS=str(networks), AUDIOCLF_CACHE=str(cache)) as url:
        yield url


@pytest.fixture(scope="module")
def own_url(networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page on one's own machine."""
    cache = tmp_path_factory.mktemp("cache")
    own = networks.parent / "own networks"
    shutil.copytree(networks, own)
    settings = {"AUDIOCLF_CHECKPOINTS": str(own), "AUDIOCLF_CACHE": str(cache)}
    with serve(**settings, AUDIOCLF_LOCAL="1") as url:
        yield url


@pytest.fixture(scope="module")
def archive(three_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ZIP of three classes of made sounds."""
    path = tmp_path_factory.mktemp("zips") / "three & sounds.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for clip in sorted(three_sounds.glob("*/*.wav")):
            zipped.write(clip, f"folder/{clip.parent.name}/{clip.name}")
    return path


def open_fine_tune(page: Page) -> None:
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    expect(page.locator("#teach-begin")).to_be_visible()


def bring(page: Page, path: Path) -> None:
    page.locator("#teach-zip input[type=file]").set_input_files(str(path))


def choose(page: Page, field: str, words: str) -> None:
    page.locator(f"{field} input").click()
    page.get_by_role("option", name=words).first.click()


def status_line(page: Page) -> Locator:
    return page.locator("#teach-told")


def begin(page: Page, path: Path, start: str, kind: str | None = None) -> None:
    """Bring a ZIP, choose what learns, and start."""
    open_fine_tune(page)
    bring(page, path)
    expect(page.locator("#teach-report")).to_contain_text("Ready for training")
    if kind:
        page.locator("#teach-kind").get_by_text(kind).click()
    choose(page, "#teach-start", start)
    expect(page.locator("#teach-name input, #teach-name textarea")).not_to_have_value("")
    expect(page.locator("#teach-estimate")).to_contain_text("This takes about")
    page.locator("#teach-begin").click()


def test_the_whole_way_from_a_zip_to_a_network_that_predicts_its_new_classes(
    browser: Browser, public_url: str, archive: Path, tmp_path: Path
) -> None:
    with visit(browser, public_url) as page:
        begin(page, archive, START)
        report = page.locator("#teach-report")
        expect(report).to_contain_text("24 clips of 3 classes")
        expect(report).to_contain_text("no clip is on both sides")
        expect(page.locator("#teach-classes")).to_contain_text("noise")
        expect(status_line(page)).to_contain_text("is finished", timeout=LONG_MS)
        expect(page.locator("#teach-outcome")).to_contain_text("6 of 6 clips right")
        expect(page.locator("#teach-confusion img")).to_be_visible()
        expect(page.locator("#teach-misjudged")).to_contain_text("All 6 held-out clips")
        page.locator("#teach-clips").get_by_text("noise/").first.click()
        expect(page.locator("#teach-player audio").first).to_be_attached()
        take_away(page, tmp_path / "taken.zip")
        page.locator("#teach-hub button").first.click()
        page.locator("#teach-push").click()
        expect(page.locator("#teach-pushed")).to_contain_text("is no repository")

        page.locator("#teach-use").click()
        excluded = tmp_path / "unheard.wav"
        io.write(excluded, 0.4 * sounds.noise(3, seed=99), sounds.RATE_HZ)
        upload_and_predict(page, excluded)
        expect(page.locator("#answer .ac-sentence")).to_contain_text("Noise")
        assert "three-sounds-separable_cnn" in page.locator("#network input").input_value()

    with visit(browser, public_url) as other:  # somebody else sees nothing of it
        other.locator("#network input").click()
        expect(other.get_by_role("option", name=START)).to_be_visible()
        assert other.get_by_role("option", name="three-sounds").count() == 0
        open_fine_tune(other)
        expect(status_line(other)).to_contain_text("There is no training")
        expect(other.locator("#teach-outcome")).to_be_hidden()


def take_away(page: Page, path: Path) -> None:
    """Make the ZIP, download it, and look into it."""
    page.locator("#teach-take button").first.click()
    page.locator("#teach-make").click()
    expect(page.locator("#teach-made")).to_contain_text(".zip", timeout=LONG_MS)
    with page.expect_download() as download:
        page.locator("#teach-download").click()
    download.value.save_as(path)
    with zipfile.ZipFile(path) as exported:
        by_name = {Path(name).name: name for name in exported.namelist()}
        parts = {"model.keras", "model.onnx", "card.json", "predict.py", "requirements.txt"}
        assert parts | {"README.md"} <= set(by_name)
        assert json.loads(exported.read(by_name["card.json"]))["classes"] == [
            "clicks",
            "noise",
            "sine",
        ]


def test_a_training_is_followed_reloaded_cancelled_resumed_and_published(
    browser: Browser, own_url: str, archive: Path
) -> None:
    with visit(browser, own_url) as page:
        open_fine_tune(page)
        page.get_by_text("More settings").click()
        page.locator("#teach-kind").get_by_text("Fine-tune all layers").click()
        expect(page.locator("#teach-epochs input")).to_be_visible()
        page.wait_for_timeout(500)  # the usual number of epochs arrives with the field
        page.locator("#teach-epochs input").fill("900")
        page.locator("#teach-variation").get_by_text("None").click()
        bring(page, archive)
        expect(page.locator("#teach-report")).to_contain_text("Ready for training")
        choose(page, "#teach-start", START)
        page.locator("#teach-name input, #teach-name textarea").fill("followed")
        page.locator("#teach-begin").click()
        expect(status_line(page)).to_contain_text("of 900", timeout=LONG_MS)
        expect(status_line(page)).to_contain_text("left")
        curve = page.locator("#teach-loss").locator("svg, canvas").first
        expect(curve).to_be_visible()
        before = curve.screenshot()
        page.wait_for_timeout(3_000)
        assert curve.screenshot() != before  # it moves

        page.reload()
        page.wait_for_selector("#sound input[type=file]", state="attached")
        open_fine_tune(page)
        expect(status_line(page)).to_contain_text("of 900", timeout=LONG_MS)
        assert "followed" in page.locator("#teach-trainings input").input_value()
        page.locator("#teach-cancel").click()
        expect(status_line(page)).to_contain_text("it was cancelled; epoch")
        page.locator("#teach-resume").click()
        expect(status_line(page)).to_contain_text("of 900", timeout=LONG_MS)
        page.locator("#teach-cancel").click()
        expect(status_line(page)).to_contain_text("it was cancelled")
        page.locator("#teach-publish").click()
        expect(status_line(page)).to_contain_text("is finished", timeout=LONG_MS)
        expect(page.locator("#teach-measured")).to_contain_text("clips right")
        page.get_by_role("tab", name="Models", exact=True).click()
        expect(page.locator("#networks")).to_contain_text("followed")
        page.get_by_role("tab", name="Classify", exact=True).click()
        page.locator("#network input").click()
        expect(page.get_by_role("option", name="followed")).to_be_visible()


def test_what_is_in_the_way_is_told_and_can_be_left_out(
    browser: Browser, public_url: str, three_sounds: Path, tmp_path: Path
) -> None:
    path = tmp_path / "faults.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for clip in sorted(three_sounds.glob("*/*.wav")):
            zipped.write(clip, f"{clip.parent.name}/{clip.name}")
        zipped.writestr("noise/broken.wav", b"RIFF no sound at all")
        zipped.write(three_sounds / "noise" / "1.wav", "noise/copy.wav")
        zipped.write(three_sounds / "noise" / "2.wav", "sine/also.wav")
        zipped.write(three_sounds / "noise" / "3.wav", "lonely/1.wav")
        zipped.writestr("nested/inner/notes.txt", b"by the way")
    with visit(browser, public_url) as page:
        open_fine_tune(page)
        bring(page, path)
        report = page.locator("#teach-report")
        expect(report).to_contain_text("Not ready for training")
        expect(report).to_contain_text("broken.wav")
        expect(report).to_contain_text("The same recording stands under several classes")
        page.locator("#teach-begin").click()
        expect(page.locator("#teach-refused")).to_contain_text("see the errors under 2")
        page.locator("#teach-selection button").first.click()
        expect(page.locator("#teach-ignored")).to_contain_text("nested/inner/notes.txt")
        page.locator("#teach-ticked").get_by_label("lonely (1)").uncheck()
        expect(report).not_to_contain_text("lonely")
        page.locator("#teach-leave-out input").check()
        expect(report).to_contain_text("Ready for training")
        expect(report).to_contain_text("23 clips of 3 classes")
        page.locator("#teach-chosen input[type=checkbox]").nth(1).uncheck()  # the first: all
        expect(report).to_contain_text("22 clips of 3 classes")
        page.locator("#teach-begin").click()
        expect(status_line(page)).to_contain_text("is finished", timeout=LONG_MS)


def test_archives_that_would_do_harm_are_refused_with_a_sentence(
    browser: Browser, public_url: str, tmp_path: Path
) -> None:
    outside, no_zip, empty = (tmp_path / f"{name}.zip" for name in ("outside", "text", "empty"))
    with zipfile.ZipFile(outside, "w") as zipped:
        zipped.writestr("../outside/1.wav", b"RIFF")
    no_zip.write_bytes(b"no archive")
    with zipfile.ZipFile(empty, "w") as zipped:
        zipped.writestr("readme.txt", b"nothing")
    with visit(browser, public_url) as page:
        open_fine_tune(page)
        message = page.locator("#teach-said")
        for path, words in (
            (outside, "would lie elsewhere"),
            (no_zip, "no ZIP"),
            (empty, "fewer than two classes"),
        ):
            bring(page, path)
            expect(message).to_contain_text(words)
            page.locator(
                "#teach-zip button[aria-label=Clear], #teach-zip [title=Clear]"
            ).first.click()
        expect(page.locator("#teach-report")).to_contain_text("Add audio")


def upload_class(page: Page, folder: Path) -> None:
    """Bring the files of one class."""
    clips = sorted(map(str, folder.glob("*.wav")))
    page.locator("#teach-files input[type=file]").set_input_files(clips)
    expect(page.locator("#teach-files tr")).to_have_count(len(clips))
    page.locator("#teach-class input, #teach-class textarea").fill(folder.name)
    page.locator("#teach-add").click()
    expect(page.locator("#teach-files tr")).to_have_count(0)


def test_files_are_brought_class_by_class(
    browser: Browser, public_url: str, three_sounds: Path
) -> None:
    with visit(browser, public_url) as page:
        open_fine_tune(page)
        page.get_by_role("tab", name="Files", exact=True).click()
        message = page.locator("#teach-said")
        for name, typed in (("noise", "<img src=x onerror=alert(1)>"), ("sine", "")):
            clips = sorted((three_sounds / name).glob("*.wav"))
            page.locator("#teach-files input[type=file]").set_input_files(list(map(str, clips)))
            expect(page.locator("#teach-files tr")).to_have_count(len(clips))
            field = page.locator("#teach-class input, #teach-class textarea")
            field.fill(typed)
            page.locator("#teach-add").click()
            expect(message).to_contain_text("choose one" if typed else "Type the class")
            field.fill(name)
            page.locator("#teach-add").click()
            expect(message).to_contain_text(f"8 files added as {name}")
            expect(page.locator("#teach-files tr")).to_have_count(0)
        expect(page.locator("#teach-report")).to_contain_text("16 clips of 2 classes")
        page.locator("#teach-over").click()
        expect(page.locator("#teach-report")).to_contain_text("Add audio")
        upload_class(page, three_sounds / "noise")
        expect(page.locator("#teach-report")).to_contain_text("(noise, 8 clips): add another")
        upload_class(page, three_sounds / "sine")
        expect(page.locator("#teach-report")).to_contain_text("16 clips of 2 classes")
        page.reload()  # what was brought is found again
        page.wait_for_selector("#sound input[type=file]", state="attached")
        open_fine_tune(page)
        expect(page.locator("#teach-report")).to_contain_text("16 clips of 2 classes")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fine_tune_fits_a_phone(browser: Browser, own_url: str, theme: str) -> None:
    with on_a_phone(browser, own_url, theme) as phone:
        open_fine_tune(phone)
        phone.wait_for_timeout(1_500)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
