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
from audioclf.cli import advice, annotate, prediction, train
from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run, build_parser
from audioclf.dependencies import check_training
from audioclf.features import FEATURES, config
from audioclf.features.config import FrontendConfig
from audioclf.models import checkpoint, summary_table
from audioclf.models.ranking import format_accuracy

NEED_TENSORFLOW = (
    "architectures", "train", "cross-validate", "fine-tune", "download", "export",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    args = build_parser(RUNS).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    threads.single_threaded_blas()
    threads.keep_freed_memory()
    try:
        if args.command in NEED_TENSORFLOW:
            check_training()
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"audioclf: {_message(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("audioclf: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _message(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or ''}".rstrip(": ")
    return str(error)


def _architectures(args: argparse.Namespace) -> None:
    from audioclf.models import architectures
    from audioclf.models.architectures import _table

    rows = list(_table.rows(progress("architectures", architectures.names())))
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


def _features(args: argparse.Namespace) -> None:
    from audioclf.features import windowing
    from audioclf.storage.npy_writer import GrowingArray

    frontend = _frontend_named(args.frontend)
    if args.deltas is not None:
        frontend = replace(frontend, deltas=args.deltas)
    output = Path(args.output)
    output = output if output.suffix == ".npy" else output.with_name(output.name + ".npy")
    with GrowingArray(output) as array:
        for part in progress("parts", windowing.windows_of_file(frontend, args.path)):
            array.append(part.inputs)
    print(f"{output}: {array.shape} windows, frames, bins, channels")


def _frontend_named(name: str) -> FrontendConfig:
    """The front end of a checkpoint, or one for the features of that name. Raises ValueError."""
    if name.split("+")[0] in FEATURES:
        return config.for_feature(name)
    try:
        return checkpoint.find(name).load_members()[0].frontend
    except ValueError as error:
        raise ValueError(f"{error} A feature works too: {', '.join(FEATURES)}.") from error


def _evaluate(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset
    from audioclf.inference.evaluation import evaluate

    model, data = checkpoint.find(args.checkpoint), dataset.load(args.folder)
    trained_on = set(model.card.get("training", {}).get("folds", []))
    if args.fold is not None:
        data = data.of_folds({args.fold})
    if trained_on & set(data.folds):
        print("These folds were in its training: this is no evaluation of it.", file=sys.stderr)
    evaluation = evaluate(model, data, lambda clips: progress("clips", clips))
    if args.json:
        print(json.dumps(evaluation.to_dict(), indent=1))
        return
    print(
        f"{format_accuracy(evaluation.accuracy, evaluation.n_clips)} of {evaluation.n_clips} "
        "clips, in brackets the 95 % interval; "
        f"macro F1 {evaluation.macro_f1:.3f}, "
        f"expected calibration error {evaluation.ece:.3f} "
        f"(without a temperature {evaluation.ece_uncalibrated:.3f})"
    )
    print_table([{"class": name, **row} for name, row in evaluation.per_class.items()], False)


def _serve(args: argparse.Namespace) -> None:
    from audioclf.ui.app import start

    start(local=args.local, host=args.host, port=args.port)


RUNS: dict[str, Run] = {
    "architectures": _architectures,
    "checkpoints": _checkpoints,
    **prediction.RUNS,
    "features": _features,
    **advice.RUNS,
    **train.RUNS,
    **annotate.RUNS,
    "evaluate": _evaluate,
    "serve": _serve,
}
