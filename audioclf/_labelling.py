"""The commands around labels: data sets that people label, between their store and every format."""

import argparse
import getpass
from pathlib import Path

from audioclf import label_export, label_import, labelled
from audioclf._arguments import Run
from audioclf._console import print_table, progress
from audioclf.label_export import Export


def _labels(chosen: argparse.Namespace) -> None:
    ACTIONS[chosen.action](chosen)


def _list(chosen: argparse.Namespace) -> None:
    rows = [
        {"name": one.name, "sounds": len(one.files()), "labels": len(one.labels())}
        for one in labelled.find_all()
    ]
    print_table(rows, chosen.json)


def _new(chosen: argparse.Namespace) -> None:
    sounds = Path(chosen.paths[0]) if chosen.paths else None
    made = labelled.create(_name(chosen), sounds)
    n_sounds = labelled.look(made, lambda paths: progress("sounds", paths))
    print(f"{made.name}: {n_sounds} sounds")


def _import(chosen: argparse.Namespace) -> None:
    one = labelled.find(_name(chosen))
    labelled.look(one, lambda paths: progress("sounds", paths))
    paths = [Path(path) for path in chosen.paths]
    taken = label_import.read_labels(one, paths, chosen.format, _who())
    left = f", {taken.n_left_out} left out where there is no sound" if taken.n_left_out else ""
    print(f"{one.name}: {taken.n_new} new labels{left}")


def _export(chosen: argparse.Namespace) -> None:
    one = labelled.find(_name(chosen))
    output = Path(chosen.output or f"{one.name}.zip")
    export = Export(chosen.format, chosen.sounds, chosen.clips or "", chosen.split)
    print(label_export.write_labels(one, export, output))


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
