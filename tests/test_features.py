"""One contract for all features; those that librosa has are compared with it."""

import re
from typing import Any

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from audioclf import features
from audioclf.audio import Samples
from audioclf.features import FEATURES, Analysis
from tests.sentences import refusal
from tests.sounds import chirp, clicks, noise, silence, sine, square

every_feature = pytest.mark.parametrize("name", FEATURES)
DEFAULT = Analysis()
NARROW = Analysis(16_000, 512, 160, 40, 300, 5_000)
HIGH = Analysis(44_100, 2_048, 441, 64, 50, 20_000)
every_analysis = pytest.mark.parametrize(
    "analysis", [DEFAULT, NARROW, HIGH], ids=["default", "narrow", "high"]
)

SOUNDS = {
    "silence": silence(),
    "clicks": clicks(),
    "one sample": np.full(1, 0.5, np.float32),
    "no samples": silence(0),
    "square at full scale": square(),
    "noise": noise(),
    "chirp": chirp(),
}


@every_feature
@every_analysis
@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_a_feature_is_frames_by_bins_by_channels(
    name: str, analysis: Analysis, samples: Samples
) -> None:
    found = features.compute(name, samples, analysis)
    n_frames = 1 + len(samples) // analysis.hop_length
    assert found.shape == (n_frames, analysis.n_bins, 1)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@every_feature
@every_analysis
def test_bins_are_named_by_rising_frequencies_within_the_band(
    name: str, analysis: Analysis
) -> None:
    bins_hz = FEATURES[name].bins_hz(analysis)
    assert bins_hz.shape == (analysis.n_bins,)
    assert (np.diff(bins_hz) > 0).all()
    assert analysis.low_hz <= bins_hz[0] and bins_hz[-1] <= analysis.high_hz


@every_feature
@every_analysis
@pytest.mark.parametrize("frequency_hz", [440.0, 1_000.0, 4_000.0])
def test_a_sine_peaks_in_the_bin_of_its_frequency(
    name: str, analysis: Analysis, frequency_hz: float
) -> None:
    tone = sine(frequency_hz, 1, analysis.sample_rate_hz)
    middle = features.compute(name, tone, analysis)[20:-20, :, 0].mean(axis=0)
    bins_hz = FEATURES[name].bins_hz(analysis)
    nearest = np.abs(bins_hz - frequency_hz).argmin()
    # Where bins are as narrow as the FFT's, the neighbour may be the louder one.
    assert abs(int(middle.argmax()) - int(nearest)) <= 1
    fft_width_hz = analysis.sample_rate_hz / analysis.n_fft
    assert abs(bins_hz[middle.argmax()] - frequency_hz) <= max(
        fft_width_hz, np.diff(bins_hz)[max(0, nearest - 1)]
    )


@every_feature
@every_analysis
def test_a_sound_one_hop_later_is_the_same_frames_one_later(name: str, analysis: Analysis) -> None:
    sound = chirp(100, 7_000, 1, analysis.sample_rate_hz) + noise(1, analysis.sample_rate_hz)
    later = np.concatenate([np.zeros(analysis.hop_length, np.float32), sound])
    frames, shifted = (features.compute(name, x, analysis) for x in (sound, later))
    edge = analysis.n_fft // analysis.hop_length + 1
    np.testing.assert_allclose(shifted[edge + 1 : -edge], frames[edge:-edge], atol=1e-2)


def in_blocks(samples: Samples, sizes: list[int]) -> list[Samples]:
    """Blocks of these sizes over and over, to the end."""
    blocks, first = [], 0
    while first < len(samples):
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(samples[first : first + size])
        first += size
    return blocks


@every_feature
@every_analysis
@pytest.mark.parametrize("sizes", [[1_013], [7, 5_000, 1, 0, 333], [10**6]], ids=str)
def test_a_stream_of_blocks_equals_the_whole(
    name: str, analysis: Analysis, sizes: list[int]
) -> None:
    samples = noise(2, analysis.sample_rate_hz)
    parts = list(features.stream(name, in_blocks(samples, sizes), analysis))
    whole = features.compute(name, samples, analysis)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-3)


