"""What the command line takes: a row per command, and its arguments."""

import argparse
from collections.abc import Callable, Mapping

from audioclf import __version__
from audioclf.datasets.formats.registry import FORMATS
from audioclf.features.config import PREPROCESSINGS

Run = Callable[[argparse.Namespace], None]
NAME_OR_FOLDER = "a name or a folder"
DELTAS = "with the feature's first N derivatives (0, 1 or 2) as further channels"


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of all commands; `run` in its result is the chosen one's function."""
    made = argparse.ArgumentParser(
        prog="audioclf", description="See, classify and label sounds; teach a network your own."
    )
    made.add_argument("--version", action="version", version=f"audioclf {__version__}")
    group = made.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name, (words, add) in COMMANDS.items():
        command = group.add_parser(name, help=words, description=words)
        command.set_defaults(run=runs[name])
        add(command)
    return made


def _folds(text: str) -> tuple[int, ...]:
    return tuple(int(fold) for fold in text.split(","))


def _add_table(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true")
    made.add_argument("--markdown", action="store_true", help="the table of the README")


def _add_features(made: argparse.ArgumentParser) -> None:
    made.add_argument("path", metavar="PATH", help="a sound file")
    made.add_argument(
        "--recipe",
        required=True,
        metavar="NAME",
        help="a checkpoint, a feature, or several: mel+cqt",
    )
    made.add_argument("--output", required=True, metavar="FILE.npy")
    made.add_argument("--deltas", type=int, metavar="N", help=DELTAS)


def _add_evaluate(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    made.add_argument("--fold", type=int, metavar="K", help="only this fold")
    made.add_argument("--json", action="store_true")


def _add_app(made: argparse.ArgumentParser) -> None:
    made.add_argument("--local", action="store_true", help="your own machine: no limits")
    made.add_argument("--host", help="address to listen on")
    made.add_argument("--port", type=int, help="port to listen on")


def _add_predict(made: argparse.ArgumentParser) -> None:
    made.add_argument("paths", nargs="+", metavar="PATH", help="sound files")
    made.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    made.add_argument(
        "--clean", choices=PREPROCESSINGS, help="instead of the recipe's own cleaning"
    )
    made.add_argument("--format", choices=("json", "csv", "audacity", "raven"))
    made.add_argument("--json", action="store_true", help="the same as --format json")


def _add_train(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument("--architecture", required=True, metavar="NAME")
    made.add_argument("--name", required=True, metavar="NEW", help="the new checkpoint's name")
    made.add_argument("--feature", help="another than the architecture's own, or several: mel+cqt")
    made.add_argument("--folds", type=_folds, metavar="1,2,...", help="train on these; else on all")
    made.add_argument(
        "--measure", type=int, metavar="K",
        help="train without fold K first, the same way, and put the result on it into the card",
    )  # fmt: skip
    made.add_argument(
        "--further", type=int, metavar="N",
        help="with --measure: that network goes on for N epochs with fold K too, and ships",
    )  # fmt: skip
    _add_settings(made)
    made.add_argument("--credit", default="", metavar="TEXT", help="the data's citation, licence")
    made.add_argument("--out", metavar="DIR", help="publish elsewhere than in checkpoints/")


def _add_settings(made: argparse.ArgumentParser) -> None:
    made.add_argument("--epochs", type=int)
    made.add_argument("--seed", type=int)
    made.add_argument(
        "--usable", action="store_true", help="leave out clips that cannot be read, and copies"
    )
    made.add_argument(
        "--watch", action="store_true", help="measure every epoch on the folds that are held out"
    )
    made.add_argument("--deltas", type=int, metavar="N", help=DELTAS)
    made.add_argument(
        "--set", type=_setting, action="append", metavar="NAME=VALUE",
        help="another setting, such as augmentation.mix_share=0.6 or recipe.window_frames=64; may "
        "be given several times",
    )  # fmt: skip
    made.add_argument("--data-name", metavar="TEXT", help="what cards and tables call the data")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=VALUE")
    return name, value


def _add_cross_validate(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument(
        "--architecture", required=True, action="append", metavar="NAME[:FEATURE]",
        help="may be given several times; then they also vote together",
    )  # fmt: skip
    made.add_argument("--folds", type=_folds, metavar="1,2,...", help="of these folds; else of all")
    _add_settings(made)
    made.add_argument("--json", action="store_true")


def _add_ensemble(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="the labelled data set they were trained on")
    made.add_argument("--name", required=True, metavar="NEW", help="the new checkpoint's name")
    made.add_argument("--members", required=True, nargs="+", metavar="NAME", help=NAME_OR_FOLDER)
    made.add_argument(
        "--measure", type=int, metavar="K", help="with the members as they were without fold K"
    )
    made.add_argument("--data-name", metavar="TEXT", help="what the card calls the data")


def _add_fine_tune(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set")
    made.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    made.add_argument("--name", required=True, metavar="NEW", help="the new checkpoint's name")
    made.add_argument(
        "--freeze", action="store_true",
        help="the network stays as it is and gets a new head, in seconds; else all of it learns",
    )  # fmt: skip
    made.add_argument("--folds", type=_folds, metavar="1,2,...", help="train on these; else on all")
    made.add_argument(
        "--measure", type=int, metavar="K",
        help="first without fold K, and put the result on it into the card",
    )  # fmt: skip
    _add_settings(made)
    made.add_argument("--credit", default="", metavar="TEXT", help="the data's citation, licence")
    made.add_argument("--out", metavar="DIR", help="publish elsewhere than in checkpoints/")


def _add_check(made: argparse.ArgumentParser) -> None:
    made.add_argument("folder", metavar="FOLDER", help="a labelled data set, or a ZIP of one")
    made.add_argument("--checkpoint", metavar="NAME", help="judge lengths by what this one hears")
    made.add_argument("--json", action="store_true")


def _add_fetch(made: argparse.ArgumentParser) -> None:
    made.add_argument("name", metavar="NAME", help="yamnet: Google's 521 classes of sounds, 4 MB")
    made.add_argument("--from", dest="from_file", metavar="FILE", help="a file already here")
    made.add_argument("--out", metavar="DIR", help="publish elsewhere than in checkpoints/")


def _add_bundle(made: argparse.ArgumentParser) -> None:
    made.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    made.add_argument("--output", metavar="FILE.zip", help="or a new folder; NAME.zip unless given")
    made.add_argument(
        "--format", action="append", choices=("saved_model", "litert"),
        help="also in this format, read back and compared; may be given twice",
    )  # fmt: skip
    made.add_argument(
        "--push", metavar="USER/NAME",
        help="to the Hugging Face Hub instead, with the token in HF_TOKEN; private unless --public",
    )  # fmt: skip
    made.add_argument("--public", action="store_true", help="with --push: for everybody")


def _add_labels(made: argparse.ArgumentParser) -> None:
    made.add_argument("action", choices=("list", "new", "import", "export"))
    made.add_argument("name", nargs="?", metavar="SET", help="the data set's name")
    made.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="of a new set, the folder of its sounds, which stay there; of an import, the files "
        "with the labels, or their folder",
    )  # fmt: skip
    made.add_argument("--format", choices=FORMATS, default="csv")
    made.add_argument("--output", metavar="FILE.zip", help="or a new folder; SET.zip unless given")
    made.add_argument("--sounds", action="store_true", help="export the sounds too")
    made.add_argument("--clips", choices=("flac", "wav"), help="and every stretch as a file")
    made.add_argument("--split", action="store_true", help="to teach and to test, by recording")
    made.add_argument("--json", action="store_true")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "architectures": ("the table of networks", _add_table),
    "checkpoints": ("the table of trained networks, with measured results", _add_table),
    "predict": ("what a network hears, per clip and per window", _add_predict),
    "features": ("write the array that a network would see", _add_features),
    "check": ("what a labelled folder holds, and what is wrong with it", _add_check),
    "train": ("train a network from scratch on a labelled folder", _add_train),
    "cross-validate": ("a training per fold, each measured on that fold", _add_cross_validate),
    "ensemble": ("a checkpoint in which several vote", _add_ensemble),
    "fine-tune": ("teach a trained network new classes: a new head, or all of it", _add_fine_tune),
    "fetch": ("get a network that is not part of the project, and publish it", _add_fetch),
    "bundle": ("a network to take away, as a ZIP that needs no other checkpoint", _add_bundle),
    "evaluate": ("accuracy, F1 per class and confusion on a labelled folder", _add_evaluate),
    "labels": ("data sets that people label, between their store and other tools", _add_labels),
    "app": ("serve the page", _add_app),
}
