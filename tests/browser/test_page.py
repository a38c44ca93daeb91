"""The page in a real browser: what a visitor does and sees."""

import base64
import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect

from audioclf.audio import io
from audioclf.inference.levels import measure_levels
from audioclf.models import checkpoint, ranking
from tests import sounds
from tests.browsing import PATIENCE_MS, TOO_WIDE, n_inked, on_a_phone, upload, upload_and_predict

pytestmark = pytest.mark.browser


def choose_network(page: Page, number: int) -> str:
    """Choose the checkpoint of that number in the dropdown; its name."""
    name = ranking.best_first()[number].name
    choose(page, name)
    return name


def choose(page: Page, name: str) -> None:
    page.locator("#network input").click()
    page.get_by_role("option", name=re.compile(rf"(^|\W){re.escape(name)} \(")).click()


def predict_in_six_windows(page: Page, made_wav: Path) -> None:
    """Ten seconds in windows of three."""
    choose(page, "separable_cnn-mel")
    upload_and_predict(page, made_wav)
    expect(page.locator("#lane-windows .ac-when")).to_contain_text("Window 1 of 6")


def test_an_uploaded_sound_is_drawn_and_predicted_at_once(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    sure = r"\(\d+ %\)|\(over 99 %\)|\(> 99 %\)|Not sure"
    assert re.search(sure, page.inner_text("#answer .ac-words"))
    assert page.locator("#answer .ac-bar").count() >= 5
    assert n_inked(page, "#lane-waveform canvas") > 1_000
    assert n_inked(page, "#lane-windows canvas") > 1_000
    width = page.locator("#lane-spectrogram img").evaluate("i => i.naturalWidth")
    assert width > 300
    assert "kHz" in page.inner_text("#lane-spectrogram .ac-yaxis")
    assert "10 s" in page.inner_text("#lane-waveform .ac-xaxis")
    lanes = page.locator("#lane-windows .ac-plot").bounding_box()
    assert lanes is not None and lanes["y"] + lanes["height"] < 900  # above the fold
    page.get_by_role("button", name="Spectrogram settings").click()
    page.get_by_role("button", name="Figure with axes").click()
    expect(page.locator("#figure img")).to_be_visible(timeout=PATIENCE_MS)


def test_the_lanes_share_one_time_axis(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    boxes = [
        page.locator(f"#lane-{lane} .ac-plot").bounding_box()
        for lane in ("waveform", "spectrogram", "windows")
    ]
    assert all(box is not None for box in boxes)
    assert len({(round(box["x"]), round(box["width"])) for box in boxes if box}) == 1


def test_another_network_is_asked_without_uploading_again(page: Page, made_wav: Path) -> None:
    if len(checkpoint.find_all()) < 2:
        pytest.skip("one checkpoint only")
    upload_and_predict(page, made_wav)
    before = page.inner_text("#answer")
    name = choose_network(page, 1)
    page.wait_for_function(
        "before => document.querySelector('#answer').innerText !== before", arg=before
    )
    card = next(c for c in checkpoint.find_all() if c.name == name).card
    expect(page.locator("#about")).to_contain_text(card["description"])
    assert page.locator("#lane-windows canvas").is_visible()


COUNT_LISTENERS = """() => { window.nListeners = 0; // those that are there, not those ever added
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (this instanceof HTMLMediaElement) {
      window.nListeners += 1;
      if (options?.signal) add.call(options.signal, 'abort', () => { window.nListeners -= 1; });
    }
    return add.apply(this, arguments); };
  EventTarget.prototype.removeEventListener = function () {
    if (this instanceof HTMLMediaElement) window.nListeners -= 1;
    return remove.apply(this, arguments); }; }"""


def test_a_prediction_leaves_no_listener_at_the_player(
    browser: Browser, page_url: str, made_wav: Path
) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_init_script(f"({COUNT_LISTENERS})()")
    page = context.new_page()
    page.goto(page_url)
    page.wait_for_selector("#sound input[type=file]", state="attached")
    upload_and_predict(page, made_wav)
    counts = []
    for cleaning in ("Denoised", "None", "Silences removed"):
        panel = page.locator("#lane-windows .ac-panel").element_handle()
        page.locator("#preprocessing").get_by_label(cleaning, exact=True).check()
        page.wait_for_function("panel => !panel.isConnected", arg=panel)
        expect(page.locator("#lane-windows .ac-play")).to_be_visible()
        counts.append(page.evaluate("window.nListeners"))
    assert counts[0] > 0 and len(set(counts)) == 1
    context.close()


def test_cleaning_predicts_again(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    before = page.inner_text("#lane-windows .ac-when")
    page.get_by_label("Silences removed").check()
    page.wait_for_function(
        "before => document.querySelector('#lane-windows .ac-when').innerText !== before",
        arg=before,
    )
    assert "of" in page.inner_text("#lane-windows .ac-when")


def test_a_chosen_window_shows_its_bars_and_plays_from_there(page: Page, made_wav: Path) -> None:
    predict_in_six_windows(page, made_wav)
    first = page.inner_text("#lane-windows .ac-panel .ac-bars")
    plot = page.locator("#lane-windows .ac-plot")
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * 0.97, "y": box["height"] / 2})
    assert "Window 6 of 6: 7.0" in page.inner_text("#lane-windows .ac-when")
    assert page.inner_text("#lane-windows .ac-panel .ac-bars") != first
    page.wait_for_function(
        """() => +getComputedStyle(document.documentElement)
             .getPropertyValue('--audioclf-at') > 0.72"""
    )


def test_every_window_is_reached_with_the_keyboard(page: Page, made_wav: Path) -> None:
    predict_in_six_windows(page, made_wav)
    plot = page.locator("#lane-windows .ac-plot")
    plot.focus()
    seen = []
    for _ in range(6):
        seen.append(plot.get_attribute("aria-valuenow"))
        page.keyboard.press("ArrowRight")
    assert seen == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(("button", "ending"), [(0, "csv"), (1, "json"), (2, "txt")])
def test_the_prediction_is_taken_away_as_a_table(
    page: Page, made_wav: Path, tmp_path: Path, button: int, ending: str
) -> None:
    predict_in_six_windows(page, made_wav)
    page.locator("#export-kind").get_by_label("Windows").check()
    expect(page.locator("#views")).to_contain_text("Every window", timeout=PATIENCE_MS)
    with page.expect_download() as started:
        page.locator(f"#download-{button}").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    assert path.name.endswith(f".{ending}")
    text = path.read_text(encoding="utf-8")
    if ending == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert [float(row["start_s"]) for row in rows][:2] == pytest.approx([0, 1.486], abs=0.01)
        assert len(rows) == 6
    elif ending == "json":
        assert len(json.loads(text)["windows"]) == 6
    else:
        assert [line.count("\t") for line in text.splitlines()] == [2] * 6


def test_trimmed_ends_are_drawn_as_trimmed_and_segments_are_taken_away(
    page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "quiet ends.wav"
    parts = [sounds.silence(1.5), 0.3 * sounds.noise(5, seed=1), sounds.silence(2)]
    io.write(path, np.concatenate(parts), sounds.RATE_HZ)
    choose(page, "separable_cnn-mel")
    upload_and_predict(page, path)
    page.get_by_role("tab", name="Split").click()
    for lane in ("#lane-windows", "#lane-split"):
        expect(page.locator(f"{lane} .ac-plot .ac-trimmed")).to_have_count(2)
        expect(page.locator(f"{lane} .ac-legend")).to_contain_text("trimmed silence")
    for button, ending in (("ZIP", ".segments.zip"), ("Raven table", ".segments.selections.txt")):
        with page.expect_download() as started:
            page.get_by_role("button", name=f"Segments as {button}").click()
        assert started.value.suggested_filename.endswith(f"quiet ends{ending}")


def test_a_feature_of_several_channels_is_several_pictures_with_their_axes(
    page: Page, made_wav: Path
) -> None:
    upload_and_predict(page, made_wav)
    page.get_by_role("button", name="Spectrogram settings").click()
    page.get_by_label("Feature").click()
    page.get_by_role("option", name="Multichannel", exact=True).click()
    titles = page.locator("#lane-spectrogram .ac-title")
    expect(titles).to_have_count(4, timeout=PATIENCE_MS)
    expect(titles.nth(0)).to_contain_text("MFCC: Coefficient")
    expect(titles.nth(2)).to_contain_text("Constant-Q: Note; colours from the loudest down to −80")
    expect(page.locator("#lane-spectrogram img")).to_have_count(4)
    expect(page.locator("#lane-spectrogram .ac-yaxis").nth(2)).to_contain_text("C4")
    boxes = [page.locator("#lane-spectrogram .ac-plot").nth(i).bounding_box() for i in range(4)]
    waveform = page.locator("#lane-waveform .ac-plot").bounding_box()
    assert waveform and all(box and box["x"] == waveform["x"] for box in boxes)
    page.get_by_label("Feature").click()
    page.get_by_role("option", name="Polar (STFT)", exact=True).click()
    expect(titles).to_have_count(2, timeout=PATIENCE_MS)
    expect(titles.nth(1)).to_contain_text("phase from −π to π rad")


def test_denoised_is_played_and_seen_before_and_after(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    page.get_by_role("tab", name="Denoised").click()
    for player in ("#before", "#after"):
        expect(page.locator(f"{player} button[aria-label=Play]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#denoised-figure img")).to_be_visible(timeout=PATIENCE_MS)


def test_split_marks_lists_and_plays_the_stretches(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    page.get_by_role("tab", name="Split").click()
    expect(page.locator("#lane-split .ac-stretch")).to_have_count(2, timeout=PATIENCE_MS)
    page.locator("#stretches :text-is('5.968'):visible").first.click()
    expect(
        page.locator("#stretch button[aria-label=Pause], #stretch button[aria-label=Play]")
    ).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#trimmed button[aria-label=Play]")).to_be_visible(timeout=PATIENCE_MS)


@pytest.fixture
def three_in_a_row(esc10: Path, tmp_path: Path) -> tuple[Path, list[tuple[str, float, float]]]:
    """Three real clips of the held-out fold with pauses between, and what is heard when."""
    rows = list(csv.DictReader((esc10 / "metadata.csv").read_text().splitlines()))
    parts, truth, start_s = [], [], 0.0
    for name in ("chainsaw", "rooster", "sea_waves"):
        files = [row["file_name"] for row in rows if row["label"] == name and row["fold"] == "4"]
        samples, rate_hz = io.load(esc10 / files[1])
        samples = 0.5 * samples[: 4 * rate_hz] / np.abs(samples[: 4 * rate_hz]).max()
        levels = measure_levels([samples], rate_hz)
        loud = np.flatnonzero(levels.db > levels.quiet_below_db) * levels.hop_s
        truth.append((name, start_s + loud[0], start_s + loud[-1] + levels.hop_s))
        parts += [samples, np.zeros(rate_hz, np.float32)]
        start_s += 5
    path = tmp_path / "three.wav"
    io.write(path, np.concatenate(parts), rate_hz)
    return path, truth


def times_of(event: str) -> tuple[float, float]:
    """When an event is, as the list says it: “rooster 5.0–7.1 s (97 %)”."""
    start_s, end_s = re.findall(r"([\d.]+)–([\d.]+) s", event)[0]
    return float(start_s), float(end_s)


def test_a_mix_is_answered_with_what_happened_when_and_a_click_plays_it(
    page: Page, three_in_a_row: tuple[Path, list[tuple[str, float, float]]]
) -> None:
    path, truth = three_in_a_row
    upload_and_predict(page, path)
    events = page.locator("#answer .ac-event")
    expect(page.locator("#views")).to_contain_text("Events from 50 %", timeout=PATIENCE_MS)
    event_texts = events.all_inner_texts()
    for name, start_s, end_s in truth:
        times = [times_of(text) for text in event_texts if text.startswith(name.replace("_", " "))]
        near = [t for t in times if t == pytest.approx((start_s, end_s), abs=0.5)]
        assert near, (name, start_s, end_s, event_texts)
    expect(page.locator("#answer .ac-knows")).to_contain_text("Knows 10 classes: baby cry")
    events.filter(has_text="rooster").last.click()
    expect(page.locator("#lane-waveform .ac-selected")).to_be_visible()
    playhead = "+getComputedStyle(document.documentElement).getPropertyValue('--audioclf-at')"
    page.wait_for_function(f"() => {playhead} > 0.33")
    page.get_by_label("Order of the events").select_option("confidence")
    shares = [float(re.findall(r"(\d+) %", text)[-1]) for text in events.all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    page.get_by_role("button", name="Event settings").click()
    page.locator("#event-settings input[type=number]").last.fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#views")).to_contain_text("and 3 s on", timeout=PATIENCE_MS)
    expect(events.filter(has_text="rooster")).to_have_count(0)


def test_a_long_sound_is_zoomed_scrolled_and_selected(page: Page, tmp_path: Path) -> None:
    """As long as a hosted page takes; the lanes draw an hour in the same pages."""
    path = tmp_path / "long.wav"
    clicks = [sounds.silence(1, rate_hz=8_000) for _ in range(290)]
    clicks[200][4_000:4_400] = 0.5
    io.write(path, np.concatenate(clicks), 8_000)
    upload_and_predict(page, path)
    plot = page.locator("#lane-waveform .ac-plot")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 200.5 / 290, box["y"] + 20)
    for _ in range(12):
        page.mouse.wheel(0, -300)
    expect(page.locator("#lane-waveform .ac-xaxis")).to_contain_text("200.4")
    expect(page.locator("#lane-spectrogram .ac-closer")).to_be_visible(timeout=PATIENCE_MS)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page.locator("#lane-timeline .ac-tools .ac-when")).to_contain_text(" to 20")
    page.locator("#lane-timeline").get_by_role("button", name="Predict").click()
    expect(page.locator("#segment-answer")).to_contain_text("alone: ", timeout=PATIENCE_MS)
    plot.focus()
    page.keyboard.press("Home")
    expect(page.locator("#lane-timeline .ac-scroll")).to_have_attribute("aria-valuenow", "0.00")
    page.keyboard.press("End")
    expect(page.locator("#lane-timeline .ac-scroll")).to_have_attribute(
        "aria-valuetext", re.compile("to 290.00 s")
    )
    page.keyboard.press("0")
    expect(page.locator("#lane-waveform .ac-xaxis")).to_contain_text("270 s")


def test_an_example_is_one_click_away(page: Page) -> None:
    page.get_by_role("button", name="siren").click()
    expect(page.locator("#answer .ac-sentence")).to_be_visible(timeout=PATIENCE_MS)


def test_a_recording_from_the_microphone_is_predicted(page: Page) -> None:
    page.locator("#sound").get_by_label("Record audio").click()
    page.locator("#sound").get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2_500)
    page.locator("#sound").get_by_role("button", name="Stop").click()
    expect(page.locator("#answer .ac-sentence, #answer .ac-empty")).to_be_visible()
    expect(page.locator("#lane-waveform canvas")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"no sound at all " * 50, "is not a sound"),
        (b"RIFF", "cut off|damaged|not a sound"),
    ],
    ids=["empty", "text", "cut off"],
)
def test_a_file_that_is_no_sound_gets_a_sentence_in_its_place(
    page: Page, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    upload(page, path)
    expect(page.locator("#answer .ac-error")).to_be_visible(timeout=PATIENCE_MS)
    assert re.search(words, page.inner_text("#answer .ac-error"))


DROP = """([zone, name, text]) => { // what a file manager does
  const files = new DataTransfer();
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  files.items.add(new File([bytes], name, { type: 'video/webm' }));
  const event = { bubbles: true, cancelable: true, dataTransfer: files };
  document.querySelector(zone).dispatchEvent(new DragEvent('drop', event)); }"""


def test_any_container_is_dropped_also_where_another_sound_is(
    page: Page, made_wav: Path, tmp_path: Path
) -> None:
    upload_and_predict(page, made_wav)
    path = tmp_path / "talk.webm"
    sounds.write_container(path, 0.3 * sounds.sine(700, 4, 48_000), 48_000)
    text = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(DROP, ["#sound button", path.name, text])
    expect(page.locator("#lane-waveform .ac-xaxis")).to_contain_text("4 s", timeout=PATIENCE_MS)
    expect(page.locator("#answer .ac-sentence")).to_be_visible(timeout=PATIENCE_MS)


def test_what_plays_can_be_paused_and_stops_when_the_sound_goes(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    play = page.locator("#lane-windows .ac-play")
    play.click()
    expect(play).to_have_text("Pause")
    play.click()
    expect(play).to_have_text("Play")
    page.locator("#sound").get_by_label("Clear").click()
    expect(page.locator("#lane-waveform canvas")).to_have_count(0)
    expect(page.locator("#lane-windows canvas")).to_have_count(0)
    expect(page.locator("#answer")).to_contain_text("Upload or record")


def test_one_sound_plays_at_a_time_and_the_playhead_follows_it(page: Page, made_wav: Path) -> None:
    upload_and_predict(page, made_wav)
    above, below = page.locator("#sound .play-pause-button"), page.locator("#lane-windows .ac-play")
    above.click()
    page.wait_for_function(
        """() => +getComputedStyle(document.documentElement)
             .getPropertyValue('--audioclf-at') > 0.02"""
    )
    below.click()
    expect(below).to_have_text("Pause")
    expect(above).to_have_attribute("aria-label", "Play")
    above.click()
    expect(above).to_have_attribute("aria-label", "Pause")
    expect(below).to_have_text("Play")


def test_silence_is_called_silence(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    io.write(path, sounds.silence(3), sounds.RATE_HZ)
    upload(page, path)
    expect(page.locator("#answer")).to_contain_text("Silence", timeout=PATIENCE_MS)


def test_a_sound_longer_than_a_space_accepts_is_refused(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    io.write(path, sounds.silence(310), 8_000)
    upload(page, path)
    expect(page.locator("#answer .ac-error")).to_contain_text("300 s", timeout=PATIENCE_MS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_on_a_phone(
    browser: Browser, page_url: str, made_wav: Path, theme: str
) -> None:
    with on_a_phone(browser, page_url, theme) as phone:
        upload_and_predict(phone, made_wav)
        assert phone.evaluate(TOO_WIDE) == []


def test_the_endpoint_says_what_the_command_line_says(page_url: str, made_wav: Path) -> None:
    from audioclf.inference.predict import predict_file

    network = checkpoint.find_all()[0]
    client = Client(page_url, verbose=False)
    answer, prediction = client.predict(
        handle_file(str(made_wav)), network.name, "as_is", api_name="/predict_clip"
    )
    expected = predict_file(made_wav, network).to_dict(made_wav.name)
    assert answer["ranking"][0]["class"] == max(expected["clip"], key=expected["clip"].get)
    assert prediction["clip"] == pytest.approx(expected["clip"], abs=1e-4)
    assert len(prediction["windows"]) == len(expected["windows"]) == 6


def test_endpoints_have_names_and_descriptions(page_url: str) -> None:
    api = Client(page_url, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert {"/predict_clip", "/show_waveform", "/show_spectrogram", "/denoise_clip"} <= set(api)
    assert "/split_clip" in api
    for name, endpoint in api.items():
        assert endpoint["description"], name
