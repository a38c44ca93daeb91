"""One contract for all features: shapes, finite values, frames, streams, axes."""

import re
import warnings
from typing import Any

import librosa
import numpy as np
import pytest

from audioclf import features
from audioclf.audio.io import Samples
from audioclf.features import FEATURES, SpectrogramConfig, feature
from audioclf.features.chroma import PITCH_CLASSES
from audioclf.features.config import for_feature
from audioclf.features.modulation import N_LEVELS, RATES_HZ
from audioclf.features.spectrograms import mel_hz
from audioclf.ui.plotting import ticks as axes
from tests.sentences import refusal
from tests.sounds import chirp, clicks, noise, silence, sine, square

NAMES = [*FEATURES, "mel+gammatone", "chroma+mfcc"]
FRAMED = [name for name in NAMES if not feature(name).is_waveform]
every_feature = pytest.mark.parametrize("name", NAMES)
every_framed = pytest.mark.parametrize("name", FRAMED)
DEFAULT = SpectrogramConfig()
NARROW = SpectrogramConfig(16_000, 512, 160, 40, 300, 5_000)
HIGH = SpectrogramConfig(44_100, 2_048, 441, 64, 50, 20_000)
every_analysis = pytest.mark.parametrize(
    "analysis", [DEFAULT, NARROW, HIGH], ids=["default", "narrow", "high"]
)

