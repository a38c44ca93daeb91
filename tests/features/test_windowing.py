"""Every sound becomes windows, nothing of it is lost, and times are those of the original."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from audioclf.audio.io import Samples
from audioclf.features import FEATURES, SpectrogramConfig, compute, feature, with_deltas
from audioclf.features import windowing as w
from audioclf.features.config import FrontendConfig, Normalisation, Preprocessing, for_feature
from audioclf.features.windowing import Windows
from tests.sentences import refusal
from tests.sounds import RATE_HZ, noise, silence, sine

RECIPE = FrontendConfig(
    spectrogram=SpectrogramConfig(n_bins=32), window_frames=40
)  # 0.93 s, a step of 20 frames
HOP_S = RECIPE.spectrogram.hop_s
EXACT = RECIPE.window_samples

LENGTHS = {
    "one sample": 1,
    "shorter than a window": EXACT // 3,
    "exactly one window": EXACT,
    "one frame more": EXACT + 512,
    "one sample less": EXACT - 1,
    "5 s": 5 * RATE_HZ,
    "30 s": 30 * RATE_HZ,
}
every_length = pytest.mark.parametrize("n_samples", LENGTHS.values(), ids=LENGTHS)


@every_length
@pytest.mark.parametrize("preprocessing", Preprocessing)
def test_every_clip_gives_windows_to_its_very_end(n_samples: int, preprocessing: str) -> None:
    sound = noise(30)[:n_samples]
    inputs, starts_s, ends_s = w.windows(replace(RECIPE, preprocessing=preprocessing), sound)
    assert inputs.shape == (len(starts_s), 40, 32, 1)
    assert len(starts_s) == len(ends_s) >= 1
    assert np.isfinite(inputs).all()
    assert (np.diff(starts_s) > 0).all() and (np.diff(ends_s) >= 0).all()
    assert (starts_s < ends_s).all()
    assert ends_s[-1] <= n_samples / RATE_HZ
    if preprocessing == "as_is":
        assert starts_s[0] == 0
        assert ends_s[-1] == pytest.approx(n_samples / RATE_HZ)
        assert (starts_s[1:] <= ends_s[:-1]).all()  # no gap


@pytest.mark.parametrize("name", [n for n in FEATURES if not feature(n).summarise])
def test_a_window_holds_the_features_from_its_start_on(name: str) -> None:
    sound = noise(3)
    frontend = replace(RECIPE, feature=name)
    inputs, starts_s, _ = w.windows(frontend, sound)
    frames = compute(name, sound, RECIPE.spectrogram)
    for window, first in zip(inputs, np.rint(starts_s / frontend.hop_s).astype(int), strict=True):
        np.testing.assert_array_equal(window, frames[first : first + 40])
    np.testing.assert_array_equal(inputs[-1], frames[-40:])


def test_windows_step_by_their_overlap() -> None:
    for overlap, step in ((0, 40), (0.5, 20), (0.75, 10)):
        _, starts_s, _ = w.windows(replace(RECIPE, overlap=overlap), noise(5))
        np.testing.assert_allclose(np.diff(starts_s)[:-1], step * HOP_S)


def test_a_short_sound_is_repeated_and_not_padded_with_silence() -> None:
    short = sine(1_000, 0.2)
    inputs, starts_s, ends_s = w.windows(RECIPE, short)
    loudness = inputs[0, :, :, 0].max(axis=1)
    assert loudness.min() > loudness.max() - 10
    assert (starts_s[0], ends_s[0]) == pytest.approx((0, 0.2), abs=1e-3)


def test_zero_samples_are_refused() -> None:
    message = refusal(lambda: w.windows(RECIPE, silence(0)))
    assert "zero samples" in message and "record or choose another" in message
    refusal(lambda: list(w.windows_of_blocks(RECIPE, [])))


def test_silence_from_end_to_end_is_a_sound_like_another() -> None:
    for preprocessing in Preprocessing:
        _, starts_s, ends_s = w.windows(replace(RECIPE, preprocessing=preprocessing), silence(3))
        assert (starts_s[0], ends_s[-1]) == pytest.approx((0, 3))


def test_digital_silence_at_the_ends_is_left_out_and_times_stay_those_of_the_original() -> None:
    sound = np.concatenate([silence(2), noise(3), silence(4)])
    inputs, starts_s, ends_s = w.windows(RECIPE, sound)
    bare = w.windows(RECIPE, noise(3))
    np.testing.assert_array_equal(inputs, bare.inputs)
    np.testing.assert_allclose(starts_s, bare.starts_s + 2, atol=1e-3)
    np.testing.assert_allclose(ends_s, bare.ends_s + 2, atol=1e-3)


def test_silence_inside_a_sound_stays() -> None:
    _, starts_s, ends_s = w.windows(RECIPE, np.concatenate([noise(1), silence(3), noise(1)]))
    assert (starts_s[0], ends_s[-1]) == pytest.approx((0, 5), abs=1e-3)
    assert (np.diff(starts_s) < 0.5).all()


def test_windows_without_silence_have_times_in_the_original() -> None:
    sound = np.concatenate([silence(2), noise(2), silence(3), noise(2, seed=1), silence(1)])
    frontend = replace(RECIPE, preprocessing="silence_removed")
    inputs, starts_s, ends_s = w.windows(frontend, sound)
    assert (starts_s[0], ends_s[-1]) == pytest.approx((2, 9), abs=0.1)
    in_gap = (starts_s > 4.1) & (starts_s < 6.9) | (ends_s > 4.1) & (ends_s < 6.9)
    assert not in_gap.any()
    across = (starts_s < 4) & (ends_s > 7)
    assert across.any() and (starts_s >= 6.9).any()
    silent = inputs[..., 0].max(axis=2) < -60  # frames at the edges of the stretches stay
    assert silent.mean() < 0.1


def in_blocks(samples: Samples, size: int) -> Iterator[Samples]:
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def joined(frontend: FrontendConfig, samples: Samples, size: int) -> Windows:
    parts = list(w.windows_of_blocks(frontend, in_blocks(samples, size)))
    inputs, starts_s, ends_s = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Windows(inputs, starts_s, ends_s)


def assert_equal_windows(actual: Windows, expected: Windows) -> None:
    np.testing.assert_allclose(actual.starts_s, expected.starts_s, atol=1e-9)
    np.testing.assert_allclose(actual.ends_s, expected.ends_s, atol=1e-9)
    np.testing.assert_allclose(actual.inputs, expected.inputs, atol=1e-3)


@every_length
@pytest.mark.parametrize("size", [777, 30_011, 10**6])
@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.9])
def test_windows_of_blocks_are_those_of_the_whole(
    n_samples: int, size: int, overlap: float
) -> None:
    sound, frontend = noise(30)[:n_samples], replace(RECIPE, overlap=overlap)
    assert_equal_windows(joined(frontend, sound, size), w.windows(frontend, sound))


@pytest.mark.parametrize("preprocessing", ["denoised", "silence_removed"])
def test_cleaning_in_blocks_is_refused(preprocessing: str) -> None:
    frontend = replace(RECIPE, preprocessing=preprocessing)
    message = refusal(lambda: joined(frontend, noise(3), 1_000))
    assert "whole sound at once" in message and "choose" in message


LEARNT = [("mel", 2), ("multichannel", 0), ("summary", 0), ("summary_grid", 0), ("waveform", 0)]


@pytest.mark.parametrize(("name", "deltas"), LEARNT)
@pytest.mark.parametrize("n_samples", [EXACT // 3, 5 * RATE_HZ])
def test_every_kind_of_input_is_the_same_in_blocks(name: str, deltas: int, n_samples: int) -> None:
    frontend = replace(for_feature(name, RECIPE), deltas=deltas)
    sound = noise(5)[:n_samples]
    whole = w.windows(frontend, sound)
    assert whole.inputs.shape[1:] == frontend.input_shape
    assert_equal_windows(joined(frontend, sound, 30_011), whole)


def test_deltas_are_further_channels_of_a_window() -> None:
    plain = w.windows(RECIPE, noise(3)).inputs
    inputs = w.windows(replace(RECIPE, deltas=2), noise(3)).inputs
    assert inputs.shape == (*plain.shape[:3], 3)
    np.testing.assert_array_equal(inputs[..., :1], plain)
    rising = plain[:, 4:-4, :, 0] * 0 + np.arange(32).reshape(1, 32, 1)  # one unit per frame
    slopes = with_deltas(rising[..., None], 1)[..., 1]
    np.testing.assert_allclose(slopes[:, 4:-4], 1, atol=1e-5)


def test_a_waveform_is_three_seconds_of_samples() -> None:
    frontend = for_feature("waveform")
    sound = noise(5, 10_000)
    inputs, starts_s, ends_s = w.windows(frontend, sound)
    assert inputs.shape == (3, 30_000, 1, 1)
    np.testing.assert_allclose(starts_s, [0, 1.5, 2])
    np.testing.assert_allclose(ends_s, [3, 4.5, 5])
    np.testing.assert_array_equal(inputs[1, :, 0, 0], sound[15_000:45_000])


def test_normalising_takes_mean_and_deviation_of_every_bin_and_channel() -> None:
    bare = replace(RECIPE, feature="mfcc+gammatone")
    inputs = w.windows(bare, noise(4) + sine(2_000, 4)).inputs
    frames = inputs.reshape(-1, *inputs.shape[2:])
    normalisation = Normalisation(
        tuple(map(tuple, frames.mean(axis=0).tolist())),
        tuple(map(tuple, frames.std(axis=0).tolist())),
    )
    normal = w.normalise(replace(bare, normalisation=normalisation), inputs)
    assert normal.shape == inputs.shape and normal.dtype == np.float32
    np.testing.assert_allclose(normal.mean(axis=(0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(normal.std(axis=(0, 1)), 1, atol=1e-3)
    np.testing.assert_array_equal(w.normalise(bare, inputs), inputs)
