"""Checkpoints of every kind, made from one that ships: what differs is in their cards."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audioclf.inference import familiarity, predict
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from tests import sounds

Card = dict[str, Any]
NAMES = ("full", "both", "another", "old", "damaged", "unmeasured")  # the most accurate first
CLASSES = ("rain", "dog_bark")  # of the result in every card


def checkpoints(folder: Path) -> Path:
    """Every kind in `folder`, which is returned."""
    for name in NAMES:
        _copy(folder / name, globals()[f"_{name}"])
    (folder / "damaged" / checkpoint.ONNX).write_bytes(b"no network")
    for part in (checkpoint.ONNX, checkpoint.KERAS):
        (folder / "both" / part).unlink(missing_ok=True)
    return folder


def familiar_with_noise(folder: Path) -> Checkpoint:
    """A network that ships, with statistics that were made of noise and clicks alone."""
    _copy(folder / "noise_only", lambda card: None)
    model = checkpoint.read(folder / "noise_only")
    made_sounds = {
        "rain": [sounds.noise(5, seed=i, amplitude=0.1 + 0.02 * i) for i in range(8)],
        "clock_tick": [sounds.clicks(5, every_s=0.2 + 0.05 * i) for i in range(8)],
    }
    labels = [name for name, clips in made_sounds.items() for _ in clips]
    values = [
        predict.embed(clip, sounds.RATE_HZ, model).values.mean(axis=0)
        for clips in made_sounds.values()
        for clip in clips
    ]
    statistics = familiarity.fit(np.stack(values), labels, model.name, model.source_sha256())
    familiarity.write(statistics, model.folder)
    return model


def _copy(folder: Path, change: Callable[[Card], None]) -> None:
    source = next((one for one in checkpoint.find_all() if not one.is_ensemble), None)
    if source is None:
        pytest.skip("no checkpoint ships")
    shutil.copytree(source.folder, folder, ignore=lambda *_: [checkpoint.KERAS])
    card = json.loads(json.dumps(source.card))
    for name in ("layers", "calibration", "licence", "multiply_adds"):
        card.pop(name, None)
    for name in ("history", "previous"):
        card["training"].pop(name, None)
    change(card)
    (folder / checkpoint.CARD).write_text(json.dumps(card), encoding="utf-8")


def _full(card: Card) -> None:
    """All that a card can hold; it went on from an earlier training."""
    previous = {
        "data": "made clips, fold 1",
        "history": {"loss": [3.0, 2.0], "accuracy": [0.1, 0.2]},
    }
    card["training"] |= {
        "data": "made clips, folds 1 and 2",
        "history": {"loss": [1.0, 0.5, float("nan")], "accuracy": [0.5, 0.75, 0.875]},
        "previous": previous,
        "seconds": 90.0,
    }
    card["layers"] = [
        {"name": "first", "type": "Conv2D", "output_shape": [128, 64, None], "n_params": 1_280},
        {"name": "last", "type": "Dense", "output_shape": [10], "n_params": 90},
    ]
    card["calibration"] = {"temperature": 1.25, "fitted_on": "made clips, fold 3 held out"}
    card["licence"] = "CC BY 4.0"
    card["results"] = [result(1.0, ece=0.0421, ece_uncalibrated=0.0984, nll=0.2)]
    card["results"] += [{**result(0.5), "data": "street noise"}]


def _both(card: Card) -> None:
    card |= {"architecture": "ensemble", "frontend": None, "members": ["full", "old"]}
    card |= {"results": [result(0.975, ece=0.03)], "training": {"data": "made clips"}}
    for name in ("sha256", "input_shape"):
        card.pop(name, None)


def _another(card: Card) -> None:
    """Another network of the same kind, with a text that must not become Markdown or HTML."""
    card["results"] = [result(0.9)]
    card["description"] = "Hears *everything* <b>twice</b>, as file_name_1 says."


def _old(card: Card) -> None:
    card["results"] = [result(0.0875)]


def _damaged(card: Card) -> None:
    card["sha256"] = {checkpoint.ONNX: "0" * 64}
    card["results"] = [result(0.05)]


def _unmeasured(card: Card) -> None:
    """The least that a card can hold."""
    for name in set(card) - {"format", "architecture", "frontend", "classes", "sha256"}:
        del card[name]


def result(accuracy: float, **more: float) -> Card:
    """A result on 80 clips; 30 of rain, 10 of them taken for dogs."""
    return {
        "data": "made clips, fold 3 held out",
        "accuracy": accuracy,
        "macro_f1": accuracy / 2,
        "per_class": {
            "rain": {"precision": 1.0, "recall": 0.6666, "f1": 0.8, "n_clips": 30},
            "dog_bark": {"precision": 0.8333, "recall": 1.0, "f1": 0.9091, "n_clips": 50},
        },
        "confusion": [[20, 10], [0, 50]],
        "classes": list(CLASSES),
        "n_clips": 80,
        "model": "this one",
        **more,
    }
