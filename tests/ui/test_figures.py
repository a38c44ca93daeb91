"""Colours, outlines and figures show what is in the sound."""

import base64
import io
import os
import subprocess
import sys
from collections.abc import Iterator

import matplotlib.image
import numpy as np
import pytest

from audioclf.audio.io import Samples
from audioclf.ui.plotting import figures
from audioclf.ui.plotting.spectrograms import Picture, View, pictures
from tests.sounds import RATE_HZ, chirp, clicks, noise, sine

ESC10 = (
    *("chainsaw", "clock_tick", "crackling_fire", "crying_baby", "dog"),
    *("helicopter", "rain", "rooster", "sea_waves", "sneezing"),
)


def in_blocks(samples: Samples, size: int = 30_011) -> Iterator[Samples]:
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def drawn(samples: Samples, view: View | None = None) -> list[Picture]:
    return pictures([samples], RATE_HZ, len(samples) / RATE_HZ, view or View())


def test_ten_classes_have_ten_colours_whatever_their_order() -> None:
    colours = figures.class_colours(ESC10)
    assert list(colours) == list(ESC10)
    assert len(set(colours.values())) == 10
    assert all(colour.startswith("#") and len(colour) == 7 for colour in colours.values())
    assert figures.class_colours(ESC10[::-1]) == colours


def test_colours_are_the_same_in_another_process() -> None:
    code = f"from audioclf.ui.plotting import figures; print(figures.class_colours({ESC10!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == str(figures.class_colours(ESC10))


def test_more_classes_than_colours_still_have_a_colour_each() -> None:
    names = [f"class {number}" for number in range(50)]
    assert set(figures.class_colours(names)) == set(names)


@pytest.mark.parametrize("size", [1, 777, 5_000])
def test_an_envelope_in_blocks_is_that_of_the_whole(size: int) -> None:
    sound = noise(0.5)
    at_once = figures.envelope([sound], len(sound), 100)
    assert at_once.shape == (100, 2)
    np.testing.assert_array_equal(
        figures.envelope(in_blocks(sound, size), len(sound), 100), at_once
    )
    assert at_once[:, 0].min() == sound.min() and at_once[:, 1].max() == sound.max()


def test_an_envelope_shows_a_single_click_where_it_is() -> None:
    click = clicks(10, every_s=20 / 3, amplitude=0.9)  # at 3.33 s and at 10 s, which is the end
    low, high = figures.envelope(in_blocks(click), len(click)).T
    assert high.max() == pytest.approx(0.9) and low.min() == 0
    assert np.flatnonzero(high).tolist() == [400]


def test_an_envelope_has_no_more_columns_than_samples() -> None:
    np.testing.assert_array_equal(
        figures.envelope([np.array([0.5, -0.5])], 2), [[0.5] * 2, [-0.5] * 2]
    )
    np.testing.assert_array_equal(figures.envelope([], 0), [[0, 0]])


def pixels(picture: Picture) -> np.ndarray:
    kind, _, content = figures.png_url(picture).partition(",")
    assert kind == "data:image/png;base64"
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(content)), format="png")


def test_the_png_has_a_pixel_per_column_and_bin_with_low_frequencies_below() -> None:
    (picture,) = drawn(sine(500, 2), View(colour_map="gray"))
    image = pixels(picture)
    assert image.shape[:2] == picture.values.shape
    brightest = image[..., :3].sum(axis=2).mean(axis=1).argmax()
    assert brightest > len(image) * 0.75
    assert len(image) - 1 - brightest == picture.values.mean(axis=1).argmax()


def test_a_figure_names_its_axes_with_units_on_a_transparent_ground() -> None:
    shown = [drawn(noise(2))[0]._replace(title="Before"), drawn(sine(1_000, 2))[0]]
    figure = figures.spectrogram_figure(shown)
    upper, lower, *bars = figure.axes
    assert upper.get_title(loc="left") == "Before" and lower.get_title(loc="left") == "Mel"
    assert lower.get_xlabel() == "Time (s)"
    assert len(bars) == 2 and all("dB" in bar.get_ylabel() for bar in bars)
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


def test_channels_of_different_units_have_axes_and_colours_of_their_own() -> None:
    figure = figures.spectrogram_figure(drawn(chirp(100, 5_000, 2), View(feature="multichannel")))
    upper, bars = figure.axes[:4], figure.axes[4:]
    assert [ax.get_ylabel() for ax in upper] == [
        "Coefficient",
        "Coefficient",
        "Note",
        "Pitch class",
    ]
    assert [bar.get_ylabel().split()[0] for bar in bars] == [
        "Coefficient", "Coefficient", "Level", "Strength"
    ]  # fmt: skip
    figure.savefig(io.BytesIO(), dpi=30)
