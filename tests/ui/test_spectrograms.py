"""A feature of a sound as pictures: what is shown where, in which colours, beside which ticks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audioclf.audio.io import Samples
from audioclf.features import FEATURES, SpectrogramConfig, feature
from audioclf.ui.plotting import ticks as axes
from audioclf.ui.plotting.spectrograms import MAX_COLUMNS, Picture, View, pictures
from tests.sentences import refusal
from tests.sounds import RATE_HZ, chirp, noise, silence, sine

SHOWN = [name for name in FEATURES if not feature(name).is_waveform]
IN_HZ = [name for name in SHOWN if feature(name).channels[0].axis.hz and name != "complex"]


def in_blocks(samples: Samples, size: int = 30_011) -> Iterator[Samples]:
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def drawn(samples: Samples, view: View | None = None) -> Picture:
    duration_s = len(samples) / RATE_HZ
    drawn_pictures = pictures(in_blocks(samples), RATE_HZ, duration_s, view or View())
    assert len(drawn_pictures) == len(feature((view or View()).feature).channels)
    return drawn_pictures[0]


def bins_hz(picture: Picture) -> NDArray[Any]:
    """The centre of every row."""
    return picture.channel.axis.hz(picture.analysis)


@pytest.mark.parametrize("name", IN_HZ)
@pytest.mark.parametrize("frequency_hz", [500.0, 4_000.0])
def test_a_sine_is_a_line_at_its_frequency(name: str, frequency_hz: float) -> None:
    picture = drawn(sine(frequency_hz, 3), View(feature=name))
    assert picture.values.shape[0] == len(bins_hz(picture))
    loudest = picture.values[:, 5:-5].mean(axis=1).argmax()
    coarse = 0.04 if name == "modulation" else 0.03  # its spectra are short
    assert bins_hz(picture)[loudest] == pytest.approx(frequency_hz, rel=coarse)
    assert picture.values.max() == 0 and picture.duration_s == 3


def test_five_minutes_fit_in_the_columns_and_keep_a_short_call() -> None:
    rate_hz = 8_000
    hiss, call = noise(200, rate_hz, amplitude=1e-3), sine(3_000, 0.05, rate_hz)
    sound = np.concatenate([hiss, call, silence(99.95, rate_hz)])
    picture = pictures(in_blocks(sound), rate_hz, 300, View())[0]
    n_columns = picture.values.shape[1]
    assert MAX_COLUMNS / 2 < n_columns <= MAX_COLUMNS
    row, column = np.unravel_index(picture.values.argmax(), picture.values.shape)
    assert column / n_columns == pytest.approx(200 / 300, abs=0.002)
    assert bins_hz(picture)[row] == pytest.approx(3_000, rel=0.03)


def test_a_picture_in_blocks_is_that_of_the_whole() -> None:
    sound = noise(40)
    whole = pictures([sound], RATE_HZ, 40, View())[0]
    np.testing.assert_allclose(drawn(sound).values, whole.values, atol=1e-3)


def test_a_shared_reference_makes_levels_comparable() -> None:
    loud = drawn(sine(amplitude=0.5))
    soft = pictures([sine(amplitude=0.05)], RATE_HZ, 1, View(), [loud.loudest_db])[0]
    assert soft.values.max() == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("sound", [silence(), silence(0), np.ones(1, np.float32)], ids=len)
def test_next_to_nothing_can_be_drawn(name: str, sound: Samples) -> None:
    for picture in pictures([sound], RATE_HZ, len(sound) / RATE_HZ, View(feature=name)):
        assert np.isfinite(picture.values).all() and picture.values.shape[1] >= 1
        assert picture.low < picture.high


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_every_channel_is_a_picture_with_its_axis_and_scale(name: str, rate_hz: int) -> None:
    sound = chirp(100, 3_900, 2, rate_hz) + noise(2, rate_hz, amplitude=0.05)
    drawn_pictures = pictures([sound], rate_hz, 2, View(feature=name))
    channels = feature(name).channels
    assert [picture.title for picture in drawn_pictures] == [channel.title for channel in channels]
    for picture, channel in zip(drawn_pictures, channels, strict=True):
        assert picture.axis_name == channel.axis.label
        assert len(picture.ticks(8)) >= 3
        words = {"dB": "dB", "rad": "rad", "share": "0 to 1"}.get(channel.unit, "")
        assert words in picture.scale
        inside = (picture.values >= picture.low) & (picture.values <= picture.high)
        assert inside.mean() > 0.5 and picture.values.std() > 0


def test_phase_goes_round_its_circle_and_levels_end_at_the_loudest() -> None:
    magnitude, phase = pictures([noise(2)], RATE_HZ, 2, View(feature="polar"))
    assert (phase.low, phase.high) == pytest.approx((-np.pi, np.pi))
    assert -np.pi <= phase.values.min() < -3 and 3 < phase.values.max() <= np.pi
    assert magnitude.values.max() == 0 and magnitude.low == -80
    assert phase.colour_map != magnitude.colour_map


def test_the_constant_q_axis_has_notes_where_they_are() -> None:
    picture = drawn(sine(440, 3), View(feature="cqt"))
    heights = dict((words, height) for height, words in picture.ticks(12))
    assert {"C2", "C4", "C8"} <= set(heights)
    loudest = picture.values[:, 20:-20].mean(axis=1).argmax()
    expected = heights["C4"] + (heights["C5"] - heights["C4"]) * 9 / 12  # A4
    assert (loudest + 0.5) / len(picture.values) == pytest.approx(expected, abs=0.01)


def test_a_narrow_constant_q_axis_has_more_notes() -> None:
    picture = drawn(sine(440, 3), View(feature="cqt", low_hz=400, high_hz=900))
    assert [words for _, words in picture.ticks(8)][-1] in ("A4", "G♯4")


def test_pitch_classes_and_coefficients_are_named() -> None:
    (chroma,) = pictures([noise(1)], RATE_HZ, 1, View(feature="chroma"))
    names = [words for _, words in chroma.ticks(8)]
    assert names[0] == "B" and names[-1] == "C" and len(names) == 12
    (mfcc,) = pictures([noise(1)], RATE_HZ, 1, View(feature="mfcc"))
    assert [words for _, words in mfcc.ticks(8)][::-1][:3] == ["0", "20", "40"]
    (summary,) = pictures([noise(1)], RATE_HZ, 1, View(feature="summary"))
    assert "MFCC" in [words for _, words in summary.ticks(8)]


@pytest.mark.parametrize("name", ["complex", "mfcc", "polar", "chroma"])
def test_long_sounds_keep_within_the_columns_whatever_the_unit(name: str) -> None:
    for picture in pictures(in_blocks(noise(60)), RATE_HZ, 60, View(feature=name)):
        assert MAX_COLUMNS / 2 < picture.values.shape[1] <= MAX_COLUMNS
        assert np.isfinite(picture.values).all()


def test_the_view_chooses_the_band() -> None:
    picture = drawn(sine(), View(feature="stft", low_hz=2_000, high_hz=50_000))
    assert 2_000 < bins_hz(picture)[0] < 2_100 and 10_900 < bins_hz(picture)[-1] <= 11_025


@pytest.mark.parametrize("name", ["mel", "stft", "gammatone"])
def test_frequency_ticks_stand_at_their_frequencies(name: str) -> None:
    hz_of_bins = feature(name).channels[0].axis.hz(SpectrogramConfig())
    ticks = axes.frequency_ticks(hz_of_bins, 8)
    assert 3 <= len(ticks) <= 9
    heights = sorted(height for height, _ in ticks)
    assert heights[0] >= 0 and heights[-1] <= 1
    assert min(np.diff(heights)) >= 1 / 8 - 1e-9
    for height, label in ticks:
        number, unit = label.split()
        hz = float(number) * {"Hz": 1, "kHz": 1_000}[unit]
        bin_width = np.diff(hz_of_bins)[min(int(height * len(hz_of_bins)), len(hz_of_bins) - 2)]
        assert abs(hz_of_bins[int(height * len(hz_of_bins))] - hz) <= bin_width


@pytest.mark.parametrize("band_hz", [(2_100, 4_900), (5_100, 9_900), (200, 900)], ids=str)
def test_a_narrow_band_has_frequency_ticks_too(band_hz: tuple[float, float]) -> None:
    hz_of_bins = bins_hz(drawn(noise(), View(low_hz=band_hz[0], high_hz=band_hz[1])))
    assert len(axes.frequency_ticks(hz_of_bins, 8)) >= 2


@pytest.mark.parametrize(
    "settings",
    [
        {"feature": "loudness"},
        {"feature": "waveform"},
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
