"""A recipe survives its card, and refuses what it does not know."""

import json
from dataclasses import replace
from typing import Any

import pytest

from audioclf.features import SpectrogramConfig
from audioclf.features.config import (
    FrontendConfig,
    Normalisation,
    Preprocessing,
    for_feature,
    from_dict,
)
from tests.sentences import refusal

LEARNT = FrontendConfig(
    feature="stft",
    spectrogram=SpectrogramConfig(16_000, 512, 160, 2, 50.0, 7_500.0),
    window_frames=96,
    overlap=0.25,
    deltas=1,
    preprocessing="denoised",
    normalisation=Normalisation(((-40.5, 0.0), (-30.25, 0.1)), ((12.0, 1.0), (8.5, 2.0))),
)


@pytest.mark.parametrize("frontend", [FrontendConfig(), LEARNT], ids=["default", "learnt"])
def test_a_recipe_survives_the_way_through_json(frontend: FrontendConfig) -> None:
    read = from_dict(json.loads(json.dumps(frontend.to_dict())))
    assert read == frontend
    assert read.key() == frontend.key()
    assert hash(read) == hash(frontend)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deltas": "many"}, "cannot be read"),
        ({"colour": "blue"}, "colour"),
        ({"spectrogram": {"n_ftt": 512}}, "n_ftt"),
        ({"spectrogram": None}, "cannot be read"),
        ({"normalisation": {"average": [[0]]}}, "average"),
        ({"window_frames": "many"}, "cannot be read"),
    ],
    ids=[
        "deltas",
        "key",
        "key of the spectrogram",
        "spectrogram",
        "key of the normalisation",
        "text",
    ],
)
def test_what_a_newer_version_may_have_written_is_refused(
    change: dict[str, Any], words: str
) -> None:
    message = refusal(lambda: from_dict({**FrontendConfig().to_dict(), **change}))
    assert (
        "The front end cannot be read" in message
        and "newer version" in message
        and words in message
    )


def test_a_card_without_a_spectrogram_is_refused() -> None:
    values = FrontendConfig().to_dict()
    del values["spectrogram"]
    assert "spectrogram" in refusal(lambda: from_dict(values))


@pytest.mark.parametrize("values", [[], None, {"normalisation": [1, 2]}], ids=str)
def test_what_is_no_recipe_at_all_is_refused(values: Any) -> None:
    if isinstance(values, dict):
        values = {**FrontendConfig().to_dict(), **values}
    refusal(lambda: from_dict(values))


def test_an_unknown_feature_is_refused_with_those_there_are() -> None:
    message = refusal(lambda: from_dict({**FrontendConfig().to_dict(), "feature": "loudness"}))
    assert "“loudness”" in message and "mel" in message and "stft" in message


def test_an_unknown_cleaning_is_refused_with_those_there_are() -> None:
    message = refusal(lambda: FrontendConfig(preprocessing="bleached"))
    assert "“bleached”" in message and all(
        preprocessing in message for preprocessing in Preprocessing
    )


@pytest.mark.parametrize(
    "settings", [{"window_frames": 0}, {"overlap": 1.0}, {"overlap": -0.1}], ids=str
)
def test_windows_that_cannot_be_made_are_refused(settings: dict[str, Any]) -> None:
    assert "at least one frame" in refusal(lambda: FrontendConfig(**settings))


@pytest.mark.parametrize(
    "change",
    [
        {"feature": "mel"},
        {"preprocessing": "as_is"},
        {"spectrogram": SpectrogramConfig(16_000, 512, 160, 2, 50.0, 8_000.0)},
        {"window_frames": 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_key_changes_with_what_changes_the_features(change: dict[str, Any]) -> None:
    bare = replace(LEARNT, normalisation=None)
    assert replace(bare, **change).key() != LEARNT.key()


SHAPES = {
    "mel": (128, 128, 1),
    "chroma": (128, 12, 1),
    "complex": (128, 128, 2),
    "multichannel": (128, 128, 4),
    "mel+cqt+chroma": (128, 128, 3),
    "summary": (1, 620, 1),
    "summary_grid": (1, 40, 5),
    "waveform": (30_000, 1, 1),
}


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_a_feature_has_a_recipe_whose_input_shape_is_known(
    name: str, shape: tuple[int, int, int]
) -> None:
    assert for_feature(name).input_shape == shape


def test_deltas_multiply_the_channels() -> None:
    assert replace(for_feature("multichannel"), deltas=2).input_shape == (128, 128, 12)


def test_a_feature_keeps_the_other_settings_of_a_recipe_that_suits_it() -> None:
    like = FrontendConfig(
        spectrogram=SpectrogramConfig(16_000, high_hz=8_000), window_frames=64, overlap=0.75
    )
    assert for_feature("gfcc", like) == replace(like, feature="gfcc")
    assert for_feature("waveform", like).spectrogram.sample_rate_hz == 10_000
    assert for_feature("mel", for_feature("waveform")) == FrontendConfig()


@pytest.mark.parametrize("name", ["summary", "summary_grid", "waveform"])
def test_what_has_no_frames_has_no_deltas(name: str) -> None:
    assert "no frames" in refusal(lambda: replace(for_feature(name), deltas=1))


@pytest.mark.parametrize("change", [{"deltas": 0}, {"feature": "polar"}], ids=str)
def test_what_was_learnt_on_other_channels_scales_nothing(change: dict[str, Any]) -> None:
    assert "of other bins or channels" in refusal(lambda: replace(LEARNT, **change))


def test_a_card_from_before_there_were_deltas_is_read() -> None:
    values = FrontendConfig().to_dict()
    del values["deltas"]
    assert from_dict(values) == FrontendConfig()


def test_the_key_stays_when_only_what_follows_the_features_changes() -> None:
    assert replace(LEARNT, normalisation=None, overlap=0.75, deltas=0).key() == LEARNT.key()


def test_a_window_lasts_as_long_as_its_frames() -> None:
    frontend = FrontendConfig(
        spectrogram=SpectrogramConfig(16_000, 512, 160, 40, 0, 8_000), window_frames=100
    )
    assert frontend.window_s == pytest.approx(1.0)
    assert frontend.step_frames == 50
    assert frontend.window_samples == 99 * 160
