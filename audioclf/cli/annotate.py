"""The commands around labels: data sets that people label, between their store and every format."""

import argparse
import getpass
from pathlib import Path

from audioclf.annotation import exporting, importing, project
from audioclf.annotation.exporting import Export
from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run


def _labels(args: argparse.Namespace) -> None:
    ACTIONS[args.action](args)


def _list(args: argparse.Namespace) -> None:
    rows = [
        {"name": one.name, "sounds": len(one.files()), "labels": len(one.labels())}
        for one in project.find_all()
    ]
    print_table(rows, args.json)


def _new(args: argparse.Namespace) -> None:
    sounds = Path(args.paths[0]) if args.paths else None
    made = project.create(_name(args), sounds)
    n_sounds = project.scan_files(made, lambda paths: progress("sounds", paths))
    print(f"{made.name}: {n_sounds} sounds")


def _import(args: argparse.Namespace) -> None:
    one = project.find(_name(args))
    project.scan_files(one, lambda paths: progress("sounds", paths))
    paths = [Path(path) for path in args.paths]
    taken = importing.read_labels(one, paths, args.format, _who())
    left = f", {taken.n_left_out} left out where there is no sound" if taken.n_left_out else ""
    print(f"{one.name}: {taken.n_new} new labels{left}")


def _export(args: argparse.Namespace) -> None:
    one = project.find(_name(args))
    output = Path(args.output or f"{one.name}.zip")
    export = Export(args.format, args.sounds, args.clips or "", args.split)
    print(exporting.write_labels(one, export, output))


def _name(args: argparse.Namespace) -> str:
    if not args.name:
        raise ValueError("Name the data set, such as “audioclf labels export my-birds”.")
    return str(args.name)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


ACTIONS: dict[str, Run] = {"list": _list, "new": _new, "import": _import, "export": _export}
RUNS: dict[str, Run] = {"labels": _labels}
