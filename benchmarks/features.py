"""Every feature of a five-second clip beside librosa or spafe, and the memory of long recordings.

Run it as `python benchmarks/features.py [ROUNDS] [--threads]`; it prints Markdown tables of
medians. All rows of the first table take turns in one process, on the same clip at 22,050 Hz.
`--threads` prints only what BLAS's threads cost, alone and beside a busy process per core.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import soundfile
from spafe.fbanks.gammatone_fbanks import gammatone_filter_banks
from spafe.features.gfcc import gfcc
from spafe.utils.preprocessing import SlidingWindow

from audioclf import features
from audioclf.audio import io
from audioclf.features import SpectrogramConfig

RATE_HZ, SECONDS = 22_050, 5
FRAMES = {"n_fft": 1_024, "hop_length": 512}
CQT = {"fmin": librosa.note_to_hz("C1"), "n_bins": 128, "bins_per_octave": 16, "tuning": 0.0}
MINUTES = (1, 10, 60)
Rows = dict[str, Callable[[], object]]


def main(rounds: int) -> None:
    """The table of features, the table of a file, and that of memory."""
    with tempfile.TemporaryDirectory() as folder:
        _print_features(rounds)
        _print_file(Path(folder), rounds)
        _print_memory(Path(folder))


THREADED = """
import statistics, sys, time
import numpy as np
from audioclf import features
sound = np.random.default_rng(0).normal(0, 0.1, 5 * 22_050).astype(np.float32)
for name in sys.argv[2:]:
    seconds = []
    for _ in range(1 + int(sys.argv[1])):
        started = time.perf_counter()
        features.compute(name, sound, features.Analysis())
        seconds.append(time.perf_counter() - started)
    print(1_000 * statistics.median(seconds[1:]))
