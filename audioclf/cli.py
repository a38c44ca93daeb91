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

from audioclf import _shipped, checkpoint, settings
from audioclf._arguments import Run, parser
from audioclf._console import EpochBars, print_table, progress
from audioclf.checkpoint import Checkpoint
from audioclf.settings import Settings

RECIPE = "recipe."  # what `--set` changes in the recipe, and not in the settings


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

    rows = list(_table.rows(progress("networks", architectures.names())))
    if chosen.markdown:
        print(_table.markdown(rows))
        return
    if not chosen.json:
        rows = [{k: v for k, v in row.items() if k not in ("sources", "citation")} for row in rows]
    print_table(rows, chosen.json)


def _checkpoints(chosen: argparse.Namespace) -> None:
    if chosen.markdown:
        print(_shipped.markdown(_shipped.best_first()))
        return
    print_table(_shipped.rows(checkpoint.find_all()), chosen.json)


def _predict(chosen: argparse.Namespace) -> None:
    from audioclf import tables
    from audioclf.predict import predict_file

    network = _checkpoint(chosen)
    made, failed = [], []
    for path in progress("files", chosen.paths):
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
        for part in progress("parts", windows.windows_of_file(made, chosen.path)):
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
    found = evaluate(network, data, lambda clips: progress("clips", clips))
    if chosen.json:
        print(json.dumps(found.to_dict(), indent=1))
        return
    print(
        f"{found.accuracy:.2%} of {found.n_clips} clips, macro F1 {found.macro_f1:.3f}, "
        f"expected calibration error {found.ece:.3f} (without a temperature "
        f"{found.ece_uncalibrated:.3f})"
    )
    print_table([{"class": name, **row} for name, row in found.per_class.items()], False)


def _train(chosen: argparse.Namespace) -> None:
    from audioclf import architectures, dataset

    architectures.check_name(chosen.architecture)
    dataset.load(chosen.folder)
    from audioclf import lesson  # with Keras: what is wrong so far is said before ten seconds pass

    work = lesson.Lesson(
        folder=Path(chosen.folder),
        architecture=chosen.architecture,
        name=chosen.name,
        out=Path(chosen.out) if chosen.out else checkpoint.home(),
        feature=chosen.feature,
        recipe=_recipe_changes(chosen),
        folds=chosen.folds or (),
        measure=chosen.measure,
        further=chosen.further,
        data_name=chosen.data_name,
        credit=chosen.credit,
        settings=_settings(chosen),
    )
    made = lesson.teach(work, EpochBars().show, progress)
    print(made.folder)
    if made.measured:
        print(f"{made.measured['accuracy']:.2%} on {made.measured['data']}")


def _settings(chosen: argparse.Namespace) -> Settings:
    """The usual settings, with what `--set` and the shorter arguments say."""
    changes = {name: text for name, text in chosen.set or [] if not name.startswith(RECIPE)}
    if chosen.epochs is not None:
        changes["epochs"] = str(chosen.epochs)
    if chosen.seed is not None:
        changes["seed"] = str(chosen.seed)
    return settings.changed(Settings(), changes)


def _recipe_changes(chosen: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """What `--set recipe....` and `--deltas` say."""
    changes = {name: text for name, text in chosen.set or [] if name.startswith(RECIPE)}
    if chosen.deltas is not None:
        changes["recipe.deltas"] = str(chosen.deltas)
    return tuple((name.removeprefix(RECIPE), text) for name, text in changes.items())


def _cross_validate(chosen: argparse.Namespace) -> None:
    from audioclf import architectures, dataset

    specs = [spec.partition(":") for spec in chosen.architecture]
    for name, _, _ in specs:
        architectures.check_name(name)
    dataset.load(chosen.folder)
    from audioclf import lesson
    from audioclf.cross_validate import cross_validate

    lessons = [
        lesson.Lesson(
            folder=Path(chosen.folder),
            architecture=name,
            name=f"{name}:{feature}" if feature else name,
            out=Path(),
            feature=feature or None,
            recipe=_recipe_changes(chosen),
            folds=chosen.folds or (),
            data_name=chosen.data_name,
            settings=_settings(chosen),
        )
        for name, _, feature in specs
    ]
    rows = [row.to_dict() for row in cross_validate(lessons, EpochBars().show, progress)]
    print_table(rows, chosen.json)


def _ensemble(chosen: argparse.Namespace) -> None:
    from audioclf import dataset, ensemble

    members = [checkpoint.find(name) for name in chosen.members]
    held_out = None
    if chosen.measure is not None:
        data = dataset.load(chosen.folder)
        held_out = replace(data, name=chosen.data_name or data.name).of_folds({chosen.measure})
    made = ensemble.make(chosen.name, members, held_out, progress)
    print(made.folder)
    if made.measured:
        print(f"{made.measured['accuracy']:.2%} on {made.measured['data']}")


def _app(chosen: argparse.Namespace) -> None:
    from audioclf.ui import start

    start(local=chosen.local, host=chosen.host, port=chosen.port)


def _checkpoint(chosen: argparse.Namespace) -> Checkpoint:
    return checkpoint.find(chosen.checkpoint)


RUNS: dict[str, Run] = {
    "architectures": _architectures,
    "checkpoints": _checkpoints,
    "predict": _predict,
    "features": _features,
    "train": _train,
    "cross-validate": _cross_validate,
    "ensemble": _ensemble,
    "evaluate": _evaluate,
    "app": _app,
}