AUDIO_SUFFIXES = {
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
@pytest.mark.parametrize("samples", AUDIO_SUFFIXES.values(), ids=AUDIO_SUFFIXES)
def test_a_feature_is_frames_by_bins_by_channels(
    name: str, analysis: SpectrogramConfig, samples: Samples
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no division by zero, no logarithm of it
        values = features.compute(name, samples, analysis)
    definition = feature(name)
    edge = 0 if definition.is_padded else 2 * definition.margin(analysis)
    n_frames = max(1, 1 + (len(samples) - edge) // analysis.hop_length)
    n_frames = len(samples) if definition.is_waveform else n_frames
    assert values.shape == (n_frames, definition.n_bins(analysis), len(definition.channels))
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    if definition.summarise and n_frames:
        summary = definition.summarise(values[None])
        assert summary.ndim == 4 and summary.shape[:2] == (1, 1)
        assert summary.dtype == np.float32 and np.isfinite(summary).all()


def test_features_are_of_the_height_that_is_asked_for_but_for_pitch_classes() -> None:
    heights = {name: feature(name).n_bins(DEFAULT) for name in NAMES}
    twelve = {"chroma", "chroma_cqt", "chroma_cens"}
    own = {"waveform": 1, "summary": 2 + 40 + 128 + 128 + 12}
    for name, height in heights.items():
        assert height == (12 if name in twelve else own.get(name, 128))


HZ_CHANNELS = [
    (name, number)
    for name in FRAMED
    for number, channel in enumerate(feature(name).channels)
    if channel.axis.hz
]


@pytest.mark.parametrize(("name", "number"), HZ_CHANNELS)
@every_analysis
def test_bins_are_named_by_rising_frequencies_within_the_band(
    name: str, number: int, analysis: SpectrogramConfig
) -> None:
    definition = feature(name)
    bins_hz = definition.channels[number].axis.hz(analysis)
    assert bins_hz.shape == (definition.n_bins(analysis),)
    assert (np.diff(bins_hz) > 0).all()
    assert analysis.low_hz <= bins_hz[0] and bins_hz[-1] <= analysis.high_hz


def loudness(name: str, tone: Samples, analysis: SpectrogramConfig) -> Any:
    """How loud every bin of a steady tone's middle is, whatever the feature's unit."""
    values = features.compute(name, tone, analysis)[20:-20]
    parts = np.abs(values[..., 0] + 1j * values[..., 1]) if name == "complex" else values[..., 0]
    return parts.mean(axis=0)


@pytest.mark.parametrize("name", ["stft", "mel", "gammatone", "cqt", "complex", "polar"])
@every_analysis
@pytest.mark.parametrize("frequency_hz", [440.0, 1_000.0, 4_000.0])
def test_a_sine_peaks_in_the_bin_of_its_frequency(
    name: str, analysis: SpectrogramConfig, frequency_hz: float
) -> None:
    middle = loudness(name, sine(frequency_hz, 1, analysis.sample_rate_hz), analysis)
    bins_hz = feature(name).channels[0].axis.hz(analysis)
    nearest = np.abs(bins_hz - frequency_hz).argmin()
    # Where bins are as narrow as the FFT's, the neighbour may be the louder one.
    assert abs(int(middle.argmax()) - int(nearest)) <= 1
    fft_width_hz = analysis.sample_rate_hz / analysis.n_fft
    assert abs(bins_hz[middle.argmax()] - frequency_hz) <= max(
        fft_width_hz, np.diff(bins_hz)[max(0, nearest - 1)]
    )


@pytest.mark.parametrize("name", ["chroma", "chroma_cqt", "chroma_cens"])
@every_analysis
@pytest.mark.parametrize(("note", "frequency_hz"), [("A", 880.0), ("C♯", 1108.73), ("F", 1396.91)])
def test_a_tone_is_its_pitch_class(
    name: str, analysis: SpectrogramConfig, note: str, frequency_hz: float
) -> None:
    tone = sine(frequency_hz, 1, analysis.sample_rate_hz)
    middle = features.compute(name, tone, analysis)[20:-20, :, 0].mean(axis=0)
    assert PITCH_CLASSES[middle.argmax()] == note


@every_framed
@every_analysis
def test_a_sound_one_hop_later_is_the_same_frames_one_later(
    name: str, analysis: SpectrogramConfig
) -> None:
    sound = chirp(100, 7_000, 1, analysis.sample_rate_hz) + noise(1, analysis.sample_rate_hz)
    later = np.concatenate([np.zeros(analysis.hop_length, np.float32), sound])
    frames, shifted = (features.compute(name, x, analysis) for x in (sound, later))
    np.testing.assert_allclose(shifted[1:], frames, atol=1e-2)


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
@pytest.mark.parametrize("sizes", [[10_013], [7, 25_000, 1, 0, 333], [10**6]], ids=str)
def test_a_stream_of_blocks_equals_the_whole(
    name: str, analysis: SpectrogramConfig, sizes: list[int]
) -> None:
    samples = noise(2, analysis.sample_rate_hz)
    parts = list(features.stream(name, in_blocks(samples, sizes), analysis))
    whole = features.compute(name, samples, analysis)
    assert len(np.concatenate(parts)) == len(whole)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-3)


@every_framed
@pytest.mark.parametrize("blocks", [[], [silence(0)], [np.full(1, 0.5, np.float32)]], ids=len)
def test_a_stream_of_next_to_nothing_is_one_frame(name: str, blocks: list[Samples]) -> None:
    parts = np.concatenate(list(features.stream(name, blocks, DEFAULT)))
    assert len(parts) == 1 and np.isfinite(parts).all()


def test_silence_is_minus_100_db_and_a_louder_tone_is_louder_by_as_much() -> None:
    levels = [name for name in FRAMED if feature(name).units == {"dB"}]
    assert {"mel", "stft", "gammatone", "cqt"} < set(levels)
    for name in levels:
        assert features.compute(name, silence(), DEFAULT).max() == pytest.approx(-100)
        soft, loud = (features.compute(name, sine(amplitude=a), DEFAULT) for a in (0.05, 0.5))
        assert loud.max() - soft.max() == pytest.approx(20, abs=0.01)


def test_several_features_are_channels_in_their_order() -> None:
    sound = chirp() + noise()
    stack = features.compute("multichannel", sound, DEFAULT)
    titles = [channel.title for channel in feature("multichannel").channels]
    assert titles == ["MFCC", "GFCC", "Constant-Q", "Chroma"]
    for number, name in enumerate(["mfcc", "gfcc", "cqt"]):
        alone = features.compute(name, sound, DEFAULT)[..., 0]
        np.testing.assert_allclose(stack[..., number], alone, rtol=1e-5, atol=1e-4)
    by_name = features.compute("mfcc+gfcc+cqt+chroma", sound, DEFAULT)
    np.testing.assert_array_equal(stack, by_name)
    swapped = features.compute("cqt+mfcc", sound, DEFAULT)
    np.testing.assert_allclose(swapped, stack[..., [2, 0]], rtol=1e-5, atol=1e-4)


def test_pitch_classes_are_stretched_to_the_height_of_the_others() -> None:
    sound = chirp()
    stack = features.compute("chroma+mel", sound, DEFAULT)[..., 0]
    alone = features.compute("chroma", sound, DEFAULT)[..., 0]
    for bin_number in (0, 10, 11, 64, 127):
        np.testing.assert_array_equal(stack[:, bin_number], alone[:, bin_number * 12 // 128])


def test_summary_columns_are_not_scrambled() -> None:
    analysis = SpectrogramConfig(n_bins=40)
    sound = chirp() + noise()
    grid = feature("summary_grid")
    means = grid.summarise(features.compute("summary_grid", sound, analysis)[None])
    assert means.shape == (1, 1, 40, 5)
    for number, name in enumerate(["mfcc", "mel", "chroma", "chroma_cqt", "chroma_cens"]):
        mean = features.compute(name, sound, analysis)[..., 0].mean(axis=0)
        expected = mean[np.arange(40) * len(mean) // 40]
        np.testing.assert_allclose(means[0, 0, :, number], expected, rtol=1e-4, atol=1e-4)


def test_a_summary_holds_means_and_then_deviations_of_the_named_parts() -> None:
    sound = chirp() + noise()
    definition = feature("summary")
    frames = features.compute("summary", sound, DEFAULT)
    summary = definition.summarise(frames[None])[0, 0, :, 0]
    assert len(summary) == 2 * 310
    mel = features.compute("mel", sound, DEFAULT)[..., 0]
    names = dict(definition.channels[0].axis.names(DEFAULT))
    first = names["ZCR, RMS"] + names["MFCC"]
    mean, deviation = summary[first : first + 128], summary[310 + first : 310 + first + 128]
    np.testing.assert_allclose(mean, mel.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(deviation, mel.std(axis=0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("order", [1, 2])
def test_deltas_equal_librosa(order: int) -> None:
    windows = np.stack([features.compute("mel", x, DEFAULT) for x in (chirp(), noise())])
    deltas = features.with_deltas(windows, order)
    assert deltas.shape == (*windows.shape[:3], 1 + order)
    np.testing.assert_array_equal(deltas[..., :1], windows)
    for delta, window in zip(deltas, windows, strict=True):
        expected = librosa.feature.delta(window[..., 0].T, order=order, mode="nearest").T
        np.testing.assert_allclose(delta[..., order], expected, atol=1e-4)


def test_every_axis_has_ticks_within_it() -> None:
    for name in FRAMED:
        definition = feature(name)
        for channel in definition.channels:
            ticks = axes.ticks(channel.axis, DEFAULT, definition.n_bins(DEFAULT), 8)
            assert len(ticks) >= 3
            assert all(0 <= height <= 1 and words for height, words in ticks)


@pytest.mark.parametrize(
    ("low_hz", "high_hz"), [(-1, 8_000), (4_000, 4_000), (5_000, 4_000), (0, 11_026)]
)
def test_a_wrong_band_is_refused_with_the_right_one(low_hz: float, high_hz: float) -> None:
    message = refusal(lambda: SpectrogramConfig(low_hz=low_hz, high_hz=high_hz))
    assert f"{low_hz} to {high_hz} Hz" in message and "11025 Hz" in message


@pytest.mark.parametrize(
    "settings", [{"n_fft": 0}, {"n_fft": 1_023}, {"hop_length": 0}, {"n_bins": 0}]
)
def test_frames_that_cannot_be_made_are_refused(settings: dict[str, int]) -> None:
    assert re.search(
        "at least|must lie between 1 and", refusal(lambda: SpectrogramConfig(**settings))
    )


def test_hops_that_skip_samples_are_refused() -> None:
    assert "half of n_fft" in refusal(lambda: SpectrogramConfig(n_fft=512, hop_length=257))


@pytest.mark.parametrize("high_hz", [20.0, 60.0])
def test_a_band_without_an_octave_is_refused_for_the_constant_q_transform(high_hz: float) -> None:
    message = refusal(lambda: features.compute("cqt", noise(), SpectrogramConfig(high_hz=high_hz)))
    assert "33 Hz" in message and "65 Hz" in message


@pytest.mark.parametrize("name", ["loudness", "mel+loudness", "loudness+mel"])
def test_an_unknown_feature_is_refused_with_those_there_are(name: str) -> None:
    message = refusal(lambda: features.compute(name, noise(), DEFAULT))
    assert "“loudness”" in message and all(name in message for name in FEATURES)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mel+mel", "twice"),
        ("summary+mel", "Summaries"),
        ("mel+waveform", "waveform"),
        ("mel+", "no feature “”"),
    ],
)
def test_features_that_cannot_be_stacked_are_refused(name: str, words: str) -> None:
    assert words in refusal(lambda: feature(name))


def test_channels_of_different_heights_are_refused_with_these() -> None:
    message = refusal(lambda: features.compute("mel+stft", noise(), SpectrogramConfig(n_bins=600)))
    assert "513 and 600" in message


def test_a_sound_that_goes_up_and_down_is_seen_at_its_rate() -> None:
    frontend = for_feature("modulation")
    rate_hz = frontend.spectrogram.sample_rate_hz
    t = np.arange(4 * rate_hz) / rate_hz
    for number, rate in enumerate((3.0, 13.0, 55.0)):
        swing = 0.5 * (1 + 0.5 * np.sin(2 * np.pi * rate * t)) * np.sin(2 * np.pi * 1_000 * t)
        values = features.compute("modulation", swing.astype(np.float32), frontend.spectrogram)
        middle = values[20:30].mean(axis=0)  # (mels, 4 levels + 10 modulations)
        loudest = int(middle[:, 0].argmax())
        hz = mel_hz(frontend.spectrogram)
        assert abs(hz[loudest] - 1_000) < 100, number
        assert RATES_HZ[int(middle[loudest, N_LEVELS:].argmax())] == rate
        # Of an envelope 1 + m sin, a rate's side band has (m / 2)^2 of the mean's power; up to
        # 1.5 dB more where the frames' own levels swing. Spectra of 23 ms blur what is faster.
        share_db = middle[loudest, N_LEVELS:].max()
        expected_db = 10 * np.log10(0.0625 / (1 + 0.125))
        assert rate > 20 or share_db == pytest.approx(expected_db, abs=1.5)


def test_a_steady_sound_does_not_go_up_and_down() -> None:
    frontend = for_feature("modulation")
    steady = sine(1_000.0, 4.0, rate_hz=44_100)
    values = features.compute("modulation", steady, frontend.spectrogram)[20:30]
    loudest = int(values[..., 0].mean(axis=0).argmax())
    assert (values[:, loudest, N_LEVELS:] < -40).all()
