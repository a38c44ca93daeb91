"""Features beside the libraries that people know them from."""

from typing import Any

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray
from spafe.fbanks.gammatone_fbanks import gammatone_filter_banks
from spafe.features.gfcc import gfcc
from spafe.utils.preprocessing import SlidingWindow

from audioclf import features
from audioclf.features import SpectrogramConfig, feature, gammatone
from audioclf.features.chroma import pitch_bumps
from tests.sounds import chirp, clicks, noise, square

DEFAULT = SpectrogramConfig()
NARROW = SpectrogramConfig(16_000, 512, 160, 40, 300, 5_000)
HIGH = SpectrogramConfig(44_100, 2_048, 441, 64, 50, 20_000)
every_analysis = pytest.mark.parametrize(
    "analysis", [DEFAULT, NARROW, HIGH], ids=["default", "narrow", "high"]
)


def mixed(makers: tuple[Any, ...], analysis: SpectrogramConfig, seconds: float = 1.0) -> Any:
    return sum(make(seconds=seconds, rate_hz=analysis.sample_rate_hz) for make in makers)


def alone(
    name: str, samples: Any, analysis: SpectrogramConfig, number: int = 0
) -> NDArray[np.float32]:
    return features.compute(name, samples, analysis)[..., number]


def assert_close(actual: NDArray[Any], expected: NDArray[Any], tolerance: float = 1e-3) -> None:
    """Equal within `tolerance` of the greatest value."""
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


def assert_same_power(found_db: NDArray[Any], expected_db: NDArray[Any]) -> None:
    """Equal within 1e-4 of the loudest point's power."""
    actual, expected = 10 ** (found_db / 10), 10 ** (expected_db / 10)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= 1e-4 * expected.max()


COMPARED: dict[str, tuple[Any, ...]] = {
    "chirp and noise": (chirp, noise),
    "clicks": (clicks,),
    "square": (square,),
}


