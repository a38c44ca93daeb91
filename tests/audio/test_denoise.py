"""Denoising lowers the noise and keeps the sound."""

import numpy as np
import pytest

from audioclf.audio.denoise import denoise
from audioclf.audio.io import Samples
from audioclf.audio.silence import split
from tests.sentences import refusal
from tests.sounds import RATE_HZ, noise, peak_hz, silence, sine


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))


def tone_and_noise_db(samples: Samples, frequency_hz: float) -> tuple[float, float]:
    """Levels of what lies within 40 Hz of a tone and of everything else, in dB."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE_HZ) - frequency_hz) < 40
    return 10 * np.log10(power[near].sum()), 10 * np.log10(power[~near].sum())


def bursts_in_noise() -> tuple[Samples, Samples]:
    """A tone of 0.2 s at the end of every second, in noise; and the noise alone."""
    tone = np.concatenate([silence(0.8), sine(1_000, 0.2)] * 5)
    hiss = noise(5, amplitude=0.05)
    return tone + hiss, hiss


@pytest.mark.parametrize("stationary", [False, True], ids=["running", "stationary"])
def test_denoising_lowers_noise_and_keeps_a_tone(stationary: bool) -> None:
    noisy, hiss = bursts_in_noise()
    quiet = denoise(noisy, RATE_HZ, stationary=stationary, noise=hiss[:RATE_HZ])
    assert quiet.dtype == np.float32 and len(quiet) == len(noisy)
    pause = slice(RATE_HZ * 32 // 10, RATE_HZ * 36 // 10)
    assert level_db(quiet[pause]) < level_db(noisy[pause]) - 20
    burst = slice(RATE_HZ * 382 // 100, RATE_HZ * 398 // 100)
    assert peak_hz(quiet[burst], RATE_HZ) == pytest.approx(1_000, abs=7)
    tone_before, noise_before = tone_and_noise_db(noisy[burst], 1_000)
    tone_after, noise_after = tone_and_noise_db(quiet[burst], 1_000)
    assert (tone_after - noise_after) - (tone_before - noise_before) > 10
    assert level_db(quiet[burst]) > level_db(quiet[pause]) + 25


def test_a_noise_segment_sets_what_is_removed() -> None:
    hum = sine(3_000, 2, amplitude=0.1)
    voice = np.concatenate([silence(0.5), sine(1_000, 1), silence(0.5)])
    stretch = hum[:RATE_HZ] + noise(1, amplitude=0.001)
    quiet = denoise(voice + hum, RATE_HZ, stationary=True, noise=stretch)
    middle = slice(RATE_HZ * 7 // 10, RATE_HZ * 13 // 10)
    hum_before, _ = tone_and_noise_db((voice + hum)[middle], 3_000)
    hum_after, _ = tone_and_noise_db(quiet[middle], 3_000)
    voice_before, _ = tone_and_noise_db((voice + hum)[middle], 1_000)
    voice_after, _ = tone_and_noise_db(quiet[middle], 1_000)
    assert hum_after < hum_before - 10
    assert abs(voice_after - voice_before) < 1


@pytest.mark.parametrize("stationary", [False, True], ids=["running", "stationary"])
def test_strength_zero_changes_nothing_audible(stationary: bool) -> None:
    noisy, _ = bursts_in_noise()
    same = denoise(noisy, RATE_HZ, stationary=stationary, strength=0)
    assert level_db(same - noisy) < level_db(noisy) - 35


def test_half_the_strength_leaves_more_noise_than_all_of_it() -> None:
    noisy, _ = bursts_in_noise()
    levels = [level_db(denoise(noisy, RATE_HZ, strength=s)[:8_000]) for s in (0, 0.5, 1)]
    assert levels[0] > levels[1] + 2 > levels[2] + 4


@pytest.mark.parametrize("strength", [-1.0, 2.0, float("nan")])
def test_a_strength_that_is_no_share_is_refused(strength: float) -> None:
    refusal(lambda: denoise(noise(), RATE_HZ, strength=strength))


HARD = {
    "silence": silence(),
    "one sample": np.full(1, 0.5, np.float32),
    "512 samples": noise()[:512],
    "2047 samples": noise()[:2_047],
    "2048 samples": noise()[:2_048],
    "no samples": silence(0),
    "only NaN": np.full(RATE_HZ, np.nan, np.float32),
    "some NaN": np.where(np.arange(RATE_HZ) % 1_000 == 7, np.nan, noise()).astype(np.float32),
    "infinite": np.where(np.arange(RATE_HZ) == 7, np.inf, noise()).astype(np.float32),
    "almost silent": noise(amplitude=1e-9),
}


@pytest.mark.parametrize("stationary", [False, True], ids=["running", "stationary"])
@pytest.mark.parametrize("samples", HARD.values(), ids=HARD)
def test_denoising_is_safe_on_what_people_bring(samples: Samples, stationary: bool) -> None:
    done = denoise(samples, RATE_HZ, stationary=stationary)
    assert done.shape == samples.shape
    assert np.isfinite(done).all()


@pytest.mark.parametrize("stretch", [silence(), silence(0), noise()[:100]])
def test_a_noise_stretch_without_noise_is_no_obstacle(stretch: Samples) -> None:
    noisy, _ = bursts_in_noise()
    done = denoise(noisy, RATE_HZ, stationary=True, noise=stretch)
    without = denoise(noisy, RATE_HZ, stationary=True)
    np.testing.assert_array_equal(done, without)


def test_stereo_is_refused_with_what_to_do() -> None:
    stereo = np.stack([noise(), noise()])
    for call in (denoise, split):
        message = refusal(lambda call=call: call(stereo, RATE_HZ))
        assert "one channel" in message and "mix the channels first" in message


def test_denoising_below_8_khz_is_refused() -> None:
    message = refusal(lambda: denoise(noise(1, 7_999), 7_999))
    assert "8000 Hz or more" in message and "7999 Hz" in message
    assert len(denoise(noise(1, 8_000), 8_000)) == 8_000
