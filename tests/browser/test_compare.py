"""The Compare view: several networks on one sound, in words and side by side."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect

from audioclf.audio import io
from audioclf.features.windowing import Cut
from audioclf.inference import predict
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint
from audioclf.ui.classify import answers
from audioclf.ui.classify import compare as compare_view
from audioclf.ui.classify.agreement import agreement, listed, mean_over_shared_classes
from audioclf.ui.page import state
from tests import made, sounds
from tests.browsing import PATIENCE_MS, n_inked, on_a_phone, upload_and_predict


def prediction_of(name: str, classes: str, *probabilities: float) -> Prediction:
    """A prediction of one window."""
    row = np.array([probabilities], np.float32)
    return Prediction(name, tuple(classes.split()), np.zeros(1), np.ones(1), row)


RAIN_A = prediction_of("a", "rain sea_waves dog", 0.8, 0.1, 0.1)
RAIN_B = prediction_of("b", "rain sea_waves dog", 0.6, 0.3, 0.1)
SEA = prediction_of("c", "rain sea_waves dog", 0.1, 0.7, 0.2)
DOG = prediction_of("d", "rain sea_waves dog", 0.1, 0.1, 0.8)
UNSURE = prediction_of("e", "rain sea_waves dog", 0.4, 0.35, 0.25)
OTHERS = prediction_of(
    "f", "Speech Rain Dog Music", 0.1, 0.6, 0.2, 0.1
)  # another set, in its own order


@pytest.mark.parametrize(
    ("predictions", "sentence"),
    [
        ([RAIN_A], "a predicts rain."),
        ([RAIN_A, RAIN_B], "Both models predict rain."),
        ([RAIN_A, RAIN_B, OTHERS], "All 3 models predict rain."),
        ([SEA, RAIN_A, RAIN_B], "2 of 3 models predict rain; c predicts sea waves."),
        (
            [RAIN_A, SEA, DOG],
            "The models differ: a predicts rain; c predicts sea waves; d predicts dog.",
        ),
        ([RAIN_A, UNSURE], "Both models predict rain. Not sure: e."),
        ([UNSURE, UNSURE], "Both models predict rain. Neither is sure."),
        ([UNSURE] * 3, "All 3 models predict rain. None of them is sure."),
        (
            [RAIN_A, SEA, RAIN_B, replace(SEA, checkpoint="g"), OTHERS],
            "3 of 5 models predict rain; c and g predict sea waves.",
        ),
    ],
)
def test_agreement_is_told_in_words(predictions: list[Prediction], sentence: str) -> None:
    assert agreement(predictions) == sentence


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_together_is_the_mean_of_the_clips_probabilities() -> None:
    mean = mean_over_shared_classes([RAIN_A, SEA])
    assert mean is not None
    np.testing.assert_allclose(mean.clip, [0.45, 0.4, 0.15], atol=1e-6)
    assert mean.summary() == "Not sure: rain or sea waves"


def test_networks_with_other_classes_are_compared_by_name() -> None:
    mean = mean_over_shared_classes([RAIN_A, OTHERS])
    assert mean is not None
    assert dict(mean.ranking()) == pytest.approx({"rain": 0.7, "dog": 0.15})
    assert mean_over_shared_classes([RAIN_A, prediction_of("g", "Speech Music", 0.5, 0.5)]) is None


# ---- the handler ----


@pytest.fixture
def networks(made_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made networks are those that the page finds; nothing was asked before."""
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(made_checkpoints))
    state._predicted.cache_clear()
    return made_checkpoints


def compare(sound: Any, networks: Any, cleaning: Any = "as_is") -> dict[str, Any]:
    """What stands there at last."""
    *_, last = compare_view.compare_models(sound, networks, cleaning)
    return last


def test_a_row_for_each_network_says_what_classify_says(networks: Path, made_wav: Path) -> None:
    shown = compare(str(made_wav), ["full", "old", "both"])
    assert [row["model"] for row in shown["rows"]] == ["full", "old", "both"]
    for row in shown["rows"]:
        answer, lane, answered = answers.predict_clip(str(made_wav), row["model"], "as_is")
        assert row["answer"] == answered.prediction.summary()
        assert row["colour"] == answer["ranking"][0]["colour"]
        assert row["best"]["class"] == answer["ranking"][0]["class"]
        assert row["second"]["class"] == answer["ranking"][1]["class"]
        assert [w[:2] for w in row["windows"]] == [
            [w["start_s"], w["end_s"]] for w in lane["windows"]
        ]
        assert row["windows"][0][3] == pytest.approx(
            answered.prediction.probabilities[0].max(), abs=1e-4
        )
    # The ensemble's members speak for themselves.
    assert shown["together"]["note"].startswith("the mean of these 2 models'")
    assert shown["sentence"].startswith("All 3 models predict")


