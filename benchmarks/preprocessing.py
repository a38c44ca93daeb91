"""Accuracy with and without denoising, on real clips of fold 4, clean and with added noise.

Run it as `python benchmarks/preprocessing.py FOLDER N_PER_CLASS NAME...`, with ESC-10's folder and
models trained without fold 4; it prints a Markdown table: noises as rows, methods and strengths as
columns, percent of clips that are right.
"""

import sys
from collections.abc import Sequence

import numpy as np
from mixtures import NOISES, RATE_HZ, with_noise

from audioclf.audio import io
from audioclf.audio.denoise import denoise
from audioclf.audio.io import Samples
from audioclf.datasets import dataset
from audioclf.inference import predict
from audioclf.models import checkpoint

SNRS_DB = (0, 10, 20)
METHODS = (("follows", False), ("stationary", True))
STRENGTHS = (0.3, 0.6, 1.0)


def main(folder: str, n_per_class: int, names: Sequence[str]) -> None:
    """Every noise in turn, a row for every model."""
    fold = dataset.load(folder).of_folds({4})
    clips = [
        clip
        for name in fold.classes
        for clip in [c for c in fold.clips if c.label == name][:: 8 // n_per_class][:n_per_class]
    ]
    sounds = [io.load(clip.path, RATE_HZ)[0] for clip in clips]
    truth = [clip.label for clip in clips]
    models = [checkpoint.find(name) for name in names]
    columns = ["as it is", *(f"{m} {s}" for m, _ in METHODS for s in STRENGTHS)]
    print(f"{len(clips)} clips\n\n| noise | model | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 2) + "|")
    conditions = [("none", 0), *((noise, snr) for snr in SNRS_DB[::-1] for noise in NOISES)]
    for noise, snr_db in conditions:
        rng = np.random.default_rng(0)
        noisy = [
            x if noise == "none" else with_noise(x, NOISES[noise](len(x), rng), snr_db)
            for x in sounds
        ]
        versions = [noisy, *(cleaned(noisy, s, stationary) for _, stationary in METHODS
                             for s in STRENGTHS)]  # fmt: skip
        title = noise if noise == "none" else f"{noise}, {snr_db} dB"
        for model in models:
            cells = [
                f"{100 * np.mean([right(x, t, model) for x, t in zip(v, truth, strict=True)]):.1f}"
                for v in versions
            ]
            print(f"| {title} | {model.name} | {' | '.join(cells)} |", flush=True)


def cleaned(sounds: Sequence[Samples], strength: float, stationary: bool) -> list[Samples]:
    """Every sound denoised."""
    return [denoise(x, RATE_HZ, stationary=stationary, strength=strength) for x in sounds]


def right(samples: Samples, label: str, model: checkpoint.Checkpoint) -> bool:
    """Whether the most probable class is the clip's."""
    return predict.predict(samples, RATE_HZ, model).ranking()[0][0] == label


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
