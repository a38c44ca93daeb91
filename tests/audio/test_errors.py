"""What cannot be read is refused in one sentence that names the file and says what to do."""

import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioclf.audio import io
from audioclf.audio.io import Limits
from tests.sentences import refusal
from tests.sounds import CONTAINERS, noise, riff, sine, write_container

READERS: dict[str, Callable[[Path], object]] = {
    "load": io.load,
    "read_blocks": lambda path: list(io.read_blocks(path)),
}
reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


def write_tone(path: Path, seconds: float = 2) -> None:
    if path.suffix in CONTAINERS:
        write_container(path, noise(seconds, 44_100), 44_100)
    else:
        soundfile.write(path, noise(seconds, 44_100), 44_100)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    message = refusal(lambda: io.load(tmp_path / "nowhere.wav"))
    assert message == "There is no file “nowhere.wav”: check the name and choose it again."


def test_a_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    message = refusal(lambda: io.load(tmp_path))
    assert f"“{tmp_path.name}” is a folder" in message and "choose one sound file" in message


@reader
@pytest.mark.parametrize("name", ["void.wav", "void.mp3", "void.m4a"])
def test_an_empty_file_is_refused_with_its_name(
    tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    (tmp_path / name).touch()
    message = refusal(lambda: read(tmp_path / name))
    assert f"“{name}” is empty" in message and "record or export it again" in message


@pytest.mark.parametrize("name", ["notes.txt", "notes.wav", "notes.ogg"])
def test_text_is_refused_and_the_formats_are_listed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary, today I recorded nothing.\n" * 50)
    message = refusal(lambda: io.load(tmp_path / name))
    assert f"“{name}” is not a sound that can be read" in message
    assert all(ending in message for ending in ("wav", "flac", "ogg", "mp3", "m4a", "webm"))


@reader
@pytest.mark.parametrize(
    "ending", ["wav", "aiff", "flac", "mp3", "caf", "ogg", "m4a", "mp4", "aac", "wma"]
)
def test_a_truncated_file_is_refused_with_its_name(
    tmp_path: Path, ending: str, read: Callable[[Path], object]
) -> None:
    write_tone(tmp_path / f"whole.{ending}")
    content = (tmp_path / f"whole.{ending}").read_bytes()
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(content[: len(content) // 2])
    message = refusal(lambda: read(cut))
    assert f"“cut.{ending}” is" in message
    assert "cut off" in message and "export it again" in message


def test_a_truncated_wav_says_where_it_ends(tmp_path: Path) -> None:
    content = riff(bytes(4 * 22_050))  # two seconds
    (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2])
    assert "after 1.0 s" in refusal(lambda: io.load(tmp_path / "cut.wav"))


@reader
def test_a_sound_of_zero_samples_is_refused(tmp_path: Path, read: Callable[[Path], object]) -> None:
    (tmp_path / "none.wav").write_bytes(riff(b""))
    message = refusal(lambda: read(tmp_path / "none.wav"))
    assert "“none.wav” holds no sound (zero samples)" in message


@reader
def test_a_sound_of_only_nan_is_refused(tmp_path: Path, read: Callable[[Path], object]) -> None:
    soundfile.write(tmp_path / "nan.wav", np.full(5_000, np.nan), 22_050, subtype="FLOAT")
    message = refusal(lambda: read(tmp_path / "nan.wav"))
    assert message == "“nan.wav” holds no numbers, only NaN: export it again."


def test_a_sound_with_some_nan_is_repaired_with_silence(tmp_path: Path) -> None:
    broken = sine()
    broken[1_000:1_500], broken[2_000], broken[3_000] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "gap.wav", broken, 22_050, subtype="FLOAT")
    expected = np.where(np.isfinite(broken), broken, 0)
    samples, _ = io.load(tmp_path / "gap.wav")
    np.testing.assert_array_equal(samples, expected)
    blocks = io.read_blocks(tmp_path / "gap.wav", block_s=0.02)  # some of them only NaN
    np.testing.assert_array_equal(np.concatenate(list(blocks)), expected)


@reader
@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_level_whose_square_is_no_number_is_refused(
    tmp_path: Path, n_channels: int, read: Callable[[Path], object]
) -> None:
    loud = np.full((5_000, n_channels), 3e38, np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, 22_050, subtype="FLOAT")
    message = refusal(lambda: read(tmp_path / "loud.wav"))
    assert message == ("“loud.wav” has values up to 3e+38 where full scale is 1: export it again.")


def test_numbers_that_were_never_scaled_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", sine() * 2.0**31, 22_050, subtype="FLOAT")
    samples, _ = io.load(tmp_path / "whole.wav")
    np.testing.assert_allclose(samples, sine() * 2.0**31, rtol=1e-6)


def test_an_unknown_codec_is_refused_with_another_to_choose(tmp_path: Path) -> None:
    (tmp_path / "odd.wav").write_bytes(riff(bytes(4_000), format_tag=0x1234))
    message = refusal(lambda: io.load(tmp_path / "odd.wav"))
    assert "“odd.wav” uses a codec that cannot be decoded" in message and "wav or flac" in message


def test_a_rate_of_a_hundred_hertz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slow.wav").write_bytes(riff(bytes(4_000), rate_hz=100))
    message = refusal(lambda: io.load(tmp_path / "slow.wav"))
    assert "“slow.wav” has a sample rate of 100 Hz" in message


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "liar.wav").write_bytes(riff(bytes(44_100), promised_bytes=2_000_000_000))
    assert "“liar.wav” is cut off" in refusal(lambda: io.load(tmp_path / "liar.wav"))


