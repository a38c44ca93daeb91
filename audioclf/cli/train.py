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


def _check(chosen: argparse.Namespace) -> None:
    from audioclf.datasets import dataset, zip_archive

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(chosen.folder)
        if zipfile.is_zipfile(folder):
            folder = zip_archive.unpack(folder, Path(temporary, folder.stem)).folder
        _survey(dataset.load(folder), chosen)


def _survey(data: Dataset, chosen: argparse.Namespace) -> None:
    from audioclf.datasets import inspection

    window_s = WINDOW_S
    if chosen.checkpoint:
        window_s = max(one.recipe.window_s for one in checkpoint.find(chosen.checkpoint).members)
    found = inspection.survey(data, window_s, lambda clips: progress("clips", clips))
    if chosen.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        print_table(found.classes(), False)
        for finding in found.findings:
            print(f"{finding.kind}: {finding.sentence}")
    if found.blocks:
        raise ValueError(f"“{data.name}” cannot be trained on as it is: see what blocks, above.")


def _train(chosen: argparse.Namespace) -> None:
    from audioclf.models import architectures

    architectures.check_name(chosen.architecture)
    data = _data(chosen)
    from audioclf.training import (
        pipeline,  # with Keras: what is wrong so far is said before ten seconds pass
    )

    work = pipeline.TrainingConfig(
        folder=Path(chosen.folder),
        architecture=chosen.architecture,
        name=chosen.name,
        output_dir=out_of(chosen),
        feature=chosen.feature,
        recipe=_recipe_changes(chosen),
        folds=chosen.folds or (),
        holdout_fold=chosen.measure,
        extra_epochs=chosen.further,
        validate=chosen.watch,
        data_name=chosen.data_name,
        attribution=chosen.credit,
        settings=_settings(chosen),
        dataset=data,
    )
    made = pipeline.train_and_evaluate(work, EpochBars().show, progress)
    tell(made)


def _settings(chosen: argparse.Namespace, usual: Settings = USUAL) -> Settings:
    """The usual settings, with what `--set` and the shorter arguments say."""
    changes = {name: text for name, text in chosen.set or [] if not name.startswith(RECIPE)}
    if chosen.epochs is not None:
        changes["epochs"] = str(chosen.epochs)
    if chosen.seed is not None:
        changes["seed"] = str(chosen.seed)
    return config.with_overrides(usual, changes)


def _recipe_changes(chosen: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """What `--set recipe....` and `--deltas` say."""
    changes = {name: text for name, text in chosen.set or [] if name.startswith(RECIPE)}
    if chosen.deltas is not None:
        changes["recipe.deltas"] = str(chosen.deltas)
    return tuple((name.removeprefix(RECIPE), text) for name, text in changes.items())


def _cross_validate(chosen: argparse.Namespace) -> None:
    from audioclf.models import architectures

    specs = [spec.partition(":") for spec in chosen.architecture]
    for name, _, _ in specs:
        architectures.check_name(name)
    data = _data(chosen)
    from audioclf.training import pipeline
    from audioclf.training.cross_validation import cross_validate

    lessons = [
        pipeline.TrainingConfig(
            folder=Path(chosen.folder),
            architecture=name,
            name=f"{name}:{feature}" if feature else name,
            output_dir=Path(),
            feature=feature or None,
            recipe=_recipe_changes(chosen),
            folds=chosen.folds or (),
            data_name=chosen.data_name,
            settings=_settings(chosen),
            dataset=data,
        )
        for name, _, feature in specs
    ]
    rows = [row.to_dict() for row in cross_validate(lessons, EpochBars().show, progress)]
    print_table(rows, chosen.json)


def _ensemble(chosen: argparse.Namespace) -> None:
    from audioclf.datasets import dataset
    from audioclf.training import ensemble

    members = [checkpoint.find(name) for name in chosen.members]
    held_out = None
    if chosen.measure is not None:
        data = dataset.load(chosen.folder)
        held_out = replace(data, name=chosen.data_name or data.name).of_folds({chosen.measure})
    made = ensemble.make(chosen.name, members, held_out, progress)
    tell(made)


def _data(chosen: argparse.Namespace) -> Dataset:
    """The folder's clips; where that is asked, without those that teach nothing."""
    from audioclf.datasets import dataset, inspection

    data = dataset.load(chosen.folder)
    if chosen.usable:
        found = inspection.survey(data, WINDOW_S, lambda clips: progress("clips", clips))
        data = data.without(inspection.useless(found))
    return data


def _fine_tune(chosen: argparse.Namespace) -> None:
    from audioclf.training import linear_probe

    checkpoint.check_name(chosen.name)
    network, data = checkpoint.find(chosen.checkpoint), _data(chosen)
    if not chosen.freeze:
        _fine_tune_whole(chosen, network, data)
        return
    made = linear_probe.train_linear_probe(
        network,
        replace(data, name=chosen.data_name or data.name),
        out_of(chosen) / chosen.name,
        linear_probe.LinearProbeSettings(
            folds=chosen.folds or (),
            holdout_folds=() if chosen.measure is None else (chosen.measure,),
            attribution=chosen.credit,
        ),
        progress,
    )
    tell(made)


def _fine_tune_whole(chosen: argparse.Namespace, network: Checkpoint, data: Dataset) -> None:
    from audioclf.training import linear_probe

    ears = linear_probe.resolve_backbone(network)
    from audioclf.training import fine_tuning, pipeline

    work = pipeline.TrainingConfig(
        folder=Path(chosen.folder),
        architecture=ears.card["architecture"],
        name=chosen.name,
        output_dir=out_of(chosen),
        folds=chosen.folds or (),
        holdout_fold=chosen.measure,
        base_model=ears,
        data_name=chosen.data_name,
        attribution=chosen.credit,
        settings=_settings(chosen, fine_tuning.SETTINGS),
        dataset=data,
        validate=chosen.watch,
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