def test_rows_arrive_one_after_the_other(networks: Path, made_wav: Path) -> None:
    steps = list(compare_view.compare_models(str(made_wav), ["full", "old"], "as_is"))
    assert [sum("answer" in row for row in step["rows"]) for step in steps] == [0, 1, 2]
    assert steps[1]["sentence"] == "Predicting: 1 of 2…"


def test_an_ensemble_predicts_as_on_the_command_line(networks: Path, made_wav: Path) -> None:
    prediction = state.predict_sound(state.Sound(str(made_wav)), checkpoint.find("both"), "as_is")
    expected = predict.predict_file(made_wav, checkpoint.find("both"), "as_is")
    np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=1e-4)
    assert prediction.checkpoint == "both"


def test_no_network_is_asked_twice_about_the_same_sound(
    networks: Path, made_wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[str] = []

    def count(
        samples: Any, rate_hz: int, network: Any, cleaning: str, cut: Cut | None
    ) -> Prediction:
        predicted.append(f"{network.name} {cleaning}")
        return predict.predict(samples, rate_hz, network, cleaning, cut)

    monkeypatch.setattr(state, "predict", count)
    compare(str(made_wav), ["full", "both"])
    compare(str(made_wav), ["old", "full", "full"])
    assert predicted == ["full as_is", "old as_is"]
    compare(str(made_wav), ["full"], "silence_removed")
    assert predicted[2:] == ["full silence_removed"]


def test_a_network_that_cannot_be_opened_says_so_in_its_row(networks: Path, made_wav: Path) -> None:
    shown = compare(str(made_wav), ["full", "damaged", "nonesuch", "../full"])
    errors = [row.get("error") for row in shown["rows"]]
    assert errors[0] is None
    assert "is not the file that its card describes" in errors[1]
    assert "no model “nonesuch”" in errors[2] and "no model “../full”" in errors[3]
    assert shown["sentence"].startswith("full predicts")
    assert shown["sentence"].endswith("damaged, nonesuch and ../full could not predict.")
    assert shown["together"] is None
    alone = compare(str(made_wav), ["damaged"])
    assert alone["sentence"] == "damaged could not predict." and "together" not in alone


def test_networks_of_other_classes_stand_beside_each_other(
    made_checkpoints: Path, made_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    for name in ("full", "old"):
        shutil.copytree(made_checkpoints / name, tmp_path / name)
    path = tmp_path / "old" / checkpoint.CARD
    card = json.loads(path.read_text())
    card["classes"] = card["classes"][:4] + [f"other {n}" for n in range(len(card["classes"]) - 4)]
    path.write_text(json.dumps(card))
    state._predicted.cache_clear()
    shown = compare(str(made_wav), ["full", "old"])
    assert "over the 4 classes that all of them have" in shown["together"]["note"]
    classes = set(checkpoint.find("full").classes) | set(card["classes"])
    assert set(shown["colours"]) == classes


def test_silence_is_called_silence(networks: Path, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    io.write(path, sounds.silence(3), sounds.RATE_HZ)
    assert compare(str(path), ["full", "old"])["sentence"].startswith("Silence")


@pytest.mark.parametrize(
    ("sound", "selected", "words"),
    [
        (False, ["full"], "Upload or record audio"),
        (True, [], "No model is chosen"),
        (True, None, "No model is chosen"),
        (True, "full", "chosen by their names"),
        (True, [["full"], {}], "chosen by their names"),
        (True, 7, "chosen by their names"),
        (True, ["full"] * 51, "At most 50 models"),
    ],
)
def test_where_there_is_nothing_to_compare_a_sentence_says_so(
    networks: Path, made_wav: Path, sound: bool, selected: Any, words: str
) -> None:
    (shown,) = compare_view.compare_models(str(made_wav) if sound else None, selected, "as_is")
    assert words in (shown.get("sentence") or shown["error"])


def test_a_damaged_sound_is_told_once(networks: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"no sound at all " * 50)
    (shown,) = compare_view.compare_models(str(path), ["full", "old"], "as_is")
    assert "is not a sound" in shown["error"]


@pytest.mark.parametrize("cleaning", ["polished", ["as_is"], {}])
def test_an_unknown_cleaning_is_a_sentence_in_every_row(
    networks: Path, made_wav: Path, cleaning: Any
) -> None:
    shown = compare(str(made_wav), ["full", "old"], cleaning)
    assert all(row["error"].endswith(".") for row in shown["rows"])


def test_the_best_three_that_are_there_now_are_chosen_at_first(
    networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare_view.first_choice() == ["full", "both", "another"]
    shutil.copytree(networks / "full", tmp_path / "full")
    shutil.copytree(networks / "both", tmp_path / "both")  # its member “old” is not there
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path))
    assert compare_view.show_first_choice()["value"] == ["full"]
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(networks))
    update = compare_view.update_choices(["old", "gone"])
    assert update["value"] == ["old"] and len(update["choices"]) == len(made.NAMES)
    assert "value" not in compare_view.update_choices(["old"])


# ---- in the browser ----


@pytest.fixture
def compared(made_page: Page, made_wav: Path) -> Iterator[Page]:
    """The page with a sound, and Compare opened."""
    upload_and_predict(made_page, made_wav)
    made_page.get_by_role("tab", name="Compare").click()
    expect(made_page.locator("#compare .ac-together")).to_be_visible(timeout=PATIENCE_MS)
    yield made_page


@pytest.mark.browser
def test_networks_stand_under_each_other_on_the_lanes_time_axis(compared: Page) -> None:
    names = compared.locator("#compare .ac-network").all_inner_texts()
    assert names == ["full", "both", "another"]
    expect(compared.locator("#compare .ac-agreement")).to_contain_text("All 3 models predict")
    expect(compared.locator("#compare .ac-together")).to_contain_text("Ensemble mean: ")
    for number in range(3):
        assert n_inked(compared, f"#compare .ac-strip >> nth={number} >> canvas") > 1_000
    strip = compared.locator("#compare .ac-strip").first.bounding_box()
    lane = compared.locator("#lane-windows .ac-plot").bounding_box()
    assert strip and lane
    assert (strip["x"], strip["width"]) == pytest.approx((lane["x"], lane["width"]), abs=1)
    axes = compared.locator("#compare .ac-xaxis:visible")
    expect(axes).to_have_count(1)
    expect(axes).to_contain_text("10 s")


@pytest.mark.browser
def test_another_set_of_networks_predicts_at_once(compared: Page) -> None:
    compared.locator("#compared-networks input").click()
    compared.get_by_role("option", name=re.compile("damaged")).click()
    expect(compared.locator("#compare .ac-network")).to_have_count(4, timeout=PATIENCE_MS)
    expect(compared.locator("#compare .ac-error")).to_contain_text("not the file that its card")
    expect(compared.locator("#compare .ac-agreement")).to_contain_text(
        "damaged could not predict", timeout=PATIENCE_MS
    )
    expect(compared.locator("#compare .ac-strip:visible")).to_have_count(3)


@pytest.mark.browser
def test_compare_follows_the_cleaning_of_classify(compared: Page) -> None:
    strip = compared.locator("#compare .ac-strip canvas").first
    before = strip.evaluate("c => c.toDataURL()")
    compared.get_by_label("Silences removed").check()
    compared.wait_for_function(
        """before => { const c = document.querySelector('#compare .ac-strip canvas');
             return c && c.toDataURL() !== before
               && document.querySelector('#compare .ac-together'); }""",
        arg=before,
    )


@pytest.mark.browser
def test_nothing_is_compared_before_the_view_is_opened(made_page: Page, made_wav: Path) -> None:
    upload_and_predict(made_page, made_wav)
    made_page.wait_for_timeout(1_000)
    assert made_page.locator("#compare .ac-voice").count() == 0


@pytest.mark.browser
def test_without_a_sound_there_is_one_sentence_and_no_empty_view(made_page: Page) -> None:
    expect(made_page.locator("#answer")).to_contain_text("Upload or record a sound")
    expect(made_page.locator("#views")).to_be_hidden()
    assert made_page.locator("button:visible:disabled").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_on_a_phone(
    browser: Browser, made_url: str, made_wav: Path, theme: str
) -> None:
    with on_a_phone(browser, made_url, theme) as phone:
        upload_and_predict(phone, made_wav)
        phone.get_by_role("tab", name="Compare").click()
        expect(phone.locator("#compare .ac-together")).to_be_visible(timeout=PATIENCE_MS)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.browser
def test_the_endpoint_gives_every_row(made_url: str, made_wav: Path) -> None:
    client = Client(made_url, verbose=False)
    shown = client.predict(
        handle_file(str(made_wav)), ["full", "old"], "as_is", api_name="/compare_models"
    )
    assert [row["model"] for row in shown["rows"]] == ["full", "old"]
    assert shown["sentence"].startswith("Both models predict")
