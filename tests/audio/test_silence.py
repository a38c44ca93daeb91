"""Splitting finds the segments with sound, and times find their way back."""

import librosa
import numpy as np
import pytest

from audioclf.audio import silence
from audioclf.audio.io import Samples
from audioclf.audio.silence import Split
from tests import sounds
from tests.sentences import refusal
from tests.sounds import RATE_HZ, chirp, clicks, noise, sine

BARE = Split(min_length_s=0, min_gap_s=0)
SILENT = {
    "silence": sounds.silence(),
    "no samples": sounds.silence(0),
    "only NaN": np.full(RATE_HZ, np.nan, np.float32),
    "almost silent": noise(amplitude=1e-9),
}


def patchwork() -> Samples:
    """1 s silence, 1 s tone, 0.5 s silence, 0.05 s tone, 1 s silence, 2 s tone."""
    parts = [
        sounds.silence(1),
        sine(),
        sounds.silence(0.5),
        sine(500, 0.05),
        sounds.silence(1),
        sine(2_000, 2),
    ]
    return np.concatenate(parts)


SPLITTABLE = {
    "patchwork": patchwork(),
    "patchwork in hiss": patchwork() + noise(6, amplitude=0.001)[: len(patchwork())],
    "fading": sine(440, 3) * np.geomspace(1, 1e-4, 3 * RATE_HZ).astype(np.float32),
    "clicks": clicks(3, every_s=0.7),
    "chirp": chirp(seconds=2),
    "noise": noise(2),
    "loud and soft": np.concatenate([sine(), 0.005 * sine(), 0.02 * sine(), sounds.silence(0.3)]),
    "short": noise()[:900],
}


@pytest.mark.parametrize("samples", SPLITTABLE.values(), ids=SPLITTABLE)
def test_splitting_equals_librosa(samples: Samples) -> None:
    expected = librosa.effects.split(samples, top_db=40, frame_length=2_048, hop_length=512)
    actual = silence.split(samples, RATE_HZ, BARE) * RATE_HZ
    np.testing.assert_array_equal(np.rint(actual), expected)


def test_splitting_finds_where_the_sound_is() -> None:
    actual = silence.split(patchwork(), RATE_HZ)
    np.testing.assert_allclose(actual, [[1, 2], [2.5, 2.55], [3.55, 5.55]], atol=0.07)


def test_segments_below_the_minimum_length_are_dropped() -> None:
    segments = silence.split(patchwork(), RATE_HZ, Split(min_length_s=0.5))
    np.testing.assert_allclose(segments, [[1, 2], [3.55, 5.55]], atol=0.07)


def test_gaps_below_the_minimum_are_bridged() -> None:
    segments = silence.split(patchwork(), RATE_HZ, Split(min_gap_s=0.7))
    np.testing.assert_allclose(segments, [[1, 2.55], [3.55, 5.55]], atol=0.07)


def test_trimming_keeps_all_from_the_first_sound_to_the_last() -> None:
    padded = np.concatenate([patchwork(), sounds.silence(2)])
    np.testing.assert_allclose(silence.trim(padded, RATE_HZ), (1, 5.55), atol=0.07)


@pytest.mark.parametrize("samples", SILENT.values(), ids=SILENT)
def test_silence_has_no_segments(samples: Samples) -> None:
    assert silence.split(samples, RATE_HZ).shape == (0, 2)
    assert silence.trim(samples, RATE_HZ) == (0, 0)
    assert len(silence.join(samples, RATE_HZ, silence.split(samples, RATE_HZ))) == 0


def test_joining_leaves_out_what_lies_between() -> None:
    sound = np.arange(100, dtype=np.float32)
    joined = silence.join(sound, 10, np.array([[1.0, 2.0], [5.0, 5.5]]))
    np.testing.assert_array_equal(joined, [*range(10, 20), *range(50, 55)])


def test_times_in_the_joined_sound_find_their_way_back_across_seams() -> None:
    segments = np.array([[1.0, 2.0], [5.0, 5.5], [8.0, 10.0]])
    joined_s = np.array([0.0, 0.5, 1.0, 1.25, 1.5, 3.5])
    np.testing.assert_allclose(silence.original_time(joined_s[:-1], segments), [1, 1.5, 5, 5.25, 8])
    np.testing.assert_allclose(
        silence.original_time(joined_s[1:], segments, ends=True), [1.5, 2, 5.25, 5.5, 10]
    )


@pytest.mark.parametrize(
    "settings", [{"top_db": 0}, {"top_db": -40}, {"min_length_s": -1}, {"min_gap_s": -0.1}]
)
def test_bad_split_settings_are_refused(settings: dict[str, float]) -> None:
    message = refusal(lambda: Split(**settings))
    assert "silence threshold" in message and "choose other settings" in message
