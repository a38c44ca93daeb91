"""The commands around training: inspect, train, cross-validate, ensemble, fine-tune."""

import argparse
import json
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from audioclf.cli import models
from audioclf.cli.console import EpochBars, print_table, progress
from audioclf.cli.models import output_dir, print_saved
from audioclf.cli.parser import Run
from audioclf.datasets.dataset import Dataset
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.text import pluralize
from audioclf.training import advisor, config
from audioclf.training.config import Hyperparameters

WINDOW_S = 2.0  # clips shorter than this are repeated by most models
DEFAULT = Hyperparameters()
BEST = "best"  # the start that the advisor chooses
FRONTEND = "frontend."  # what `--set` changes in the front end, and not in the settings


def _inspect(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset, zip_archive

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder)
        if zipfile.is_zipfile(folder):
            folder = zip_archive.unpack(folder, Path(temporary, folder.stem)).folder
        _print_inspection(dataset.load(folder), args)


def _print_inspection(data: Dataset, args: argparse.Namespace) -> None:
    from audioclf.datasets import inspection

    window_s = WINDOW_S
    if args.checkpoint:
        window_s = max(
            member.frontend.window_s for member in checkpoint.find(args.checkpoint).load_members()
        )
    report = inspection.inspect(data, window_s, lambda clips: progress("clips", clips))
    if args.json:
        print(json.dumps(report.to_dict(), indent=1, ensure_ascii=False))
    else:
        print_table(report.classes(), False)
        for finding in report.findings:
            print(f"{finding.kind.name.lower()}: {finding.sentence}")
    if report.has_errors:
        raise ValueError(f"“{data.name}” cannot be trained on as it is: see the errors above.")


def _train(args: argparse.Namespace) -> None:
    from audioclf.models import architectures

    architectures.check_name(args.architecture)
    data = _data(args)
    from audioclf.training import (
        pipeline,  # with Keras: what is wrong so far is said before ten seconds pass
    )

    training = config.TrainingConfig(
        folder=Path(args.folder),
        architecture=args.architecture,
        name=args.name,
        output_dir=output_dir(args),
        feature=args.feature,
        frontend_overrides=_frontend_changes(args),
        folds=args.folds or (),
        holdout_fold=args.holdout_fold,
        extra_epochs=args.extra_epochs,
        validate=args.validate,
        data_name=args.data_name,
        attribution=args.attribution,
        settings=_settings(args),
        dataset=data,
    )
    print_saved(pipeline.train_and_evaluate(training, EpochBars().show, progress))


def _settings(args: argparse.Namespace, default: Hyperparameters = DEFAULT) -> Hyperparameters:
    """The default settings with the values of `--set`, `--epochs` and `--seed`."""
    changes = {name: text for name, text in args.set or [] if not name.startswith(FRONTEND)}
    if args.epochs is not None:
        changes["epochs"] = str(args.epochs)
    if args.seed is not None:
        changes["seed"] = str(args.seed)
    return config.with_overrides(default, changes)


def _frontend_changes(args: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """The values of `--set frontend....` and `--deltas`."""
    changes = {name: text for name, text in args.set or [] if name.startswith(FRONTEND)}
    if args.deltas is not None:
        changes["frontend.deltas"] = str(args.deltas)
    return tuple((name.removeprefix(FRONTEND), text) for name, text in changes.items())


def _cross_validate(args: argparse.Namespace) -> None:
    from audioclf.models import architectures

    specs = [spec.partition(":") for spec in args.architecture]
    for name, _, _ in specs:
        architectures.check_name(name)
    data = _data(args)
    from audioclf.training.cross_validation import cross_validate

    trainings = [
        config.TrainingConfig(
            folder=Path(args.folder),
            architecture=name,
            name=f"{name}:{feature}" if feature else name,
            output_dir=Path(),
            feature=feature or None,
            frontend_overrides=_frontend_changes(args),
            folds=args.folds or (),
            data_name=args.data_name,
            settings=_settings(args),
            dataset=data,
        )
        for name, _, feature in specs
    ]
    rows = [row.to_dict() for row in cross_validate(trainings, EpochBars().show, progress)]
    print_table(rows, args.json)


def _ensemble(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset
    from audioclf.training import ensemble

    members = [checkpoint.find(name) for name in args.members]
    held_out = None
    if args.holdout_fold is not None:
        data = dataset.load(args.folder)
        held_out = replace(data, name=args.data_name or data.name).of_folds({args.holdout_fold})
    print_saved(ensemble.make(args.name, members, held_out, progress))


def _data(args: argparse.Namespace) -> Dataset:
    """The folder's clips; with --skip-unusable without those that training cannot use."""
    from audioclf.datasets import dataset, inspection

    data = dataset.load(args.folder)
    if args.skip_unusable:
        report = inspection.inspect(data, WINDOW_S, lambda clips: progress("clips", clips))
        data = data.without(inspection.unusable(report))
    return data


def _fine_tune(args: argparse.Namespace) -> None:
    from audioclf.training import linear_probe

    checkpoint.check_name(args.name)
    data = _data(args)
    if args.checkpoint == BEST:
        model = _recommended(args, data)
        is_head = not (args.epochs or args.set or args.validate)
    else:
        model, is_head = checkpoint.find(args.checkpoint), args.freeze
    if not (args.freeze or is_head):
        _fine_tune_all_layers(args, model, data)
        return
    probe = linear_probe.train_linear_probe(
        model,
        replace(data, name=args.data_name or data.name),
        output_dir(args) / args.name,
        linear_probe.LinearProbeSettings(
            folds=args.folds or (),
            holdout_folds=() if args.holdout_fold is None else (args.holdout_fold,),
            attribution=args.attribution,
        ),
        progress,
    )
    print_saved(probe)


def _recommended(args: argparse.Namespace, data: Dataset) -> Checkpoint:
    """The start that the advisor chooses, from the folds that are trained on and not held out."""
    folds = set(args.folds or data.folds) - {args.holdout_fold}
    advice = advisor.recommend(data.of_folds(folds), progress)
    chosen = advice.rows[0]
    if chosen.accuracy is not None and chosen.interval is not None:
        low, high = chosen.interval
        print(
            f"{chosen.start}: {chosen.accuracy:.1%} ({low:.1%} to {high:.1%}), the best of "
            f"{pluralize(sum(row.accuracy is not None for row in advice.rows), 'start')}.",
            file=sys.stderr,
        )
    return advice.best


def _fine_tune_all_layers(args: argparse.Namespace, model: Checkpoint, data: Dataset) -> None:
    from audioclf.training import linear_probe

    backbone = linear_probe.resolve_backbone(model)
    from audioclf.training import fine_tuning, pipeline

    training = config.TrainingConfig(
        folder=Path(args.folder),
        architecture=backbone.card["architecture"],
        name=args.name,
        output_dir=output_dir(args),
        folds=args.folds or (),
        holdout_fold=args.holdout_fold,
        base_model=backbone,
        data_name=args.data_name,
        attribution=args.attribution,
        settings=_settings(args, fine_tuning.SETTINGS),
        dataset=data,
        validate=args.validate,
    )
    print_saved(pipeline.train_and_evaluate(training, EpochBars().show, progress))


RUNS: dict[str, Run] = {
    "inspect": _inspect,
    "train": _train,
    "cross-validate": _cross_validate,
    "ensemble": _ensemble,
    "fine-tune": _fine_tune,
    **models.RUNS,
}
