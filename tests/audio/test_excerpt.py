"""Parts of sound files: the same samples as in the whole file, whatever its format."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioclf.audio import excerpt, io
from tests import sounds
from tests.sentences import refusal

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def long_one() -> np.ndarray:
    """Seventy seconds of two channels, longer than what is decoded again for every part."""
    rng = np.random.default_rng(0)
    slow = np.cumsum(rng.normal(0, 0.01, (70 * RATE_HZ, 2)), axis=0)
    return (0.5 * np.sin(slow)).astype(np.float32)


@pytest.mark.parametrize(
    ("ending", "subtype"),
    [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_24"), ("aiff", "PCM_16"), ("caf", "PCM_16"),
     ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")],
)  # fmt: skip
def test_a_part_is_what_lies_there_in_the_whole(
    tmp_path: Path, long_one: np.ndarray, ending: str, subtype: str
) -> None:
    path = tmp_path / f"long.{ending}"
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, subtype) as file:
        for first in range(0, len(long_one), RATE_HZ):  # libsndfile breaks on much Vorbis at once
            file.write(long_one[first : first + RATE_HZ])
    whole, rate_hz = io.load(path)
    for start_s, end_s in ((0.0, 1.0), (31.234567, 33.5), (60.0, 69.999)):
        part, part_hz = excerpt.samples_of(path, start_s, end_s)
        expected = whole[round(start_s * rate_hz) : round(end_s * rate_hz)]
        assert part_hz == rate_hz and len(part) == len(expected)
        np.testing.assert_allclose(part, expected, atol=1e-4)
    assert "Nothing lies" in refusal(lambda: excerpt.samples_of(path, 80.0, 90.0))


def test_the_beginning_of_a_long_mp3_is_there_before_all_of_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_one: np.ndarray
) -> None:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "long.mp3"
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "MPEG_LAYER_III") as file:
        for _ in range(3):
            file.write(long_one)
    whole = io.load(path)[0]
    first, _ = excerpt.samples_of(path, 3.0, 33.0)
    np.testing.assert_allclose(first, whole[3 * RATE_HZ : 33 * RATE_HZ], atol=1e-4)
    assert not (tmp_path / "cache").exists() and not excerpt.can_be_entered(path)
    later, _ = excerpt.samples_of(path, 150.0, 151.0)
    np.testing.assert_allclose(later, whole[150 * RATE_HZ : 151 * RATE_HZ], atol=1e-4)
    assert excerpt.can_be_entered(path)


@pytest.mark.parametrize("ending", ["wav", "ogg"])
def test_a_part_of_a_short_file_and_the_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"short.{ending}"
    soundfile.write(path, sounds.sine(440, 2.0), sounds.RATE_HZ)
    part, _ = excerpt.samples_of(path, 0.5, 1.0)
    whole, rate_hz = excerpt.samples_of(path, 0.0, 100.0)
    np.testing.assert_array_equal(part, whole[rate_hz // 2 : rate_hz])


@pytest.mark.parametrize(
    ("ending", "subtype", "form", "expected"),
    [
        ("wav", "PCM_24", "flac", "PCM_24"),
        ("wav", "PCM_24", "wav", "PCM_24"),
        ("wav", "FLOAT", "wav", "FLOAT"),
        ("flac", "PCM_16", "wav", "PCM_16"),
        ("ogg", "VORBIS", "flac", "PCM_16"),
    ],
)
def test_what_is_cut_out_has_the_rate_the_channels_and_the_depth_of_the_original(
    tmp_path: Path, long_one: np.ndarray, ending: str, subtype: str, form: str, expected: str
) -> None:
    source, target = tmp_path / f"a.{ending}", tmp_path / f"b.{form}"
    soundfile.write(source, long_one[: 5 * RATE_HZ], RATE_HZ, subtype=subtype)
    excerpt.cut(source, target, 1.0, 1.5)
    info = soundfile.info(target)
    assert (info.samplerate, info.subtype, info.frames) == (RATE_HZ, expected, RATE_HZ // 2)
    if ending != "ogg":
        assert info.channels == 2
        cut, original = soundfile.read(target)[0], soundfile.read(source)[0]
        np.testing.assert_array_equal(cut, original[RATE_HZ : RATE_HZ + RATE_HZ // 2])
    assert "Nothing lies" in refusal(lambda: excerpt.cut(source, target, 9.0, 9.5))


@pytest.mark.parametrize(
    ("rate_hz", "wav_hz"), [(1_000, 8_000), (22_050, 22_050), (192_000, 48_000)]
)
def test_what_browsers_play_is_as_loud_and_as_long(
    tmp_path: Path, rate_hz: int, wav_hz: int
) -> None:
    path = tmp_path / "heard.wav"
    path.write_bytes(excerpt.as_wav(sounds.sine(200, 1.0, rate_hz, amplitude=0.25), rate_hz))
    samples, found_hz = io.load(path)
    assert found_hz == wav_hz and len(samples) == pytest.approx(wav_hz, abs=2)
    assert np.abs(samples[wav_hz // 10 : -wav_hz // 10]).max() == pytest.approx(0.25, abs=0.01)


def test_a_broken_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF" + bytes(40))
    assert "broken.wav" in refusal(lambda: excerpt.samples_of(path, 0.0, 1.0))
    assert "broken.wav" in refusal(lambda: excerpt.cut(path, tmp_path / "x.wav", 0.0, 1.0))


def test_a_part_with_too_many_samples_is_read_at_a_lower_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bat.flac"
    soundfile.write(path, sounds.sine(10_000, 4.0, 384_000), 384_000)
    short, short_hz = excerpt.samples_of(path, 1.0, 1.5)
    assert (short_hz, len(short)) == (384_000, 192_000)  # few enough: as it is
    monkeypatch.setattr(excerpt, "MOST_SAMPLES", 300_000)
    part, part_hz = excerpt.samples_of(path, 1.0, 3.0)
    assert (part_hz, len(part)) == (150_000, 300_000)
    assert sounds.peak_hz(part, part_hz) == pytest.approx(10_000, abs=2)
    for start_s, end_s in ((0.0, 4.0), (0.0, 100.0)):
        whole, whole_hz = excerpt.samples_of(path, start_s, end_s)
        assert len(whole) / whole_hz == pytest.approx(4.0) and whole_hz == 75_000
