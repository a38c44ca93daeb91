"""Why a window or an event is answered so, as the page draws it."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from audioclf.audio import io
from audioclf.ui.classify.explanation import explain_segment, window_around
from tests import sounds
from tests.sentences import refusal


def asked(from_s: float, to_s: float, label: str | None = None) -> Any:
    """The event that the bar under the lanes sends."""
    return gr.EventData(None, {"from_s": from_s, "to_s": to_s, "label": label})


@pytest.fixture
def noise(tmp_path: Path) -> str:
    path = tmp_path / "noise.wav"
    io.write(path, sounds.noise(10, seed=3), sounds.RATE_HZ)
    return str(path)


def test_a_window_around_the_event_is_explained(noise: str) -> None:
    shown = explain_segment(noise, "cnn_attention-mel", asked(4.0, 4.5, "rooster"))
    assert shown["label"] == "rooster"
    assert (shown["from_s"] + shown["to_s"]) / 2 == pytest.approx(4.25, abs=0.01)
    assert len(shown["importance"]) == 12 and len(shown["importance"][0]) == 8
    assert max(abs(x) for row in shown["importance"] for x in row) == pytest.approx(1)
    assert max(shown["attention"]) == pytest.approx(1)
    assert any("Bands are equal parts" in note for note in shown["notes"])


def test_a_short_sound_is_explained_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    io.write(path, sounds.noise(1, seed=3), sounds.RATE_HZ)
    shown = explain_segment(str(path), "separable_cnn-mel", asked(0.2, 0.6))
    assert (shown["from_s"], shown["to_s"]) == (0.0, pytest.approx(1, abs=0.01))
    assert len(shown["importance"]) < 12 and shown["attention"] is None
    assert any("no attention" in note for note in shown["notes"])


def test_what_cannot_be_explained_is_a_sentence(noise: str) -> None:
    assert "choose an event" in explain_segment(noise, "separable_cnn-mel", asked(2, 1))["error"]
    assert "averages others" in explain_segment(noise, "ensemble-yamnet", asked(1, 2))["error"]
    assert explain_segment(None, "separable_cnn-mel", asked(1, 2)) is None
    assert "choose an event" in refusal(lambda: window_around(0, float("nan"), 3, 10))
    assert window_around(0, 0.5, 3, 10) == (0, 3) and window_around(9.5, 10, 3, 10) == (7, 10)
