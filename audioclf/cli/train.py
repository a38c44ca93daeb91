"""The commands around training: check, train, cross-validate, ensemble, fine-tune."""

import argparse
import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from audioclf.cli import models
from audioclf.cli.console import EpochBars, print_table, progress
from audioclf.cli.models import out_of, tell
from audioclf.cli.parser import Run
from audioclf.datasets.dataset import Dataset
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import config
from audioclf.training.config import Settings

WINDOW_S = 2.0  # clips shorter than this are repeated by most networks
USUAL = Settings()
RECIPE = "recipe."  # what `--set` changes in the recipe, and not in the settings


def _check(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset, zip_archive

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder)
        if zipfile.is_zipfile(folder):
            folder = zip_archive.unpack(folder, Path(temporary, folder.stem)).folder
        _survey(dataset.load(folder), args)


def _survey(data: Dataset, args: argparse.Namespace) -> None:
    from audioclf.datasets import inspection

    window_s = WINDOW_S
    if args.checkpoint:
        window_s = max(one.recipe.window_s for one in checkpoint.find(args.checkpoint).members)
    found = inspection.survey(data, window_s, lambda clips: progress("clips", clips))
    if args.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        print_table(found.classes(), False)
        for finding in found.findings:
            print(f"{finding.kind}: {finding.sentence}")
    if found.blocks:
        raise ValueError(f"“{data.name}” cannot be trained on as it is: see what blocks, above.")


def _train(args: argparse.Namespace) -> None:
    from audioclf.models import architectures

    architectures.check_name(args.architecture)
    data = _data(args)
    from audioclf.training import (
        pipeline,  # with Keras: what is wrong so far is said before ten seconds pass
    )

    work = pipeline.TrainingConfig(
        folder=Path(args.folder),
        architecture=args.architecture,
        name=args.name,
        output_dir=out_of(args),
        feature=args.feature,
        recipe=_recipe_changes(args),
        folds=args.folds or (),
        holdout_fold=args.measure,
        extra_epochs=args.further,
        validate=args.watch,
        data_name=args.data_name,
        attribution=args.credit,
        settings=_settings(args),
        dataset=data,
    )
    made = pipeline.train_and_evaluate(work, EpochBars().show, progress)
    tell(made)


def _settings(args: argparse.Namespace, usual: Settings = USUAL) -> Settings:
    """The usual settings, with what `--set` and the shorter arguments say."""
    changes = {name: text for name, text in args.set or [] if not name.startswith(RECIPE)}
    if args.epochs is not None:
        changes["epochs"] = str(args.epochs)
    if args.seed is not None:
        changes["seed"] = str(args.seed)
    return config.with_overrides(usual, changes)


def _recipe_changes(args: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """What `--set recipe....` and `--deltas` say."""
    changes = {name: text for name, text in args.set or [] if name.startswith(RECIPE)}
    if args.deltas is not None:
        changes["recipe.deltas"] = str(args.deltas)
    return tuple((name.removeprefix(RECIPE), text) for name, text in changes.items())


def _cross_validate(args: argparse.Namespace) -> None:
    from audioclf.models import architectures

    specs = [spec.partition(":") for spec in args.architecture]
    for name, _, _ in specs:
        architectures.check_name(name)
    data = _data(args)
    from audioclf.training import pipeline
    from audioclf.training.cross_validation import cross_validate

    lessons = [
        pipeline.TrainingConfig(
            folder=Path(args.folder),
            architecture=name,
            name=f"{name}:{feature}" if feature else name,
            output_dir=Path(),
            feature=feature or None,
            recipe=_recipe_changes(args),
            folds=args.folds or (),
            data_name=args.data_name,
            settings=_settings(args),
            dataset=data,
        )
        for name, _, feature in specs
    ]
    rows = [row.to_dict() for row in cross_validate(lessons, EpochBars().show, progress)]
    print_table(rows, args.json)


def _ensemble(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset
    from audioclf.training import ensemble

    members = [checkpoint.find(name) for name in args.members]
    held_out = None
    if args.measure is not None:
        data = dataset.load(args.folder)
        held_out = replace(data, name=args.data_name or data.name).of_folds({args.measure})
    made = ensemble.make(args.name, members, held_out, progress)
    tell(made)


def _data(args: argparse.Namespace) -> Dataset:
    """The folder's clips; where that is asked, without those that teach nothing."""
    from audioclf.datasets import dataset, inspection

    data = dataset.load(args.folder)
    if args.usable:
        found = inspection.survey(data, WINDOW_S, lambda clips: progress("clips", clips))
        data = data.without(inspection.useless(found))
    return data


def _fine_tune(args: argparse.Namespace) -> None:
    from audioclf.training import linear_probe

    checkpoint.check_name(args.name)
    network, data = checkpoint.find(args.checkpoint), _data(args)
    if not args.freeze:
        _fine_tune_whole(args, network, data)
        return
    made = linear_probe.train_linear_probe(
        network,
        replace(data, name=args.data_name or data.name),
        out_of(args) / args.name,
        linear_probe.LinearProbeSettings(
            folds=args.folds or (),
            holdout_folds=() if args.measure is None else (args.measure,),
            attribution=args.credit,
        ),
        progress,
    )
    tell(made)


def _fine_tune_whole(args: argparse.Namespace, network: Checkpoint, data: Dataset) -> None:
    from audioclf.training import linear_probe

    ears = linear_probe.resolve_backbone(network)
    from audioclf.training import fine_tuning, pipeline

    work = pipeline.TrainingConfig(
        folder=Path(args.folder),
        architecture=ears.card["architecture"],
        name=args.name,
        output_dir=out_of(args),
        folds=args.folds or (),
        holdout_fold=args.measure,
        base_model=ears,
        data_name=args.data_name,
        attribution=args.credit,
        settings=_settings(args, fine_tuning.SETTINGS),
        dataset=data,
        validate=args.watch,
    )
    tell(pipeline.train_and_evaluate(work, EpochBars().show, progress))


RUNS: dict[str, Run] = {
    "check": _check,
    "train": _train,
    "cross-validate": _cross_validate,
    "ensemble": _ensemble,
    "fine-tune": _fine_tune,
    **models.RUNS,
}
