"""The command line: the functions of the page, with progress bars.

Results go to standard output, progress and logs to standard error. Bad input ends with status 2
and one sentence.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from audioclf import threads
from audioclf.cli import annotate, train
from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run, parser
from audioclf.features import FEATURES, config
from audioclf.features.config import FrontendConfig
from audioclf.models import checkpoint, summary_table
from audioclf.models.checkpoint import Checkpoint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    args = parser(RUNS).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    threads.single_threaded_blas()
    try:
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"audioclf: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("audioclf: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _sentence(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or ''}".rstrip(": ")
    return str(error)


def _architectures(args: argparse.Namespace) -> None:
    from audioclf.models import architectures
    from audioclf.models.architectures import _table

    rows = list(_table.rows(progress("networks", architectures.names())))
    if args.markdown:
        print(_table.markdown(rows))
        return
    if not args.json:
        rows = [{k: v for k, v in row.items() if k not in ("sources", "citation")} for row in rows]
    print_table(rows, args.json)


def _checkpoints(args: argparse.Namespace) -> None:
    if args.markdown:
        print(summary_table.markdown(summary_table.best_first()))
        return
    print_table(summary_table.rows(*checkpoint.scan()), args.json)


def _predict(args: argparse.Namespace) -> None:
    from audioclf.inference import export_formats
    from audioclf.inference.predict import predict_file

    network = _checkpoint(args)
    made, failed = [], []
    for path in progress("files", args.paths):
        try:
            made.append((path, predict_file(path, network, args.clean)))
        except ValueError as error:
            failed.append(str(error))
    if args.json or args.format == "json":
        found = [prediction.to_dict(path) for path, prediction in made]
        print(json.dumps(found[0] if len(args.paths) == 1 and found else found, indent=1))
    elif args.format:
        write = export_formats.FORMATS[args.format]
        for number, (path, prediction) in enumerate(made):
            text = write(prediction, path)
            print(text if number == 0 or args.format != "csv" else text.split("\n", 1)[1], end="")
    else:
        for path, prediction in made:
            print(f"{path}: {prediction.sentence()}")
    if failed:
        raise ValueError("\naudioclf: ".join(failed))


def _features(args: argparse.Namespace) -> None:
    from audioclf.features import windowing
    from audioclf.storage.npy_writer import GrowingArray

    made = _recipe_of(args.recipe)
    if args.deltas is not None:
        made = replace(made, deltas=args.deltas)
    output = Path(args.output)
    output = output if output.suffix == ".npy" else output.with_name(output.name + ".npy")
    with GrowingArray(output) as array:
        for part in progress("parts", windowing.windows_of_file(made, args.path)):
            array.append(part.inputs)
    print(f"{output}: {array.shape} windows, frames, bins, channels")


def _recipe_of(name: str) -> FrontendConfig:
    """The recipe of a checkpoint, or one for the features of that name. Raises ValueError."""
    if name.split("+")[0] in FEATURES:
        return config.for_feature(name)
    try:
        return checkpoint.find(name).members[0].recipe
    except ValueError as error:
        raise ValueError(f"{error} A feature works too: {', '.join(FEATURES)}.") from error


def _evaluate(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset
    from audioclf.inference.evaluation import evaluate

    network, data = _checkpoint(args), dataset.load(args.folder)
    trained_on = set(network.card.get("training", {}).get("folds", []))
    if args.fold is not None:
        data = data.of_folds({args.fold})
    if trained_on & set(data.folds):
        print("These folds were in its training: this is no measure of it.", file=sys.stderr)
    found = evaluate(network, data, lambda clips: progress("clips", clips))
    if args.json:
        print(json.dumps(found.to_dict(), indent=1))
        return
    print(
        f"{found.accuracy:.2%} of {found.n_clips} clips, macro F1 {found.macro_f1:.3f}, "
        f"expected calibration error {found.ece:.3f} (without a temperature "
        f"{found.ece_uncalibrated:.3f})"
    )
    print_table([{"class": name, **row} for name, row in found.per_class.items()], False)


def _app(args: argparse.Namespace) -> None:
    from audioclf.ui.app import start

    start(local=args.local, host=args.host, port=args.port)


def _checkpoint(args: argparse.Namespace) -> Checkpoint:
    return checkpoint.find(args.checkpoint)


RUNS: dict[str, Run] = {
    "architectures": _architectures,
    "checkpoints": _checkpoints,
    "predict": _predict,
    "features": _features,
    **train.RUNS,
    **annotate.RUNS,
    "evaluate": _evaluate,
    "app": _app,
}
