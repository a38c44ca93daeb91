"""YAMNet on ten seconds and on an hour, beside the LiteRT interpreter with Google's own file.

Run it as `python benchmarks/yamnet.py FILE.tflite [ROUNDS]` where `yamnet-audioset` has been
fetched; it prints a Markdown table of medians, and how long an hour takes in how much memory.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import soundfile

from audioclf.audio import io
from audioclf.inference import predict
from audioclf.models import checkpoint
from audioclf.training import holdout

RATE_HZ, N_SAMPLES, HOP = 16_000, 15_600, 7_680
SECONDS, HOUR_S = 10, 3_600


def main(file: Path, rounds: int) -> None:
    """Ten seconds in turn, then an hour."""
    network = checkpoint.find("yamnet-audioset")
    _hour(network, HOUR_S // 6)
    _hour(network, HOUR_S)
    sound = np.random.default_rng(0).normal(0, 0.1, SECONDS * 44_100).astype(np.float32)
    graph = _interpreter(file)
    rows: dict[str, Callable[[], object]] = {
        "audioclf, ONNX Runtime": lambda: predict.predict(sound, 44_100, network),
        "LiteRT, window by window": lambda: _by_litert(graph, sound),
    }
    durations: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, run in rows.items():
            started = time.perf_counter()
            run()
            durations[name].append(time.perf_counter() - started)
    ours = statistics.median(durations["audioclf, ONNX Runtime"])
    print(f"\n| {SECONDS} s in memory at 44.1 kHz ({rounds} rounds, medians) | ms | beside ours |")
    print("|---|---|---|")
    for name, seconds in durations.items():
        median = statistics.median(seconds)
        print(f"| {name} | {1000 * median:.0f} | {median / ours:.2f} |")


def _interpreter(file: Path) -> object:
    import tensorflow as tf

    graph = tf.lite.Interpreter(str(file), num_threads=os.cpu_count())
    graph.allocate_tensors()
    return graph


def _by_litert(graph: object, sound: np.ndarray) -> np.ndarray:
    samples = io.resample(sound, 44_100, RATE_HZ)
    scores = []
    where, out = graph.get_input_details()[0]["index"], graph.get_output_details()[0]["index"]
    for first in range(0, len(samples) - N_SAMPLES + 1, HOP):
        graph.set_tensor(where, samples[None, first : first + N_SAMPLES])
        graph.invoke()
        scores.append(graph.get_tensor(out)[0])
    return np.mean(scores, axis=0)


def _hour(network: checkpoint.Checkpoint, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        with soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_16") as written:
            rng = np.random.default_rng(0)
            for _ in range(seconds // 60):
                written.write(rng.normal(0, 0.1, 60 * RATE_HZ).astype(np.float32))
        holdout.reset_peak_memory()
        started = time.perf_counter()
        predict.predict_file(path, network)
        passed_s = time.perf_counter() - started
        print(f"{seconds / 60:.0f} minutes: {passed_s:.1f} s, peak {holdout.peak_mb():.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