"""
THREADED_NAMES = ("mel", "gammatone", "multichannel")


def _print_threads(rounds: int) -> None:
    """Milliseconds with one BLAS thread, as everything here computes, and with one per core."""
    cores = sorted(os.sched_getaffinity(0))
    print(f"\n| 5 s at 22,050 Hz ({rounds} rounds), ms | " + " | ".join(THREADED_NAMES) + " |")
    print("|---" * (1 + len(THREADED_NAMES)) + "|")
    for n_busy in (0, len(cores)):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
        try:
            for n_threads in (1, len(cores)):
                ms = _threaded_ms(n_threads, rounds)
                beside = "beside busy processes" if n_busy else "alone"
                print(f"| {n_threads} BLAS threads, {beside} | " + " | ".join(ms) + " |")
        finally:
            for process in busy:
                process.kill()
                process.wait()


def _threaded_ms(n_threads: int, rounds: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", THREADED, str(rounds), *THREADED_NAMES],
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(n_threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [f"{float(ms):.2f}" for ms in done.stdout.split()]


def theirs(y: np.ndarray) -> Rows:
    """What a person would write with the libraries, feature by feature."""
    clip = {"y": y, "sr": RATE_HZ, "pad_mode": "constant"}
    bank, _ = gammatone_filter_banks(nfilts=128, nfft=1_024, fs=RATE_HZ)
    hop = SlidingWindow(1_024 / RATE_HZ, 512 / RATE_HZ, "hanning")

    def power() -> np.ndarray:
        return np.abs(librosa.stft(y, pad_mode="constant", **FRAMES)) ** 2

    def cqt() -> np.ndarray:
        return np.abs(librosa.cqt(y, sr=RATE_HZ, pad_mode="constant", **CQT))

    def mfcc() -> np.ndarray:
        return librosa.feature.mfcc(n_mfcc=128, n_mels=128, **clip, **FRAMES)

    def chroma() -> np.ndarray:
        return librosa.feature.chroma_stft(tuning=0.0, **clip, **FRAMES)

    def cepstra() -> np.ndarray:
        return gfcc(y, fs=RATE_HZ, num_ceps=128, nfilts=128, nfft=1_024, window=hop)

    octaves = {"y": y, "sr": RATE_HZ, "tuning": 0.0}
    return {
        "stft": lambda: librosa.power_to_db(power()),
        "mel": lambda: librosa.power_to_db(
            librosa.feature.melspectrogram(n_mels=128, **clip, **FRAMES)
        ),
        "gammatone": lambda: librosa.power_to_db(bank @ power()),
        "cqt": lambda: librosa.amplitude_to_db(cqt()),
        "mfcc": mfcc,
        "gfcc": cepstra,
        "chroma": chroma,
        "chroma_cqt": lambda: librosa.feature.chroma_cqt(**octaves),
        "chroma_cens": lambda: librosa.feature.chroma_cens(**octaves),
        "multichannel": lambda: (mfcc(), cepstra(), cqt(), chroma()),
    }


def _print_features(rounds: int) -> None:
    y = np.random.default_rng(0).normal(0, 0.1, SECONDS * RATE_HZ).astype(np.float32)
    analysis = SpectrogramConfig()
    libraries = theirs(y)
    frames = np.ascontiguousarray(features.spectrum(y, analysis).frames())
    rows: Rows = {"bare FFT": lambda: scipy.fft.rfft(frames, axis=1)}
    for name in features.FEATURES:
        rows[name] = lambda name=name: features.compute(name, y, analysis)
        if name in libraries:
            rows[f"{name} of the libraries"] = libraries[name]
    ms = _medians(rows, rounds)
    print(f"\n| 5 s at 22,050 Hz ({rounds} rounds) | ms | librosa or spafe, ms | ratio |")
    print("|---|---|---|---|")
    print(f"| the bare FFT of the same frames | {ms['bare FFT']:.2f} | | |")
    for name in features.FEATURES:
        other = ms.get(f"{name} of the libraries")
        beside = f"{other:.1f} | {other / ms[name]:.1f}" if other else " | "
        print(f"| `{name}` | {ms[name]:.2f} | {beside} |")


def _print_file(folder: Path, rounds: int) -> None:
    clip = folder / "clip.ogg"
    noise = np.random.default_rng(0).normal(0, 0.1, SECONDS * 44_100)
    soundfile.write(clip, noise, 44_100, format="OGG", subtype="VORBIS")
    ms = _medians(
        {
            "decode": lambda: io.load(clip),
            "decode, resample": lambda: io.load(clip, RATE_HZ),
            "decode, resample, `multichannel`": lambda: features.compute(
                "multichannel", io.load(clip, RATE_HZ)[0], SpectrogramConfig()
            ),
        },
        rounds,
    )
    print(f"\n| 5 s of Ogg Vorbis at 44.1 kHz ({rounds} rounds) | ms | ratio |")
    print("|---|---|---|")
    for name, median in ms.items():
        print(f"| {name} | {median:.1f} | {median / ms['decode, resample']:.2f} |")


# The peak is read from /proc: getrusage would count the parent's memory from before exec.
MEASURED = """
import re, sys
from audioclf.cli import main
from audioclf.features import windowing
if len(sys.argv) > 1:
    main.main(["features", sys.argv[1], "--frontend", sys.argv[2], "--output", sys.argv[3]])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(int(peak[1]) // 1024, file=sys.stderr)
"""


def _print_memory(folder: Path) -> None:
    """Peak memory of `audioclf features` on recordings of one, ten and sixty minutes."""
    heads = " | ".join(f"{minutes} min" for minutes in MINUTES)
    print(f"\n| peak memory of `audioclf features`, MB | {heads} |")
    print("|---|" + "---|" * len(MINUTES))
    paths = [_recording(folder, minutes) for minutes in MINUTES]
    for name in ("mel", "multichannel"):
        peaks = [_peak_mb([str(path), name, str(folder / "out.npy")]) for path in paths]
        print(f"| `{name}` | " + " | ".join(map(str, peaks)) + " |")
    print(f"\nIts imports alone: {_peak_mb([])} MB.")


def _recording(folder: Path, minutes: int) -> Path:
    path = folder / f"{minutes}.wav"
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE_HZ, 1) as file:
        for _ in range(minutes):
            file.write(rng.normal(0, 0.1, 60 * RATE_HZ).astype(np.float32))
    return path


def _peak_mb(arguments: list[str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1])


def _medians(rows: Rows, rounds: int) -> dict[str, float]:
    """Milliseconds; the first call of each is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for run in rows.values():
        run()
    for _ in range(rounds):
        for name, run in rows.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: 1_000 * statistics.median(values) for name, values in seconds.items()}


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    (_print_threads if "--threads" in sys.argv else main)(*(numbers or [30]))
