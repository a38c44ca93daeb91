"""`audioclf predict`: the windows of sounds, or their events, in every format."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from audioclf.audio.denoise import PREDICTION_NOTE
from audioclf.cli.console import progress
from audioclf.cli.parser import Run
from audioclf.features.config import Preprocessing
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

if TYPE_CHECKING:  # they import ONNX Runtime and SciPy, which other commands need not wait for
    from audioclf.inference.events import EventSettings, SoundEvents
    from audioclf.inference.prediction import Prediction


def _predict(args: argparse.Namespace) -> None:
    settings = _event_settings(args)
    if args.preprocess == Preprocessing.DENOISED:
        print(f"audioclf: {PREDICTION_NOTE}", file=sys.stderr)
    model = checkpoint.find(args.checkpoint)
    results, failed = _results(args, model, settings)
    if args.json or args.format == "json":
        rows = [result.to_dict(path) for path, result in results]
        print(json.dumps(rows[0] if len(args.paths) == 1 and rows else rows, indent=1))
    elif args.format:
        write = _writer(args.format)
        for number, (path, result) in enumerate(results):
            text = write(result, path)
            print(text if number == 0 or args.format != "csv" else text.split("\n", 1)[1], end="")
    else:
        for path, result in results:
            print(f"{path}: {_sentence(path, result, model)}")
    if failed:
        raise ValueError("\naudioclf: ".join(failed))


def _sentence(path: str, result: "Prediction | SoundEvents", model: Checkpoint) -> str:
    """The answer in words; of a sound that is unlike the training clips, that it is."""
    from audioclf.inference.detection import levels_of_file
    from audioclf.inference.prediction import Prediction
    from audioclf.inference.unfamiliar import unfamiliar_file

    if isinstance(result, Prediction) and not result.is_silent:
        judgement = unfamiliar_file(path, model, levels_of_file(path))
        if judgement and judgement.is_unfamiliar:
            return judgement.summary()
    return result.summary()


def _event_settings(args: argparse.Namespace) -> "EventSettings | None":
    """What --events asks for; None for windows. Raises ValueError."""
    if not args.events:
        if args.threshold is not None or args.min_length is not None:
            raise ValueError("--threshold and --min-length are of events: add --events.")
        return None
    from audioclf.inference.events import EventSettings

    named = {"threshold": args.threshold, "min_length_s": args.min_length}
    return replace(EventSettings(), **{k: v for k, v in named.items() if v is not None})


def _results(
    args: argparse.Namespace, model: Checkpoint, settings: "EventSettings | None"
) -> "tuple[list[tuple[str, Prediction | SoundEvents]], list[str]]":
    """Every file's windows or events, and what is wrong with the others, in sentences."""
    from audioclf.inference.detection import detect_file
    from audioclf.inference.predict import predict_file

    results: list[tuple[str, Prediction | SoundEvents]] = []
    failed = []
    for path in progress("files", args.paths):
        try:
            if settings:
                results.append((path, detect_file(path, model, settings, args.preprocess)))
            else:
                results.append((path, predict_file(path, model, args.preprocess)))
        except ValueError as error:
            failed.append(str(error))
    return results, failed


def _writer(format: str) -> "Callable[[Prediction | SoundEvents, str], str]":
    from audioclf.inference import export_formats
    from audioclf.inference.events import SoundEvents

    def write(result: "Prediction | SoundEvents", path: str) -> str:
        if isinstance(result, SoundEvents):
            return export_formats.EVENT_FORMATS[format](result, path)
        return export_formats.FORMATS[format](result, path)

    return write


RUNS: dict[str, Run] = {"predict": _predict}