@pytest.mark.parametrize("promised_bytes", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_recorder_that_never_filled_in_the_size_is_read(
    tmp_path: Path, promised_bytes: int
) -> None:
    content = (sine() * 32_767).astype("<i2").tobytes()
    (tmp_path / "live.wav").write_bytes(riff(content, promised_bytes=promised_bytes))
    samples, rate_hz = io.load(tmp_path / "live.wav")
    assert (len(samples), rate_hz) == (22_050, 22_050)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_duration_s=600), "lasts 22676 s and 600 s are accepted here: cut out"),
        (Limits(max_bytes=10_000_000), "has 1000.0 MB and 10 MB are accepted here: cut it"),
    ],
    ids=["duration", "bytes"],
)
def test_a_limit_is_checked_before_anything_is_decoded(
    tmp_path: Path, limits: Limits, words: str
) -> None:
    path = tmp_path / "huge.wav"
    path.write_bytes(riff(b"", promised_bytes=1_000_000_000))
    os.truncate(path, 44 + 1_000_000_000)  # a hole: takes no space on the disk
    tracemalloc.start()
    messages = [
        refusal(lambda: io.load(path, limits=limits)),
        refusal(lambda: io.read_header(path, limits)),
        refusal(lambda: list(io.read_blocks(path, limits=limits))),
    ]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(f"“huge.wav” {words}" in sentence for sentence in messages)
    assert peak_bytes < 2e6


def test_a_sound_within_the_limits_is_read(tmp_path: Path) -> None:
    write_tone(tmp_path / "short.wav")
    samples, _ = io.load(tmp_path / "short.wav", limits=Limits(2.5, 1_000_000))
    assert len(samples) == 2 * 44_100


def test_a_file_that_hides_its_duration_is_stopped_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "recorded.webm"
    write_container(path, noise(10, 48_000), 48_000, {"live": "1"})
    message = refusal(lambda: io.load(path, limits=Limits(max_duration_s=5)))
    assert "“recorded.webm” lasts" in message and "5 s are accepted here" in message


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
}


@pytest.mark.parametrize("name", ["list.mp3", "list.m3u8", "list.m4a", "list.wav"])
@pytest.mark.parametrize("playlist", PLAYLISTS.values(), ids=PLAYLISTS)
def test_a_playlist_leads_to_no_other_file(tmp_path: Path, playlist: str, name: str) -> None:
    write_container(tmp_path / "secret.aac", sine(1_000, 2, 44_100), 44_100)
    (tmp_path / name).write_text(playlist.format(target=tmp_path / "secret.aac"))
    assert f"“{name}” is" in refusal(lambda: io.load(tmp_path / name))


@pytest.mark.parametrize("name", ["list.mp3", "list.m3u8"])
def test_a_playlist_leads_to_no_address(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/secret.aac"
        (tmp_path / name).write_text(PLAYLISTS["m3u8"].format(target=address))
        message = refusal(lambda: io.load(tmp_path / name))
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            server.accept()
    assert f"“{name}” is" in message
