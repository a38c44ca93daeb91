"""Colours, outlines and spectrograms show what is in the sound."""

import base64
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from audioclf import plots
from audioclf.audio import Samples
from audioclf.features import FEATURES, Analysis
from audioclf.plots import MAX_COLUMNS, Picture, View
from tests.sentences import refusal
from tests.sounds import RATE_HZ, clicks, noise, silence, sine

ESC10 = (
    *("chainsaw", "clock_tick", "crackling_fire", "crying_baby", "dog"),
    *("helicopter", "rain", "rooster", "sea_waves", "sneezing"),
)


def in_blocks(samples: Samples, size: int = 30_011) -> Iterator[Samples]:
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def drawn(samples: Samples, view: View | None = None) -> Picture:
    duration_s = len(samples) / RATE_HZ
    return plots.picture(in_blocks(samples), RATE_HZ, duration_s, view or View())


def test_ten_classes_have_ten_colours_whatever_their_order() -> None:
    colours = plots.class_colours(ESC10)
    assert list(colours) == list(ESC10)
    assert len(set(colours.values())) == 10
    assert all(colour.startswith("#") and len(colour) == 7 for colour in colours.values())
    assert plots.class_colours(ESC10[::-1]) == colours


def test_colours_are_the_same_in_another_process() -> None:
    code = f"from audioclf import plots; print(plots.class_colours({ESC10!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == str(plots.class_colours(ESC10))


def test_more_classes_than_colours_still_have_a_colour_each() -> None:
    names = [f"class {number}" for number in range(50)]
    assert set(plots.class_colours(names)) == set(names)


@pytest.mark.parametrize("size", [1, 777, 5_000])
def test_an_envelope_in_blocks_is_that_of_the_whole(size: int) -> None:
    sound = noise(0.5)
    whole = plots.envelope([sound], len(sound), 100)
    assert whole.shape == (100, 2)
    np.testing.assert_array_equal(plots.envelope(in_blocks(sound, size), len(sound), 100), whole)
    assert whole[:, 0].min() == sound.min() and whole[:, 1].max() == sound.max()


def test_an_envelope_shows_a_single_click_where_it_is() -> None:
    click = clicks(10, every_s=20 / 3, amplitude=0.9)  # at 3.33 s and at 10 s, which is the end
    low, high = plots.envelope(in_blocks(click), len(click)).T
    assert high.max() == pytest.approx(0.9) and low.min() == 0
    assert np.flatnonzero(high).tolist() == [400]


def test_an_envelope_has_no_more_columns_than_samples() -> None:
    np.testing.assert_array_equal(
        plots.envelope([np.array([0.5, -0.5])], 2), [[0.5] * 2, [-0.5] * 2]
    )
    np.testing.assert_array_equal(plots.envelope([], 0), [[0, 0]])


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("frequency_hz", [500.0, 4_000.0])
def test_a_sine_is_a_line_at_its_frequency(name: str, frequency_hz: float) -> None:
    picture = drawn(sine(frequency_hz, 3), View(feature=name))
    assert picture.values.shape[0] == len(picture.bins_hz)
    loudest = picture.values[:, 5:-5].mean(axis=1).argmax()
    assert picture.bins_hz[loudest] == pytest.approx(frequency_hz, rel=0.03)
    assert picture.values.max() == 0 and picture.duration_s == 3


def test_five_minutes_fit_in_the_columns_and_keep_a_short_call() -> None:
    rate_hz = 8_000
    hiss, call = noise(200, rate_hz, amplitude=1e-3), sine(3_000, 0.05, rate_hz)
    sound = np.concatenate([hiss, call, silence(99.95, rate_hz)])
    picture = plots.picture(in_blocks(sound), rate_hz, 300, View())
    n_columns = picture.values.shape[1]
    assert MAX_COLUMNS / 2 < n_columns <= MAX_COLUMNS
    row, column = np.unravel_index(picture.values.argmax(), picture.values.shape)
    assert column / n_columns == pytest.approx(200 / 300, abs=0.002)
    assert picture.bins_hz[row] == pytest.approx(3_000, rel=0.03)


def test_a_picture_in_blocks_is_that_of_the_whole() -> None:
    sound = noise(40)
    whole = plots.picture([sound], RATE_HZ, 40, View())
    np.testing.assert_allclose(drawn(sound).values, whole.values, atol=1e-3)