@every_feature
@pytest.mark.parametrize("blocks", [[], [silence(0)], [np.full(1, 0.5, np.float32)]], ids=len)
def test_a_stream_of_next_to_nothing_is_one_frame(name: str, blocks: list[Samples]) -> None:
    parts = list(features.stream(name, blocks, DEFAULT))
    assert np.concatenate(parts).shape == (1, DEFAULT.n_bins, 1)


def assert_same_power(found_db: NDArray[Any], expected_db: NDArray[Any]) -> None:
    """Equal within 1e-4 of the loudest point's power."""
    found, expected = 10 ** (found_db / 10), 10 ** (expected_db / 10)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * expected.max()


COMPARED = {"chirp and noise": (chirp, noise), "clicks": (clicks,), "square": (square,)}


@pytest.mark.parametrize("makers", COMPARED.values(), ids=COMPARED)
@every_analysis
def test_mel_equals_librosa(analysis: Analysis, makers: tuple[Any, ...]) -> None:
    samples = sum(make(rate_hz=analysis.sample_rate_hz) for make in makers)
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=analysis.sample_rate_hz,
        n_fft=analysis.n_fft,
        hop_length=analysis.hop_length,
        n_mels=analysis.n_bins,
        fmin=analysis.low_hz,
        fmax=analysis.high_hz,
        pad_mode="constant",
    )
    expected_db = librosa.power_to_db(power, top_db=None).T
    assert_same_power(features.compute("mel", samples, analysis)[..., 0], expected_db)


@pytest.mark.parametrize("makers", COMPARED.values(), ids=COMPARED)
@pytest.mark.parametrize(
    "analysis",
    [Analysis(n_bins=513), Analysis(16_000, 512, 160, 257, 0, 8_000)],
    ids=["22 kHz", "16 kHz"],
)
def test_stft_equals_librosa(analysis: Analysis, makers: tuple[Any, ...]) -> None:
    samples = sum(make(rate_hz=analysis.sample_rate_hz) for make in makers)
    values = librosa.stft(
        samples, n_fft=analysis.n_fft, hop_length=analysis.hop_length, pad_mode="constant"
    )
    expected_db = librosa.amplitude_to_db(np.abs(values), amin=1e-5, top_db=None).T
    assert_same_power(features.compute("stft", samples, analysis)[..., 0], expected_db)
    hz = librosa.fft_frequencies(sr=analysis.sample_rate_hz, n_fft=analysis.n_fft)
    np.testing.assert_allclose(FEATURES["stft"].bins_hz(analysis), hz)


def test_mel_bins_lie_where_librosa_has_them() -> None:
    for analysis in (DEFAULT, NARROW):
        hz = librosa.mel_frequencies(
            analysis.n_bins + 2, fmin=analysis.low_hz, fmax=analysis.high_hz
        )
        np.testing.assert_allclose(FEATURES["mel"].bins_hz(analysis), hz[1:-1], rtol=1e-6)


def test_silence_is_minus_100_db_and_a_louder_tone_is_louder_by_as_much() -> None:
    for name in FEATURES:
        assert features.compute(name, silence(), DEFAULT).max() == pytest.approx(-100)
        soft, loud = (features.compute(name, sine(amplitude=a), DEFAULT) for a in (0.05, 0.5))
        assert loud.max() - soft.max() == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize(
    ("low_hz", "high_hz"), [(-1, 8_000), (4_000, 4_000), (5_000, 4_000), (0, 11_026)]
)
def test_a_wrong_band_is_refused_with_the_right_one(low_hz: float, high_hz: float) -> None:
    said = refusal(lambda: Analysis(low_hz=low_hz, high_hz=high_hz))
    assert f"{low_hz} to {high_hz} Hz" in said and "11025 Hz" in said


@pytest.mark.parametrize(
    "settings", [{"n_fft": 0}, {"n_fft": 1_023}, {"hop_length": 0}, {"n_bins": 0}]
)
def test_frames_that_cannot_be_made_are_refused(settings: dict[str, int]) -> None:
    assert re.search("at least|must lie between 1 and", refusal(lambda: Analysis(**settings)))


def test_hops_that_leave_sound_unheard_are_refused() -> None:
    assert "half of n_fft" in refusal(lambda: Analysis(n_fft=512, hop_length=257))


def test_an_unknown_feature_is_refused_with_those_there_are() -> None:
    said = refusal(lambda: features.compute("loudness", noise(), DEFAULT))
    assert "“loudness”" in said and all(name in said for name in FEATURES)
