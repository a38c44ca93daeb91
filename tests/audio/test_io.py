"""Every format is read as it was recorded, whole or in blocks."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioclf.audio import io
from tests.sounds import CONTAINERS, chirp, noise, peak_hz, riff, silence, sine, write_container

# name: sample rate in Hz, soundfile's format, its subtype
SNDFILE = {
    "8-bit.wav": (44_100, "WAV", "PCM_U8"),
    "16-bit.wav": (44_100, "WAV", "PCM_16"),
    "24-bit.wav": (44_100, "WAV", "PCM_24"),
    "32-bit.wav": (44_100, "WAV", "PCM_32"),
    "float.wav": (44_100, "WAV", "FLOAT"),
    "lossless.flac": (44_100, "FLAC", "PCM_16"),
    "vorbis.ogg": (44_100, "OGG", "VORBIS"),
    "opus.ogg": (48_000, "OGG", "OPUS"),
    "layer3.mp3": (44_100, "MP3", "MPEG_LAYER_III"),
    "big-endian.aiff": (44_100, "AIFF", "PCM_16"),
    "core.caf": (44_100, "CAF", "PCM_16"),
}
FORMATS = [*SNDFILE, *(f"container{ending}" for ending in CONTAINERS)]


def write_sine(path: Path) -> int:
    """Two seconds of 1 kHz in the format of the path's name; the rate in Hz."""
    if path.name in SNDFILE:
        rate_hz, kind, subtype = SNDFILE[path.name]
        soundfile.write(path, sine(1_000, 2, rate_hz), rate_hz, format=kind, subtype=subtype)
    else:
        rate_hz = CONTAINERS[path.suffix][2] or 44_100
        write_container(path, sine(1_000, 2, rate_hz), rate_hz)
    return rate_hz


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_as_it_was_recorded(tmp_path: Path, name: str) -> None:
    written_hz = write_sine(tmp_path / name)
    samples, rate_hz = io.load(tmp_path / name)
    assert rate_hz == written_hz
    assert samples.ndim == 1 and samples.dtype == np.float32
    assert len(samples) / rate_hz == pytest.approx(2, abs=0.1)
    assert peak_hz(samples, rate_hz) == pytest.approx(1_000, abs=1)
    middle = samples[rate_hz // 2 : -rate_hz // 2]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("name", FORMATS)
def test_every_header_tells_rate_channels_and_duration(tmp_path: Path, name: str) -> None:
    written_hz = write_sine(tmp_path / name)
    header = io.read_header(tmp_path / name)
    assert (header.sample_rate_hz, header.n_channels) == (written_hz, 1)
    assert header.duration_s == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", FORMATS)
def test_blocks_together_are_the_whole_file(tmp_path: Path, name: str) -> None:
    write_sine(tmp_path / name)
    whole, _ = io.load(tmp_path / name)
    blocks = list(io.read_blocks(tmp_path / name, block_s=0.3))
    assert len(blocks) > 4
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)


@pytest.mark.parametrize("n_channels", [2, 6])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.m4a", "a.webm"])
def test_channels_are_mixed_to_their_mean(tmp_path: Path, name: str, n_channels: int) -> None:
    rate_hz = 48_000
    tone, rest = sine(1_000, 1, rate_hz), [silence(1, rate_hz)] * (n_channels - 1)
    channels = np.stack([tone, *rest], axis=1)
    if Path(name).suffix in CONTAINERS:
        write_container(tmp_path / name, channels, rate_hz)
    else:
        soundfile.write(tmp_path / name, channels, rate_hz)
    assert io.read_header(tmp_path / name).n_channels == n_channels
    mono, _ = io.load(tmp_path / name)
    assert peak_hz(mono, rate_hz) == pytest.approx(1_000, abs=1)
    assert np.abs(mono[10_000:-10_000]).max() == pytest.approx(0.5 / n_channels, rel=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_a_rate_is_kept_unless_another_is_asked_for(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, sine(1_000, 1, rate_hz), rate_hz)
    samples, kept_hz = io.load(path)
    assert (kept_hz, len(samples)) == (rate_hz, rate_hz)
    resampled, resampled_hz = io.load(path, 22_050)
    assert (resampled_hz, len(resampled)) == (22_050, 22_050)
    assert peak_hz(resampled, 22_050) == pytest.approx(1_000, abs=1)
    np.testing.assert_allclose(resampled[500:-500], sine(1_000)[500:-500], atol=0.01)


def test_what_the_new_rate_cannot_hold_is_gone_and_not_folded_back() -> None:
    resampled = io.resample(sine(20_000, 1, 96_000), 96_000, 22_050)
    assert np.abs(resampled[500:-500]).max() < 1e-3


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_resampling_in_blocks_leaves_no_seams(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(100, 3_500, 3, rate_hz) + noise(3, rate_hz), rate_hz, "FLOAT")
    at_once, _ = io.load(path, 22_050)
    in_blocks = np.concatenate(list(io.read_blocks(path, 22_050, block_s=0.37)))
    assert len(in_blocks) == len(at_once)
    assert np.abs(in_blocks - at_once).max() < 1e-3


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 96_000])
def test_a_file_of_one_sample_is_a_sound_at_every_rate(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "tick.wav", np.array([0.5]), rate_hz)
    samples, _ = io.load(tmp_path / "tick.wav", 22_050)
    assert len(samples) >= 1


def test_a_browser_recording_without_a_duration_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "recorded.webm"
    write_container(path, sine(1_000, 3, 48_000), 48_000, {"live": "1"})
    assert io.read_header(path).duration_s is None
    samples, rate_hz = io.load(path)
    assert len(samples) / rate_hz == pytest.approx(3, abs=0.1)


def peak_bytes_of_reading(path: Path, expected_s: float) -> int:
    """The most memory that reading in blocks needs at a time."""
    tracemalloc.start()
    n_samples = sum(len(block) for block in io.read_blocks(path, 16_000))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_samples / 16_000 == pytest.approx(expected_s, abs=0.01)
    return peak_bytes


def test_memory_stays_flat_however_long_the_file(tmp_path: Path) -> None:
    second = (noise() * 32_767).astype("<i2").tobytes()
    for minutes in (1, 10):
        (tmp_path / f"{minutes}.wav").write_bytes(riff(second * 60 * minutes))
    short, long = (peak_bytes_of_reading(tmp_path / f"{m}.wav", 60 * m) for m in (1, 10))
    assert long < 1.1 * short
    assert long < 30e6  # ten minutes are 53 MB of float32


def test_writing_neither_raises_nor_lowers_the_level(tmp_path: Path) -> None:
    quiet = sine(amplitude=0.01)
    io.write(tmp_path / "quiet.wav", quiet, 22_050)
    samples, rate_hz = io.load(tmp_path / "quiet.wav")
    assert rate_hz == 22_050
    np.testing.assert_allclose(samples, quiet, atol=1 / 32_768)


def test_writing_clips_what_is_beyond_full_scale(tmp_path: Path) -> None:
    io.write(tmp_path / "loud.wav", np.array([2, -3, 0.5, 1, -1], np.float32), 22_050)
    samples, _ = io.load(tmp_path / "loud.wav")
    np.testing.assert_allclose(samples, [1, -1, 0.5, 1, -1], atol=2 / 32_768)
    assert soundfile.info(tmp_path / "loud.wav").subtype == "PCM_16"
