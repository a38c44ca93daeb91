"""Files that another process decodes: whatever they do to it costs one request."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from audioclf.audio import decoder as _decoder
from audioclf.audio import io
from audioclf.audio.io import Limits
from tests.sentences import refusal
from tests.sounds import noise, peak_hz, sine, write_container

ROOT = Path(__file__).parents[2]
MANY = {  # name: container, codec, layout, channels, rate in Hz
    "surround.m4a": ("ipod", "aac", "7.1", 8, 48_000),
    "surround.webm": ("webm", "libopus", "7.1", 8, 48_000),
    "surround.mkv": ("matroska", "pcm_s16le", "7.1", 8, 48_000),
    "sixteen.mkv": ("matroska", "pcm_s16le", "hexadecagonal", 16, 48_000),
    "floats.mkv": ("matroska", "pcm_f32le", "hexadecagonal", 16, 384_000),
}


def write_many(path: Path, seconds: float = 1.0, options: dict[str, str] | None = None) -> int:
    """A tone in the first channel and silence in the others; how many channels."""
    kind, codec, layout, n_channels, rate_hz = MANY[path.name]
    packed = np.zeros((n_channels, round(seconds * rate_hz)), np.float32)
    packed[0] = sine(1_000, seconds, rate_hz)
    with av.open(str(path), "w", format=kind, options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(packed.T).reshape(1, -1), format="flt", layout=layout
        )
        frame.sample_rate = rate_hz
        frame_size = stream.codec_context.frame_size or 4_096
        to_encoder = av.AudioResampler(stream.format, layout, rate_hz, frame_size=frame_size)
        for part in [*to_encoder.resample(frame), *to_encoder.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return n_channels


def child_of_this_process() -> int:
    """The newest process that this one has started and that decodes."""
    pids = []
    for task in Path("/proc/self/task").iterdir():
        pids += [int(pid) for pid in (task / "children").read_text().split()]
    decoders = [
        pid
        for pid in pids
        if b"audioclf.audio.decoder_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return max(decoders)


@pytest.fixture(autouse=True)
def no_decoder_of_other_tests() -> Iterator[None]:
    _decoder._end_all()
    yield
    _decoder._end_all()


@pytest.mark.parametrize("name", MANY)
def test_eight_channels_and_more_are_mixed_to_their_mean(tmp_path: Path, name: str) -> None:
    n_channels = write_many(tmp_path / name)
    header = io.read_header(tmp_path / name)
    assert (header.n_channels, header.sample_rate_hz) == (n_channels, MANY[name][-1])
    mono, rate_hz = io.load(tmp_path / name)
    assert len(mono) / rate_hz == pytest.approx(1, abs=0.1)
    assert peak_hz(mono, rate_hz) == pytest.approx(1_000, abs=1)
    middle = mono[len(mono) // 4 : -len(mono) // 4]
    assert np.abs(middle).max() == pytest.approx(0.5 / n_channels, rel=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_decoder_that_crashes_costs_its_file_alone(tmp_path: Path) -> None:
    write_many(tmp_path / "surround.mkv", 20)
    blocks = io.read_blocks(tmp_path / "surround.mkv", block_s=0.1)
    next(blocks)
    os.kill(child_of_this_process(), signal.SIGSEGV)
    message = refusal(lambda: list(blocks))
    assert "“surround.mkv” cannot be decoded (its decoder crashed)" in message
    assert len(io.load(tmp_path / "surround.mkv")[0]) == 20 * 48_000  # a new one does


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_decoder_that_is_stuck_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_many(tmp_path / "surround.mkv", 20)
    blocks = io.read_blocks(tmp_path / "surround.mkv", block_s=0.1)
    next(blocks)
    decoder = child_of_this_process()
    os.kill(decoder, signal.SIGSTOP)
    monkeypatch.setattr(_decoder, "PATIENCE_S", 0.2)
    assert "(its decoder took too long)" in refusal(lambda: list(blocks))
    assert not Path(f"/proc/{decoder}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only there is memory limited")
def test_a_decoder_that_wants_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_many(tmp_path / "surround.mkv")
    monkeypatch.setattr(_decoder, "MEMORY_BYTES", 0)
    message = refusal(lambda: io.load(tmp_path / "surround.mkv"))
    assert "“surround.mkv”" in message


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_one_decoder_reads_a_folder_and_none_reads_two(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_container(tmp_path / name / "a.m4a", sine(440, 1, 44_100), 44_100)
        write_container(tmp_path / name / "b.m4a", sine(440, 1, 44_100), 44_100)
    used = []
    for name in ("one/a.m4a", "one/b.m4a", "two/a.m4a"):
        io.read_header(tmp_path / name)
        io.load(tmp_path / name)
        used.append(child_of_this_process())
    assert used[0] == used[1] != used[2]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_decoder_that_died_while_it_waited_is_replaced(tmp_path: Path) -> None:
    write_container(tmp_path / "a.m4a", sine(440, 1, 44_100), 44_100)
    first, _ = io.load(tmp_path / "a.m4a")
    os.kill(child_of_this_process(), signal.SIGKILL)
    again, _ = io.load(tmp_path / "a.m4a")
    np.testing.assert_array_equal(again, first)


def test_values_are_counted_where_the_header_says_no_length(tmp_path: Path) -> None:
    path = tmp_path / "surround.webm"
    write_many(path, 2.0, {"live": "1"})
    assert io.read_header(path).duration_s is None
    io.load(path, limits=Limits(max_values=8 * 96_000, max_samples=96_000))
    for limits in (Limits(max_values=4 * 96_000), Limits(max_samples=48_000)):
        message = refusal(lambda limits=limits: list(io.read_blocks(path, limits=limits)))
        assert "8 channels at 48000 Hz, too much for its length here" in message


def test_values_are_counted_where_the_header_lies(tmp_path: Path) -> None:
    path = tmp_path / "liar.flac"
    soundfile.write(path, noise(3, 22_050), 22_050)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of the length in STREAMINFO: 0, which means unknown
    content[22:26] = bytes(4)
    path.write_bytes(content)
    for limits in (Limits(max_values=30_000), Limits(max_samples=30_000), Limits(1.0)):
        assert "“liar.flac”" in refusal(lambda limits=limits: io.load(path, limits=limits))


def test_a_rate_above_the_highest_is_refused_and_no_other(tmp_path: Path) -> None:
    for rate_hz in (192_000, 500_000):
        soundfile.write(tmp_path / f"{rate_hz}.flac", noise(0.1, rate_hz), rate_hz)
    limits = Limits(max_rate_hz=192_000)
    assert io.load(tmp_path / "192000.flac", limits=limits)[1] == 192_000
    message = refusal(lambda: io.read_header(tmp_path / "500000.flac", limits))
    assert "sample rate of 500,000 Hz and 192,000 Hz are accepted here" in message


def odd_mp3(path: Path) -> None:
    """An mp3 with what is no frame between two frames."""
    soundfile.write(path, sine(440, 3, 22_050), 22_050, format="MP3")
    content = path.read_bytes()
    frame = content.index(b"\xff\xf3", len(content) // 3)
    path.write_bytes(content[:frame] + b"abc" + content[frame:])


def test_an_odd_mp3_leaves_standard_error_alone(tmp_path: Path) -> None:
    odd_mp3(tmp_path / "odd.mp3")
    alone = "import sys, soundfile; soundfile.read(sys.argv[1])"
    ours = "import sys; from audioclf.audio import io; print(len(io.load(sys.argv[1])[0]))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "odd.mp3")],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )
        for script in (alone, ours)
    ]  # fmt: skip
    assert "Illegal Audio-MPEG-Header" in runs[0].stderr  # else this shows nothing
    assert (runs[1].stderr, runs[1].returncode) == ("", 0)
    assert int(runs[1].stdout) == 3 * 22_050