@pytest.mark.parametrize("makers", COMPARED.values(), ids=COMPARED)
@every_analysis
def test_mel_equals_librosa(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
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
    assert_same_power(alone("mel", samples, analysis), expected_db)


@pytest.mark.parametrize("makers", COMPARED.values(), ids=COMPARED)
@pytest.mark.parametrize(
    "analysis",
    [SpectrogramConfig(n_bins=513), SpectrogramConfig(16_000, 512, 160, 257, 0, 8_000)],
    ids=["22 kHz", "16 kHz"],
)
def test_stft_equals_librosa(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
    values = librosa.stft(
        samples, n_fft=analysis.n_fft, hop_length=analysis.hop_length, pad_mode="constant"
    )
    expected_db = librosa.amplitude_to_db(np.abs(values), amin=1e-5, top_db=None).T
    assert_same_power(alone("stft", samples, analysis), expected_db)
    hz = librosa.fft_frequencies(sr=analysis.sample_rate_hz, n_fft=analysis.n_fft)
    np.testing.assert_allclose(feature("stft").channels[0].axis.hz(analysis), hz)


def test_mel_bins_lie_where_librosa_has_them() -> None:
    for analysis in (DEFAULT, NARROW):
        hz = librosa.mel_frequencies(
            analysis.n_bins + 2, fmin=analysis.low_hz, fmax=analysis.high_hz
        )
        np.testing.assert_allclose(
            feature("mel").channels[0].axis.hz(analysis), hz[1:-1], rtol=1e-6
        )


every_sound = pytest.mark.parametrize("makers", COMPARED.values(), ids=COMPARED)


def librosa_power(samples: Any, analysis: SpectrogramConfig) -> NDArray[Any]:
    values = librosa.stft(
        samples, n_fft=analysis.n_fft, hop_length=analysis.hop_length, pad_mode="constant"
    )
    return np.abs(values) ** 2


@every_sound
@pytest.mark.parametrize(
    "analysis",
    [SpectrogramConfig(n_bins=513), SpectrogramConfig(16_000, 512, 160, 257, 0, 8_000)],
    ids=["22 kHz", "16 kHz"],
)
def test_complex_and_polar_equal_librosa(
    analysis: SpectrogramConfig, makers: tuple[Any, ...]
) -> None:
    samples = mixed(makers, analysis)
    values = librosa.stft(
        samples, n_fft=analysis.n_fft, hop_length=analysis.hop_length, pad_mode="constant"
    ).T
    actual = features.compute("complex", samples, analysis)
    assert_close(actual[..., 0] + 1j * actual[..., 1], values)
    level, phase = np.moveaxis(features.compute("polar", samples, analysis), -1, 0)
    assert_same_power(level, librosa.amplitude_to_db(np.abs(values), amin=1e-5, top_db=None))
    is_loud = np.abs(values) > 1e-3 * np.abs(values).max()
    turned = np.angle(np.exp(1j * (phase - np.angle(values))))  # -pi and pi are the same
    assert np.abs(turned[is_loud]).max() < 1e-3
    assert np.abs(phase).max() <= np.pi + 1e-6


def test_a_complex_band_keeps_a_tone_whose_bins_would_cancel() -> None:
    tone = chirp(1_000, 1_001, 1)
    plain = np.hypot(
        *np.moveaxis(features.compute("complex", tone, SpectrogramConfig(n_bins=513)), -1, 0)
    )
    bands = np.hypot(*np.moveaxis(features.compute("complex", tone, DEFAULT), -1, 0))
    assert bands[5:-5].max(axis=1).min() > 0.25 * plain[5:-5].max(axis=1).min()


@every_sound
@every_analysis
def test_mfcc_equals_librosa(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
    log_mel = alone("mel", samples, analysis).T
    expected = librosa.feature.mfcc(S=log_mel, n_mfcc=analysis.n_bins).T
    assert_close(alone("mfcc", samples, analysis), expected)


def test_mfcc_equals_librosa_from_the_waveform() -> None:
    samples = mixed((chirp, noise), DEFAULT)
    power = librosa.feature.melspectrogram(
        y=samples, sr=22_050, n_fft=1_024, hop_length=512, n_mels=128, pad_mode="constant"
    )
    log_mel = librosa.power_to_db(power, top_db=None)
    expected = librosa.feature.mfcc(S=log_mel, n_mfcc=128).T
    assert_close(alone("mfcc", samples, DEFAULT), expected)


@every_sound
@every_analysis
def test_chroma_equals_librosa(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
    power = librosa_power(samples, analysis)
    expected = librosa.feature.chroma_stft(
        S=power, sr=analysis.sample_rate_hz, n_fft=analysis.n_fft, tuning=0.0
    ).T
    assert_close(alone("chroma", samples, analysis), expected)
    bumps = librosa.filters.chroma(sr=analysis.sample_rate_hz, n_fft=analysis.n_fft)
    np.testing.assert_allclose(pitch_bumps(analysis), bumps.T, atol=1e-6)


def by_wavelets(samples: Any, hz: NDArray[Any], analysis: SpectrogramConfig) -> NDArray[Any]:
    """|CQT| by its definition: librosa's filters at every frame, no rate but the file's own."""
    waves, lengths = librosa.filters.wavelet(freqs=hz, sr=analysis.sample_rate_hz, norm=1)
    size = waves.shape[1]
    padded = np.pad(samples, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: analysis.hop_length]
    return np.abs(frames @ waves.conj().T.astype(np.complex64)) * np.sqrt(lengths)


@every_sound
@every_analysis
def test_cqt_equals_librosas_filters(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
    hz = feature("cqt").channels[0].axis.hz(analysis)
    actual = 10 ** (alone("cqt", samples, analysis) / 20)
    assert_close(actual, by_wavelets(samples, hz, analysis))


def test_cqt_is_that_of_librosa_as_far_as_its_own_resampling_allows() -> None:
    samples = mixed((chirp, noise), DEFAULT, 2.0)
    hz = feature("cqt").channels[0].axis.hz(DEFAULT)
    settings = {"sr": 22_050, "hop_length": 512, "fmin": hz[0], "n_bins": 128, "tuning": 0.0}
    theirs = np.abs(librosa.cqt(samples, bins_per_octave=16, pad_mode="constant", **settings)).T
    actual = 10 ** (alone("cqt", samples, DEFAULT) / 20)
    exact = by_wavelets(samples, hz, DEFAULT)
    allowed = np.abs(theirs - exact).max() / exact.max()
    assert allowed < 0.05
    assert_close(actual, theirs, allowed + 1e-3)


def cqt_36(samples: Any, analysis: SpectrogramConfig) -> NDArray[Any]:
    """The transform behind librosa's chromagrams, by its definition, (bins, frames)."""
    hz = librosa.cqt_frequencies(n_bins=252, fmin=librosa.note_to_hz("C1"), bins_per_octave=36)
    return by_wavelets(samples, hz, analysis).T


@pytest.mark.parametrize("analysis", [DEFAULT, HIGH], ids=["default", "high"])
def test_chroma_cqt_and_cens_equal_librosa(analysis: SpectrogramConfig) -> None:
    samples = mixed((chirp, noise), analysis, 4.0)
    magnitudes = cqt_36(samples, analysis)
    assert_close(alone("chroma_cqt", samples, analysis), librosa.feature.chroma_cqt(C=magnitudes).T)
    # Smoothed over 41 frames: nearer to the ends librosa takes silence, and we what filters hear.
    middle = slice(21, -21)
    expected = librosa.feature.chroma_cens(C=magnitudes).T[middle]
    actual = alone("chroma_cens", samples, analysis)[middle]
    # A share that lies on one of the four steps may fall on either side of it: a quarter point in
    # one frame is 1 % after smoothing.
    assert np.abs(actual - expected).max() < 0.03
    assert np.median(np.abs(actual - expected).max(axis=1)) < 1e-3


@every_sound
@every_analysis
def test_zero_crossings_and_level_equal_librosa(
    analysis: SpectrogramConfig, makers: tuple[Any, ...]
) -> None:
    samples = mixed(makers, analysis)
    actual = alone("summary", samples, analysis)
    padded = np.pad(samples, analysis.n_fft // 2)
    frames = {"frame_length": analysis.n_fft, "hop_length": analysis.hop_length, "center": False}
    crossings = librosa.feature.zero_crossing_rate(padded, pad=False, **frames)[0]
    assert_close(actual[:, 0], crossings)
    rms = librosa.feature.rms(y=padded, **frames)[0]
    assert_close(10 ** (actual[:, 1] / 20), np.maximum(rms, 1e-5))


@every_analysis
def test_gammatone_weights_equal_spafe(analysis: SpectrogramConfig) -> None:
    # spafe adds the two terms of the bandwidth as powers of `order`: with 1 they are the ERB.
    weights, _ = gammatone_filter_banks(
        nfilts=analysis.n_bins, nfft=analysis.n_fft, fs=analysis.sample_rate_hz,
        low_freq=analysis.low_hz, high_freq=analysis.high_hz, order=1,
    )  # fmt: skip
    actual = gammatone.filters(analysis).weights  # of power: spafe's are of amplitude
    np.testing.assert_allclose(np.sqrt(actual), weights.T, atol=1e-3)


def test_a_gammatone_filter_is_1019_erb_wide() -> None:
    # Its equivalent rectangular bandwidth is the ERB of Glasberg and Moore (1990).
    analysis = SpectrogramConfig(44_100, 2**16, 512, 20, 200, 8_000)
    power = gammatone.filters(analysis).weights.astype(np.float64)
    bandwidth_hz = power.sum(axis=0) * analysis.sample_rate_hz / analysis.n_fft
    erb_hz = 24.7 * (4.37 * gammatone.centres_hz(analysis) / 1_000 + 1)
    np.testing.assert_allclose(bandwidth_hz, erb_hz, rtol=0.02)


@every_sound
@pytest.mark.parametrize("analysis", [DEFAULT, NARROW], ids=["default", "narrow"])
def test_gfcc_equals_spafe(analysis: SpectrogramConfig, makers: tuple[Any, ...]) -> None:
    samples = mixed(makers, analysis)
    rate_hz = analysis.sample_rate_hz
    # The part in common: its own weights given, no pre-emphasis; its Hann window has
    # both ends at zero, which ours has not: hence the wider tolerance.
    window = SlidingWindow((analysis.n_fft + 0.5) / rate_hz, (analysis.hop_length + 0.5) / rate_hz,
                           "hanning")  # fmt: skip
    expected = gfcc(
        np.pad(samples, analysis.n_fft // 2), fs=rate_hz, num_ceps=analysis.n_bins,
        nfilts=analysis.n_bins, nfft=analysis.n_fft, pre_emph=False, window=window,
        fbanks=gammatone.filters(analysis).weights.T,
    )  # fmt: skip
    actual = alone("gfcc", samples, analysis)
    assert_close(actual[: len(expected)], expected[: len(actual)], 5e-3)
