"""The commands around labels: data sets that people label, between their store and every format."""

import argparse
from pathlib import Path

from audioclf.annotation import event_log, exporting, importing, project
from audioclf.annotation.exporting import Export
from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run
from audioclf.datasets.formats.registry import DETECTIONS
from audioclf.text import pluralize


def _list(args: argparse.Namespace) -> None:
    rows = [
        {
            "name": dataset.read_name(),
            "sounds": len(dataset.files()),
            "labels": len(dataset.labels()),
        }
        for dataset in project.find_all()
    ]
    print_table(rows, args.json)


def _new(args: argparse.Namespace) -> None:
    dataset = project.create(args.name, Path(args.folder) if args.folder else None)
    n_files = project.scan_files(dataset, lambda paths: progress("sounds", paths))
    print(f"{dataset.read_name()}: {pluralize(n_files, 'sound')}")


def _import(args: argparse.Namespace) -> None:
    dataset = project.find(args.name)
    project.scan_files(dataset, lambda paths: progress("sounds", paths))
    paths = [Path(path) for path in args.paths]
    result = importing.read_labels(dataset, paths, args.format, event_log.LOCAL_ANNOTATOR)
    left = f", {result.n_skipped} left out where there is no sound" if result.n_skipped else ""
    what = "suggestion" if args.format in DETECTIONS else "label"
    print(f"{dataset.read_name()}: {pluralize(result.n_new, f'new {what}')}{left}")


def _export(args: argparse.Namespace) -> None:
    dataset = project.find(args.name)
    output = Path(args.output or f"{dataset.read_name()}.zip")
    export = Export(
        args.format, args.with_audio, args.clip_format or "", args.split,
        audio_prefix=args.audio_prefix,
    )  # fmt: skip
    print(exporting.write_labels(dataset, export, output))


RUNS: dict[str, Run] = {
    "labels list": _list,
    "labels new": _new,
    "labels import": _import,
    "labels export": _export,
}
