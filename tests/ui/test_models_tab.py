"""The Networks tab: its numbers are the cards', and choosing a network shows all of it."""

import io
import re
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page, expect

from audioclf.models import checkpoint, ranking
from audioclf.text import escape_markdown
from audioclf.ui.models import details, latency, tab
from audioclf.ui.models.card_text import facts, format_settings, result_line
from audioclf.ui.plotting import figures
from tests import made
from tests.browsing import PATIENCE_MS, on_a_phone
from tests.conftest import visit

HEADERS = [header for header, _ in tab.COLUMNS]
# Beyond the window, but not inside a table, which scrolls inside itself.
STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&
  !e.closest('.table-wrap') && e.getBoundingClientRect().right > innerWidth + 2 &&
  getComputedStyle(e).position !== 'fixed').map(e => e.tagName + '.' + e.className)"""


@pytest.fixture
def networks(made_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made networks are those that the page finds, none of them timed yet."""
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(made_checkpoints))
    monkeypatch.setattr(latency, "_measured_ms", {})
    return made_checkpoints


def listed(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows by network, each by header."""
    return {row[0]: dict(zip(table["headers"], row, strict=True)) for row in table["data"]}


def written(table: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The same as a person reads them."""
    return {
        row[0]: dict(zip(table["headers"], row, strict=True))
        for row in table["metadata"]["display_value"]
    }


def table_of(selected: str | None = None) -> dict[str, Any]:
    return tab.list_trained(selected)[2]


def test_the_most_accurate_network_is_first_and_numbers_are_numbers(networks: Path) -> None:
    rows = listed(table_of())
    assert tuple(rows) == made.NAMES
    assert rows["full"]["Accuracy (%)"] == 100 and rows["old"]["Accuracy (%)"] == 8.75
    assert rows["full"]["Parameters"] == checkpoint.find("full").card["n_params"]
    assert rows["full"]["Evaluated on"] == "made clips, fold 3 held out (80 clips)"
    assert rows["unmeasured"]["Evaluated on"] == "not evaluated"
    bytes_of_both = sum(checkpoint.find(name).count_bytes() for name in ("full", "old"))
    assert rows["both"]["Size (MB)"] == pytest.approx(bytes_of_both / 1e6)


def test_numbers_are_written_with_the_digits_of_the_command_line(networks: Path) -> None:
    rows = written(table_of())
    for name in ("full", "both", "old"):
        result = checkpoint.find(name).evaluation or {}
        assert rows[name]["Accuracy (%)"] == f"{result['accuracy']:.2%}"[:-1]
        assert rows[name]["Macro F1"] == f"{result['macro_f1']:.3f}"
    assert rows["both"]["Accuracy (%)"] == "97.50" and rows["both"]["ECE"] == "0.030"
    assert rows["old"]["ECE"] == rows["unmeasured"]["Accuracy (%)"] == "–"


def test_speed_is_measured_once_and_filled_in_row_by_row(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {row["ms per window"] for row in listed(table_of()).values()} == {None}
    *_, last = tab.benchmark_models()
    speeds = {name: row["ms per window"] for name, row in listed(last).items()}
    assert speeds["full"] > 0
    assert speeds["both"] == pytest.approx(speeds["full"] + speeds["old"])
    assert speeds["damaged"] is None
    monkeypatch.setattr(latency, "open_session", lambda *_: pytest.fail("measured again"))
    monkeypatch.setattr(ranking, "best_first", lambda: [checkpoint.find("full")])
    (again,) = tab.benchmark_models()
    assert listed(again)["full"]["ms per window"] == speeds["full"]


def test_what_is_shown_stays_unless_it_is_gone(networks: Path) -> None:
    assert "value" not in tab.list_trained("old")[3]
    assert tab.list_trained("gone")[3]["value"] == "full"
    assert tab.list_trained(None)[3]["value"] == "full"


def test_without_a_network_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    empty, everything, table, dropdown, _ = tab.list_trained("full")
    assert empty.visible and not everything.visible
    assert "in the tab Fine-tune" in tab.NONE_YET
    assert table["data"] == [] and dropdown["value"] is None
    assert len(list(tab.benchmark_models())) == 1


def test_results_say_which_clips_they_are_from(networks: Path) -> None:
    figure, per_class, words = details.model_results("full")
    assert words.startswith(
        "made clips, fold 3 held out: 80 of 80 clips right: 100.00 % (95.4 to 100.0)"
    )
    assert "macro F1 0.500, ECE 0.042" in words and "ECE before calibration 0.098" in words
    assert per_class["metadata"]["display_value"] == [
        ["rain", "1.000", "0.667", "0.800", "30"],
        ["dog bark", "0.833", "1.000", "0.909", "50"],
    ]
    ax = figure.axes[0]
    assert "made clips, fold 3 held out" in ax.get_title(loc="left")
    assert [ax.get_ylabel(), ax.get_xlabel()] == ["True class", "Predicted class"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["rain", "dog bark"]


def test_a_confusion_has_its_counts_where_the_classes_meet_on_a_transparent_ground() -> None:
    figure = figures.confusion_figure([[20, 10], [0, 50]], ["rain", "dog"], "Clips")
    ax = figure.axes[0]
    written = {text.get_text(): text.get_position() for text in ax.texts}
    assert written == {"20": (0, 0), "10": (1, 0), "50": (1, 1)}
    assert ax.yaxis.get_inverted()
    file = io.BytesIO()
    figure.savefig(file, format="png")
    pixels = matplotlib.image.imread(io.BytesIO(file.getvalue()), format="png")
    assert pixels[0, 0, 3] == 0
    coloured = np.argwhere(pixels[..., 2] - pixels[..., 0] > 0.2).mean(axis=0) / len(pixels)
    assert coloured[0] < 0.5 < coloured[1]  # rain is above; three of four cells, right of centre


@pytest.mark.parametrize("n_classes", [2, 50])
def test_a_confusion_of_many_classes_is_still_drawn(n_classes: int) -> None:
    names = [f"class_{number}" for number in range(n_classes)]
    figure = figures.confusion_figure(np.eye(n_classes, dtype=int).tolist(), names, "Clips")
    assert figure.get_size_inches().max() <= 12
    figure.savefig(io.BytesIO(), dpi=40)


def test_training_curves_go_over_all_trainings_in_their_order(networks: Path) -> None:
    loss, accuracy, words = details.show_training("full")
    assert loss.visible and loss.value["data"] == [[1, 3.0], [2, 2.0], [3, 1.0], [4, 0.5]]
    assert accuracy.value["data"] == [[1, 10.0], [2, 20.0], [3, 50.0], [4, 75.0], [5, 87.5]]
    assert "epochs 1 to 2 on made clips, fold 1 and epochs 3 to 5 on made clips, folds" in words


def test_nothing_empty_is_shown_of_a_network_without_results(networks: Path) -> None:
    assert [part.visible for part in details.show_parts("full")] == [True, True]
    assert [part.visible for part in details.show_parts("unmeasured")] == [False, False]


@pytest.mark.parametrize(
    ("name", "words"), [("old", "no training curves"), ("both", "full and old")]
)
def test_where_there_are_no_curves_a_sentence_says_why(
    networks: Path, name: str, words: str
) -> None:
    loss, accuracy, sentence = details.show_training(name)
    assert not loss.visible and not accuracy.visible
    assert words in sentence


def test_layers_are_a_table_and_an_ensembles_are_its_members(networks: Path) -> None:
    layers = details.show_card("full")[1]["metadata"]["display_value"]
    assert layers[0] == ["first", "Conv2D", "128 x 64 x any", "1,280"]
    members = details.show_card("both")[1]["data"]
    assert [row[0] for row in members] == ["full", "old"]


def test_the_card_is_told_in_words_and_shown_whole(networks: Path) -> None:
    model = checkpoint.find("full")
    rows = dict(facts(model))
    rate = model.frontend.spectrogram.sample_rate_hz
    assert f"feature {model.frontend.feature}" in rows["Front end"]
    assert f"sample rate {rate:,} Hz" in rows["Front end"]
    assert rows["Calibration"] == "temperature 1.25, fitted on made clips, fold 3 held out"
    assert rows["Licence"] == "CC BY 4.0" and "1.5 minutes" in rows["Training"]
    assert rows["Other results"].startswith(
        "street noise: 40 of 80 clips right: 50.00 % (39.3 to 60.7)"
    )
    _, _, words, attribution, card = details.show_card("full")
    assert "**Calibration**: temperature 1.25" in words
    assert card["architecture"] == model.card["architecture"] and attribution
    assert "none" in dict(facts(checkpoint.find("old")))["Calibration"]


@pytest.mark.parametrize("name", made.NAMES)
def test_every_card_is_shown_however_little_it_holds(networks: Path, name: str) -> None:
    for handler in (
        details.model_results,
        details.show_training,
        details.show_card,
    ):
        assert handler(name) is not None
    if name == "unmeasured":
        assert "no result" in details.model_results(name)[2]


@pytest.mark.parametrize("name", ["nonesuch", "../full", "", None])
def test_a_network_that_is_not_there_is_a_sentence(networks: Path, name: str | None) -> None:
    for words in (
        details.model_results(name)[2],
        details.show_training(name)[2],
        details.show_card(name)[0],
    ):
        assert "model" in words and words.endswith(".")


def test_words_of_a_card_are_neither_markdown_nor_html(networks: Path) -> None:
    assert escape_markdown("<b>a_b</b> *c*") == r"\<b\>a\_b\</b\> \*c\*"
    assert details.show_card("another")[0].startswith(r"Hears \*everything\*")


def test_settings_are_read_with_their_units() -> None:
    text = format_settings(
        {
            "hop_length": 512,
            "gain_db": 6.0,
            "low_hz": 20.0,
            "deep": {"mix_prob": 0.5},
            "flag": True,
        }
        | {"mean": list(range(128)), "none": None, "folds": [1, 2]}
    )
    assert text == (
        "hop length 512, gain 6 dB, low 20 Hz, deep (mix prob 0.5), flag yes, folds 1, 2"
    )
    assert result_line({}) == "Unnamed data: no numbers"


# ---- in the browser ----

browser_test = pytest.mark.browser


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Models").click()
    expect(page.locator("#confusion img")).to_be_visible(timeout=PATIENCE_MS)


def names_in_order(page: Page) -> list[str]:
    names = page.locator("#networks .virtual-row [data-col='0']").all_inner_texts()
    return [name.strip() for name in names]


def sort_by(page: Page, header: str) -> None:
    page.locator("#networks [role=columnheader]").nth(HEADERS.index(header)).click()


@browser_test
def test_the_tab_opens_with_the_best_network_in_full(made_page: Page) -> None:
    open_tab(made_page)
    assert names_in_order(made_page) == list(made.NAMES)
    assert (
        made_page.locator("#shown-network input").input_value().startswith("Recommended · full (")
    )
    expect(made_page.locator("#measured")).to_contain_text("made clips, fold 3 held out")
    expect(made_page.locator("#per-class .virtual-row").first).to_contain_text("0.667")
    for curve in ("#curve-loss", "#curve-accuracy"):
        expect(made_page.locator(f"{curve} canvas, {curve} svg").first).to_be_visible()
    made_page.locator("#layers button").first.click()
    expect(made_page.locator("#layers .virtual-row").first).to_contain_text("Conv2D")
    expect(made_page.locator("#card")).to_contain_text("temperature 1.25")
    sharpness = made_page.locator("#confusion img").evaluate("i => i.naturalWidth / i.width")
    assert sharpness > 1.7


@browser_test
def test_the_speed_of_every_network_fills_in(made_page: Page) -> None:
    open_tab(made_page)
    column = HEADERS.index("ms per window")
    cells = made_page.locator(f"#networks .virtual-row [data-col='{column}']")
    expect(cells.last).to_have_text(re.compile(r"^\s*\d+\.\d\s*$"), timeout=PATIENCE_MS)
    assert cells.nth(made.NAMES.index("damaged")).inner_text() == "–"


@browser_test
def test_a_row_is_chosen_by_its_name_however_the_table_is_sorted(made_page: Page) -> None:
    open_tab(made_page)
    sort_by(made_page, "Accuracy (%)")
    for _ in range(100):  # Gradio draws the rows again, one after the other
        if (order := names_in_order(made_page)).index("damaged") < order.index("old"):
            break
        made_page.wait_for_timeout(100)
    measured = [name for name in order if name != "unmeasured"]
    assert measured == ["damaged", "old", "another", "both", "full"]  # as numbers: 100 is last
    made_page.locator("#networks .virtual-row").nth(order.index("old")).locator(
        "[data-col='1']"
    ).click()
    expect(made_page.locator("#measured")).to_contain_text(" 8.75 %", timeout=PATIENCE_MS)
    assert made_page.locator("#shown-network input").input_value().startswith("old (")
    expect(made_page.locator("#learnt")).to_contain_text("no training curves")
    assert names_in_order(made_page) == order


@browser_test
def test_text_of_a_card_stays_text(made_page: Page) -> None:
    open_tab(made_page)
    made_page.locator("#networks [data-col='0']").filter(has_text="another").click()
    expect(made_page.locator("#network-about")).to_contain_text(
        "Hears *everything* <b>twice</b>, as file_name_1 says."
    )


@browser_test
def test_a_chosen_network_is_used_in_classify(made_page: Page, made_wav: Path) -> None:
    open_tab(made_page)
    made_page.locator("#networks [data-col='0']").filter(has_text="both").click()
    expect(made_page.locator("#learnt")).to_contain_text("full and old", timeout=PATIENCE_MS)
    made_page.locator("#use-network").click()
    expect(made_page.locator("#network input")).to_be_visible(timeout=PATIENCE_MS)
    expect(made_page.locator("#network input")).to_have_value(re.compile(r"· both \("))
    expect(made_page.locator("#about")).to_contain_text("made clips", timeout=PATIENCE_MS)
    made_page.locator("#sound input[type=file]").set_input_files(str(made_wav))
    expect(made_page.locator("#answer .ac-sentence")).to_be_visible(timeout=PATIENCE_MS)


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_the_tables_scroll_inside_themselves(
    browser: Browser, made_url: str, theme: str
) -> None:
    with on_a_phone(browser, made_url, theme) as phone:
        open_tab(phone)
        expect(phone.locator("#curve-loss")).to_be_visible(timeout=PATIENCE_MS)
        assert phone.evaluate(STICKS_OUT) == []
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
        second = phone.locator("#networks .virtual-row [data-col='1']").first.bounding_box()
        assert second is not None and second["x"] + 40 < 390  # not hidden behind the pinned names


@browser_test
def test_a_page_without_networks_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    from tests.conftest import serve

    with (
        serve(AUDIOCLF_CHECKPOINTS=str(tmp_path)) as url,
        visit(browser, url) as page,
    ):
        page.get_by_role("tab", name="Models").click()
        expect(page.locator("#no-networks")).to_contain_text("in the tab Fine-tune")
        assert page.locator("#networks").count() == 0 or not page.locator("#networks").is_visible()


@browser_test
def test_the_table_and_the_card_have_endpoints(made_url: str) -> None:
    client = Client(made_url, verbose=False)
    table = client.predict(api_name="/benchmark_models")
    assert [row[0] for row in table["data"]] == list(made.NAMES)
    *_, card = client.predict("full", api_name="/show_card")
    assert card["licence"] == "CC BY 4.0"
