"""The command line: the functions of the page, with progress bars.

Results go to standard output, progress and logs to standard error. Bad input ends with status 2
and one sentence.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioclf import checkpoint
from audioclf._arguments import Run, parser
from audioclf.checkpoint import Checkpoint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    chosen = parser(RUNS).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        chosen.run(chosen)
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


def _architectures(chosen: argparse.Namespace) -> None:
    from audioclf import architectures
    from audioclf.architectures import _table

    rows = list(_table.rows(_progress("networks", architectures.names())))
    if chosen.markdown:
        print(_table.markdown(rows))
        return
    if not chosen.json:
        rows = [{k: v for k, v in row.items() if k not in ("sources", "citation")} for row in rows]
    _print_table(rows, chosen.json)


def _checkpoints(chosen: argparse.Namespace) -> None:
    rows = [
        {
            "name": found.name,
            "feature": found.recipe.feature,
            "input_shape": found.card.get("input_shape"),
            "n_params": found.card.get("n_params"),
            "n_classes": len(found.classes),
            "accuracy": (found.measured or {}).get("accuracy"),
            "measured_on": (found.measured or {}).get("data"),
        }
        for found in checkpoint.find_all()
    ]
    _print_table(rows, chosen.json)


def _predict(chosen: argparse.Namespace) -> None:
    from audioclf import tables
    from audioclf.predict import predict_file

    network = _checkpoint(chosen)
    made, failed = [], []
    for path in _progress("files", chosen.paths):
        try:
            made.append((path, predict_file(path, network, chosen.clean)))
        except ValueError as error:
            failed.append(str(error))
    if chosen.json or chosen.format == "json":
        found = [prediction.to_dict(path) for path, prediction in made]
        print(json.dumps(found[0] if len(chosen.paths) == 1 and found else found, indent=1))
    elif chosen.format:
        write = tables.FORMATS[chosen.format]
        for number, (path, prediction) in enumerate(made):
            text = write(prediction, path)
            print(text if number == 0 or chosen.format != "csv" else text.split("\n", 1)[1], end="")
    else:
        for path, prediction in made:
            print(f"{path}: {prediction.sentence()}")
    if failed:
        raise ValueError("\naudioclf: ".join(failed))


def _features(chosen: argparse.Namespace) -> None:
    from audioclf import windows
    from audioclf._arrays import GrowingArray

    made = checkpoint.recipe_of(chosen.recipe)
    if chosen.deltas is not None:
        made = replace(made, deltas=chosen.deltas)
    output = Path(chosen.output)
    output = output if output.suffix == ".npy" else output.with_name(output.name + ".npy")
    with GrowingArray(output) as array:
        for part in _progress("parts", windows.windows_of_file(made, chosen.path)):
            array.append(part.inputs)
    print(f"{output}: {array.shape} windows, frames, bins, channels")


def _evaluate(chosen: argparse.Namespace) -> None:
    from audioclf import dataset
    from audioclf.evaluate import evaluate

    network, data = _checkpoint(chosen), dataset.load(chosen.folder)
    trained_on = set(network.card.get("training", {}).get("folds", []))
    if chosen.fold is not None:
        data = data.of_folds({chosen.fold})
    if trained_on & set(data.folds):
        print("These folds were in its training: this is no measure of it.", file=sys.stderr)
    found = evaluate(network, data, lambda clips: _progress("clips", clips))
    if chosen.json:
        print(json.dumps(found.to_dict(), indent=1))
        return
    print(f"{found.accuracy:.2%} of {found.n_clips} clips, macro F1 {found.macro_f1:.3f}")
    _print_table([{"class": name, **row} for name, row in found.per_class.items()], False)


def _train(chosen: argparse.Namespace) -> None:
    from audioclf import architectures, dataset

    architectures.check_name(chosen.architecture)
    dataset.load(chosen.folder)
    from audioclf import lesson  # with Keras: what is wrong so far is said before ten seconds pass
    from audioclf.train import Settings

    settings = Settings(seed=chosen.seed)
    if chosen.epochs is not None:
        settings = replace(settings, epochs=chosen.epochs)
    made = lesson.teach(
        lesson.Lesson(
            folder=Path(chosen.folder),
            architecture=chosen.architecture,
            name=chosen.name,
            out=Path(chosen.out) if chosen.out else checkpoint.home(),
            feature=chosen.feature,
            deltas=chosen.deltas,
            folds=chosen.folds or (),
            measure=chosen.measure,
            data_name=chosen.data_name,
            credit=chosen.credit,
            settings=settings,
        ),
        _EpochBars().show,
        _progress,
    )
    print(made.folder)
    if made.measured:
        print(f"{made.measured['accuracy']:.2%} on {made.measured['data']}")


def _app(chosen: argparse.Namespace) -> None:
    from audioclf.ui import start

    start(local=chosen.local, host=chosen.host, port=chosen.port)


def _checkpoint(chosen: argparse.Namespace) -> Checkpoint:
    return checkpoint.find(chosen.checkpoint)


def _progress(words: str, things: Iterable[Any]) -> Iterable[Any]:
    """A bar on standard error for what takes longer than two seconds."""
    from tqdm import tqdm

    total = len(things) if isinstance(things, Sized) else None
    return tqdm(things, desc=words, total=total, delay=2, leave=False, file=sys.stderr)


class _EpochBars:
    """A bar per training, with the loss behind it."""

    def __init__(self) -> None:
        self.stage = ""
        self.bar: Any = None

    def show(self, stage: str, report: Any) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.stage = stage
            self.bar = tqdm(
                total=report.n_epochs, initial=report.epoch - 1, desc=stage, unit="epoch",
                file=sys.stderr,
            )  # fmt: skip
        self.bar.update()
        self.bar.set_postfix(loss=f"{report.loss:.3f}", accuracy=f"{report.accuracy:.2f}")
        if report.epoch == report.n_epochs:
            self.bar.close()


def _print_table(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if not rows:
        print("none yet")
        return
    cells = [[_cell(value) for value in row.values()] for row in rows]
    heads = [name.replace("_", " ") for name in rows[0]]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for line in (heads, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " x ".join(map(str, value))
    return "-" if value is None else str(value)


RUNS: dict[str, Run] = {
    "architectures": _architectures,
    "checkpoints": _checkpoints,
    "predict": _predict,
    "features": _features,
    "train": _train,
    "evaluate": _evaluate,
    "app": _app,
}
