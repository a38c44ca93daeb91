"""The commands that bring networks here, and take them away: fetch, bundle."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from audioclf.cli.parser import Run
from audioclf.models import checkpoint, download
from audioclf.models.checkpoint import Checkpoint


def out_of(args: argparse.Namespace) -> Path:
    """The folder that a checkpoint is published in."""
    return Path(args.out) if args.out else checkpoint.home()


def tell(made: Checkpoint) -> None:
    """Where it lies, and how it did where that was measured."""
    print(made.folder)
    if made.evaluation:
        print(f"{made.evaluation['accuracy']:.2%} on {made.evaluation['data']}")


def _fetch(args: argparse.Namespace) -> None:
    wanted = download.source(args.name)
    path = Path(args.from_file) if args.from_file else _downloaded(wanted)
    if not path.is_file():
        raise ValueError(f"There is no file “{path}”: name the one that you have.")
    if checkpoint.sha256(path) not in wanted.accepted:
        print(
            f"{path.name} is not a file that is known: networks that were taught on {wanted.name}, "
            "such as those that ship, will not use it.",
            file=sys.stderr,
        )
    print(f"Reading {path.name}, and comparing the network that is made of it…", file=sys.stderr)
    from audioclf.export import yamnet_tflite

    tell(yamnet_tflite.publish_yamnet(path, out_of(args)))


def _downloaded(wanted: download.Source) -> Path:
    from tqdm import tqdm

    print(
        f"Fetching {wanted.name} ({wanted.n_bytes / 1e6:.1f} MB, {wanted.licence}) from "
        f"{wanted.urls[0]}",
        file=sys.stderr,
    )
    bar = tqdm(total=wanted.n_bytes, unit="B", unit_scale=True, leave=False, file=sys.stderr)
    try:
        return download.download(wanted, bar)
    finally:
        bar.close()


def _bundle(args: argparse.Namespace) -> None:
    from audioclf.export import bundle

    network, formats = checkpoint.find(args.checkpoint), tuple(args.format or ())
    if args.push:
        _push(network, formats, args)
    elif args.output and Path(args.output).suffix != ".zip":
        print(bundle.write_folder(network, Path(args.output), formats))
    else:
        print(bundle.write_zip(network, Path(args.output or network.name), formats))


def _push(network: Checkpoint, formats: tuple[str, ...], args: argparse.Namespace) -> None:
    from audioclf.export import bundle
    from audioclf.storage import hf_hub

    with tempfile.TemporaryDirectory() as place:
        folder = bundle.write_folder(network, Path(place, network.name), formats)
        token = os.environ.get("HF_TOKEN", "")
        print(hf_hub.push(folder, args.push, token, private=not args.public))


RUNS: dict[str, Run] = {"fetch": _fetch, "bundle": _bundle}
