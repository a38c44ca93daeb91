"""The commands around labels: data sets that people label, between their store and every format."""

import argparse
import getpass
from pathlib import Path

from audioclf.annotation import exporting, importing, project
from audioclf.annotation.exporting import Export
from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run


def _labels(chosen: argparse.Namespace) -> None:
    ACTIONS[chosen.action](chosen)


def _list(chosen: argparse.Namespace) -> None:
    rows = [
        {"name": one.name, "sounds": len(one.files()), "labels": len(one.labels())}
        for one in project.find_all()
    ]
    print_table(rows, chosen.json)


def _new(chosen: argparse.Namespace) -> None:
    sounds = Path(chosen.paths[0]) if chosen.paths else None
    made = project.create(_name(chosen), sounds)
    n_sounds = project.look(made, lambda paths: progress("sounds", paths))
    print(f"{made.name}: {n_sounds} sounds")


def _import(chosen: argparse.Namespace) -> None:
    one = project.find(_name(chosen))
    project.look(one, lambda paths: progress("sounds", paths))
    paths = [Path(path) for path in chosen.paths]
    taken = importing.read_labels(one, paths, chosen.format, _who())
    left = f", {taken.n_left_out} left out where there is no sound" if taken.n_left_out else ""
    print(f"{one.name}: {taken.n_new} new labels{left}")


def _export(chosen: argparse.Namespace) -> None:
    one = project.find(_name(chosen))
    output = Path(chosen.output or f"{one.name}.zip")
    export = Export(chosen.format, chosen.sounds, chosen.clips or "", chosen.split)
    print(exporting.write_labels(one, export, output))


def _name(chosen: argparse.Namespace) -> str:
    if not chosen.name:
        raise ValueError("Name the data set, such as “audioclf labels export my-birds”.")
    return str(chosen.name)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


ACTIONS: dict[str, Run] = {"list": _list, "new": _new, "import": _import, "export": _export}
RUNS: dict[str, Run] = {"labels": _labels}
