"""The commands for models from and to elsewhere: download, export."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from audioclf.cli.parser import Run
from audioclf.models import checkpoint, download
from audioclf.models.checkpoint import Checkpoint
from audioclf.models.ranking import format_accuracy


def output_dir(args: argparse.Namespace) -> Path:
    """The folder that a checkpoint is saved in."""
    return Path(args.output_dir) if args.output_dir else checkpoint.home()


def print_saved(saved: Checkpoint) -> None:
    """Print a checkpoint's folder, and its accuracy where it was evaluated."""
    print(saved.folder)
    if saved.evaluation:
        accuracy, n_clips = saved.evaluation["accuracy"], saved.evaluation.get("n_clips")
        print(f"{format_accuracy(accuracy, n_clips)} on {saved.evaluation['data']}")


def _download(args: argparse.Namespace) -> None:
    source = download.source_named(args.name)
    path = Path(args.from_file) if args.from_file else _downloaded(source)
    if not path.is_file():
        raise ValueError(f"There is no file “{path}”: name the one that you have.")
    if checkpoint.sha256(path) not in source.accepted_sha256:
        print(
            f"{path.name} is not a known file: models trained on {source.name}, such as "
            "those that ship, will not use it.",
            file=sys.stderr,
        )
    print(f"Reading {path.name}, and comparing the model that is made of it…", file=sys.stderr)
    from audioclf.export import yamnet_tflite

    print_saved(yamnet_tflite.publish_yamnet(path, output_dir(args)))


def _downloaded(source: download.Source) -> Path:
    from tqdm import tqdm

    print(
        f"Downloading {source.name} ({source.n_bytes / 1e6:.1f} MB, {source.licence}) from "
        f"{source.urls[0]}",
        file=sys.stderr,
    )
    bar = tqdm(total=source.n_bytes, unit="B", unit_scale=True, leave=False, file=sys.stderr)
    try:
        return download.download(source, bar)
    finally:
        bar.close()


def _export(args: argparse.Namespace) -> None:
    from audioclf.export import bundle

    model, formats = checkpoint.find(args.checkpoint), tuple(args.format or ())
    if args.push:
        _push(model, formats, args)
    elif args.output and Path(args.output).suffix != ".zip":
        print(bundle.write_folder(model, Path(args.output), formats))
    else:
        print(bundle.write_zip(model, Path(args.output or model.name), formats))


def _push(model: Checkpoint, formats: tuple[str, ...], args: argparse.Namespace) -> None:
    from audioclf.export import bundle
    from audioclf.storage import hf_hub

    with tempfile.TemporaryDirectory() as temporary:
        folder = bundle.write_folder(model, Path(temporary, model.name), formats)
        token = os.environ.get("HF_TOKEN", "")
        print(hf_hub.push(folder, args.push, token, private=not args.public))


RUNS: dict[str, Run] = {"download": _download, "export": _export}
