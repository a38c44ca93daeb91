"""The command line: the functions of the page, with progress bars.

Results go to standard output, progress and logs to standard error. Bad input ends with status 2
and one sentence.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioclf import __version__, checkpoint
from audioclf.checkpoint import Checkpoint
from audioclf.recipe import CLEANINGS, Recipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    chosen = _parser().parse_args(arguments)
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

    rows = []
    for name in _progress("networks", architectures.names()):
        found = architectures.load(name)
        shape = (found.recipe.window_frames, found.recipe.analysis.n_bins, 1)
        rows.append(
            {
                "name": name,
                "feature": found.recipe.feature,
                "input_shape": list(shape),
                "n_params": found.build(shape, 10).count_params(),
                "description": found.description,
            }
        )
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
    import numpy as np

    from audioclf import audio, windows

    made = _recipe_of(chosen.recipe)
    samples, _ = audio.load(chosen.path, made.analysis.sample_rate_hz)
    inputs = windows.windows(made, samples).inputs
    np.save(chosen.output, inputs)
    print(f"{chosen.output}: {inputs.shape} windows, frames, bins, channels")


def _recipe_of(name: str) -> Recipe:
    from audioclf.features import FEATURES

    return Recipe(feature=name) if name in FEATURES else checkpoint.find(name).recipe


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
    from audioclf import lesson
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


def _folds(text: str) -> tuple[int, ...]:
    return tuple(int(fold) for fold in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="audioclf", description="See, classify and label sounds; teach a network your own."
    )
    parser.add_argument("--version", action="version", version=f"audioclf {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(name: str, run: Callable[[argparse.Namespace], None], words: str) -> Any:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(run=run)
        return made

    listed = command("architectures", _architectures, "the table of networks")
    listed.add_argument("--json", action="store_true")
    listed = command("checkpoints", _checkpoints, "the table of trained networks, with results")
    listed.add_argument("--json", action="store_true")
    _add_predict(command("predict", _predict, "what a network hears, per clip and per window"))
    made = command("features", _features, "write the array that a network would see")
    made.add_argument("path", metavar="PATH", help="a sound file")
    made.add_argument("--recipe", required=True, metavar="NAME", help="a checkpoint or a feature")
    made.add_argument("--output", required=True, metavar="FILE.npy")
    _add_train(command("train", _train, "train a network from scratch on a labelled folder"))
    made = command("evaluate", _evaluate, "accuracy, F1 per class and confusion on a folder")
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument("--checkpoint", required=True, metavar="NAME", help="a name or a folder")
    made.add_argument("--fold", type=int, metavar="K", help="only this fold")
    made.add_argument("--json", action="store_true")
    made = command("app", _app, "serve the page")
    made.add_argument("--local", action="store_true", help="your own machine: no limits")
    made.add_argument("--host", help="address to listen on")
    made.add_argument("--port", type=int, help="port to listen on")
    return parser


def _add_predict(made: argparse.ArgumentParser) -> None:
    made.add_argument("paths", nargs="+", metavar="PATH", help="sound files")
    made.add_argument("--checkpoint", required=True, metavar="NAME", help="a name or a folder")
    made.add_argument("--clean", choices=CLEANINGS, help="instead of the recipe's own cleaning")
    made.add_argument("--format", choices=("json", "csv", "audacity", "raven"))
    made.add_argument("--json", action="store_true", help="the same as --format json")


def _add_train(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument("--architecture", required=True, metavar="NAME")
    made.add_argument("--name", required=True, metavar="NEW", help="the new checkpoint's name")
    made.add_argument("--feature", help="another than the architecture's own")
    made.add_argument("--epochs", type=int)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--folds", type=_folds, metavar="1,2,...", help="train on these; else on all")
    made.add_argument(
        "--measure", type=int, metavar="K",
        help="train without fold K first, the same way, and put the result on it into the card",
    )  # fmt: skip
    made.add_argument("--data-name", metavar="TEXT", help="what the card calls the data")
    made.add_argument("--credit", default="", metavar="TEXT", help="the data's citation, licence")
    made.add_argument("--out", metavar="DIR", help="publish elsewhere than in checkpoints/")