def test_a_shared_reference_makes_levels_comparable() -> None:
    loud = drawn(sine(amplitude=0.5))
    soft = plots.picture([sine(amplitude=0.05)], RATE_HZ, 1, View(), loud.loudest_db)
    assert soft.values.max() == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("sound", [silence(), silence(0), np.ones(1, np.float32)], ids=len)
def test_next_to_nothing_can_be_drawn(sound: Samples) -> None:
    picture = drawn(sound)
    assert np.isfinite(picture.values).all() and picture.values.shape[1] >= 1
    assert plots.png_url(picture).startswith("data:image/png;base64,")


def test_the_view_chooses_the_band() -> None:
    picture = drawn(sine(), View(feature="stft", low_hz=2_000, high_hz=50_000))
    assert 2_000 < picture.bins_hz[0] < 2_100 and 10_900 < picture.bins_hz[-1] <= 11_025


def pixels(picture: Picture) -> np.ndarray:
    kind, _, content = plots.png_url(picture).partition(",")
    assert kind == "data:image/png;base64"
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(content)), format="png")


def test_the_png_has_a_pixel_per_column_and_bin_with_low_frequencies_below() -> None:
    picture = drawn(sine(500, 2), View(colour_map="gray"))
    image = pixels(picture)
    assert image.shape[:2] == picture.values.shape
    brightest = image[..., :3].sum(axis=2).mean(axis=1).argmax()
    assert brightest > len(image) * 0.75
    assert len(image) - 1 - brightest == picture.values.mean(axis=1).argmax()


@pytest.mark.parametrize("name", FEATURES)
def test_frequency_ticks_stand_at_their_frequencies(name: str) -> None:
    bins_hz = FEATURES[name].bins_hz(Analysis())
    ticks = plots.frequency_ticks(bins_hz, 8)
    assert 3 <= len(ticks) <= 9
    heights = sorted(height for height, _ in ticks)
    assert heights[0] >= 0 and heights[-1] <= 1
    assert min(np.diff(heights)) >= 1 / 8 - 1e-9
    for height, label in ticks:
        number, unit = label.split()
        hz = float(number) * {"Hz": 1, "kHz": 1_000}[unit]
        bin_width = np.diff(bins_hz)[min(int(height * len(bins_hz)), len(bins_hz) - 2)]
        assert abs(bins_hz[int(height * len(bins_hz))] - hz) <= bin_width


@pytest.mark.parametrize("band_hz", [(2_100, 4_900), (5_100, 9_900), (200, 900)], ids=str)
def test_a_narrow_band_has_frequency_ticks_too(band_hz: tuple[float, float]) -> None:
    bins_hz = drawn(noise(), View(low_hz=band_hz[0], high_hz=band_hz[1])).bins_hz
    assert len(plots.frequency_ticks(bins_hz, 8)) >= 2


def test_a_figure_names_its_axes_with_units_on_a_transparent_ground() -> None:
    pictures = {"Before": drawn(noise(2)), "After": drawn(sine(1_000, 2))}
    figure = plots.spectrogram_figure(pictures)
    upper, lower, bar = figure.axes
    assert upper.get_title(loc="left") == "Before" and lower.get_title(loc="left") == "After"
    assert lower.get_xlabel() == "Time (s)"
    assert "dB" in bar.get_ylabel()
    for ax in (upper, lower):
        assert "Frequency" in ax.get_ylabel()
        labels = [tick.get_text() for tick in ax.get_yticklabels()]
        assert labels and all(label.endswith("Hz") for label in labels)
        assert ax.get_xlim() == pytest.approx((0, 2))
    assert figure.patch.get_alpha() == 0
    file = io.BytesIO()
    figure.savefig(file, dpi=30)
    corner = matplotlib.image.imread(io.BytesIO(file.getvalue()), format="png")[0, 0]
    assert corner[3] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"feature": "loudness"},
        {"colour_map": "jet"},
        {"range_db": 5},
        {"range_db": 500},
        {"range_db": float("nan")},
    ],
    ids=str,
)
def test_a_bad_view_is_refused(settings: dict[str, Any]) -> None:
    assert "hoose" in refusal(lambda: View(**settings))


@pytest.mark.parametrize("band_hz", [(5_000, 4_000), (20_000, 0), (-5, 1_000)], ids=str)
def test_an_empty_band_is_refused(band_hz: tuple[float, float]) -> None:
    view = View(low_hz=band_hz[0], high_hz=band_hz[1])
    assert "Hz" in refusal(lambda: drawn(noise(), view))
