"""A five-second clip from file to Prediction, beside librosa features and `model.predict`.

Run it as `python benchmarks/predict.py [ROUNDS] [NAME...]`; it prints a Markdown table of medians
for each network on log-mel spectrograms that is named. Both sides decode the same Ogg Vorbis file,
make the same windows and ask the same weights.
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

import keras
import librosa
import soundfile

from audioclf.audio import io
from audioclf.features import windowing
from audioclf.inference import predict
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

NAMES = ("separable_cnn-mel", "cldnn-mel")


def main(rounds: int, names: list[str]) -> None:
    """Every row for every network, the rows in turn."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.ogg")
        noise = np.random.default_rng(0).normal(0, 0.1, 5 * 44_100)
        soundfile.write(clip, noise, 44_100, format="OGG", subtype="VORBIS")
        for network in map(_on_mel, names):
            model = keras.saving.load_model(network.folder / checkpoint.KERAS)
            rows: dict[str, Callable[[], object]] = {
                "decode alone (libsndfile)": lambda: io.load(clip),
                "audioclf: file to Prediction": lambda n=network: predict.predict_file(clip, n),
                "librosa + model.predict": lambda n=network, m=model: by_hand(clip, n, m),
            }
            _check_equal(clip, network, model)
            seconds = _medians(rows, rounds)
            ours = seconds["audioclf: file to Prediction"]
            print(f"\n| {network.name} ({rounds} rounds, medians) | ms | beside audioclf |")
            print("|---|---|---|")
            for name, median in seconds.items():
                print(f"| {name} | {1000 * median:.1f} | {median / ours:.2f} |")


def _on_mel(name: str) -> Checkpoint:
    """As the network says it: the other side has no temperature."""
    network = checkpoint.find(name).uncalibrated()
    if network.is_ensemble or network.is_head or network.frontend.feature != "mel":
        raise SystemExit(f"“{name}” does not hear log-mel spectrograms alone: name another.")
    return network


def by_hand(clip: Path, network: Checkpoint, model: keras.Model) -> np.ndarray:
    """What people write without audioclf: librosa for the features, Keras for the answer."""
    analysis = network.frontend.spectrogram
    samples, rate_hz = librosa.load(clip, sr=analysis.sample_rate_hz)
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate_hz, n_fft=analysis.n_fft, hop_length=analysis.hop_length,
        n_mels=analysis.n_bins, pad_mode="constant",
    )  # fmt: skip
    features = librosa.power_to_db(power, top_db=None).T[..., None]
    starts = windowing.window_starts(network.frontend, len(features))
    normal = windowing.normalise(network.frontend, features)
    batch = np.stack([normal[start : start + network.frontend.window_frames] for start in starts])
    return model.predict(batch, verbose=0)["label"].mean(axis=0)


def _check_equal(clip: Path, network: Checkpoint, model: keras.Model) -> None:
    """Both sides compute the same thing, or the ratio means nothing."""
    difference = np.abs(by_hand(clip, network, model) - predict.predict_file(clip, network).clip)
    if difference.max() > 0.02:
        raise SystemExit(f"{network.name}: the two sides differ by {difference.max():.3f}")


def _medians(rows: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, run in rows.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30, sys.argv[2:] or list(NAMES))
