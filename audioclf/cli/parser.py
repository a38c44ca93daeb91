"""What the command line takes: a row per command, and its arguments."""

import argparse
from collections.abc import Callable, Mapping

from audioclf import __version__
from audioclf.audio.excerpt import ClipFormat
from audioclf.datasets.formats.label_studio import LOCAL_PREFIX
from audioclf.datasets.formats.registry import DETECTIONS, FORMATS
from audioclf.features.config import Preprocessing

Run = Callable[[argparse.Namespace], None]
Add = Callable[[argparse.ArgumentParser], None]
DATASET = "a labelled data set"
NAME_OR_FOLDER = "a checkpoint's name or folder"
NEW_NAME = "the new checkpoint's name"
DELTAS = "with the feature's first N derivatives (0, 1 or 2) as further channels"


def build_parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of all commands; `args.run` is the function of the one that was given.

    `runs`: functions by command, those of subcommands by both names, such as `labels export`.
    """
    parser = argparse.ArgumentParser(
        prog="audioclf",
        description="View, classify and label audio; fine-tune models on classes of your own.",
    )
    parser.add_argument("--version", action="version", version=f"audioclf {__version__}")
    _add_commands(parser, COMMANDS, runs, "")
    return parser


def _add_commands(
    parser: argparse.ArgumentParser,
    commands: Mapping[str, tuple[str, Add]],
    runs: Mapping[str, Run],
    prefix: str,
) -> None:
    group = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name, (text, add_arguments) in commands.items():
        command = group.add_parser(name, help=text, description=text)
        add_arguments(command)
        if prefix + name in runs:
            command.set_defaults(run=runs[prefix + name], command=prefix + name)
        else:
            _add_commands(command, SUBCOMMANDS[name], runs, f"{name} ")


def _folds(text: str) -> tuple[int, ...]:
    return tuple(int(fold) for fold in text.split(","))


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a list of objects")
    parser.add_argument("--markdown", action="store_true", help="as the documentation shows it")


def _add_features(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="an audio file")
    parser.add_argument(
        "--frontend",
        required=True,
        metavar="NAME",
        help="a checkpoint, a feature, or several: mel+cqt",
    )
    parser.add_argument("--output", required=True, metavar="FILE.npy")
    parser.add_argument("--deltas", type=int, metavar="N", help=DELTAS)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")
    parser.add_argument("--json", action="store_true", help="with the confusion matrix")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--local", action="store_true", help="your own machine: no limits")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="audio files")
    parser.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    parser.add_argument(
        "--preprocess",
        choices=[*Preprocessing],
        help="instead of the front end's own preprocessing",
    )
    parser.add_argument(
        "--events", action="store_true", help="which class from when to when, not every window"
    )
    parser.add_argument(
        "--threshold", type=float, metavar="P",
        help="with --events: the probability with which an event begins (0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--min-length", type=float, metavar="S", help="with --events: shorter events are left out"
    )
    parser.add_argument("--format", choices=("json", "csv", "audacity", "raven"))
    parser.add_argument("--json", action="store_true", help="the same as --format json")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument("--architecture", required=True, metavar="NAME")
    parser.add_argument("--name", required=True, metavar="NEW", help=NEW_NAME)
    parser.add_argument(
        "--feature", help="another than the architecture's own, or several: mel+cqt"
    )
    _add_holdout(parser, "train without fold K first, and put the result on it into the card")
    parser.add_argument(
        "--extra-epochs", type=int, metavar="N",
        help="with --holdout-fold: that model is trained for N more epochs with fold K, and saved",
    )  # fmt: skip
    _add_settings(parser)
    _add_publishing(parser)


def _add_holdout(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--folds", type=_folds, metavar="1,2,...", help="train on these; else on all"
    )
    parser.add_argument("--holdout-fold", type=int, metavar="K", help=text)


def _add_publishing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--attribution", default="", metavar="TEXT", help="the data's citation and licence"
    )
    _add_output_dir(parser)


def _add_output_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output-dir", "--out", metavar="DIR", help="save elsewhere than in checkpoints/"
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument(
        "--skip-unusable", action="store_true", help="skip unreadable clips, and copies"
    )
    parser.add_argument(
        "--validate", action="store_true", help="evaluate every epoch on the folds held out"
    )
    parser.add_argument("--deltas", type=int, metavar="N", help=DELTAS)
    parser.add_argument(
        "--set", type=_setting, action="append", metavar="NAME=VALUE",
        help="another setting, such as augmentation.mix_prob=0.6 or frontend.window_frames=64; "
        "may be given several times",
    )  # fmt: skip
    parser.add_argument("--data-name", metavar="TEXT", help="what cards and tables call the data")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=VALUE")
    return name, value


def _add_cross_validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument(
        "--architecture", required=True, action="append", metavar="NAME[:FEATURE]",
        help="may be given several times; then their ensemble is evaluated too",
    )  # fmt: skip
    parser.add_argument(
        "--folds", type=_folds, metavar="1,2,...", help="of these folds; else of all"
    )
    _add_settings(parser)
    parser.add_argument("--json", action="store_true", help="a list of objects")


def _add_ensemble(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="the data set they were trained on")
    parser.add_argument("--name", required=True, metavar="NEW", help=NEW_NAME)
    parser.add_argument("--members", required=True, nargs="+", metavar="NAME", help=NAME_OR_FOLDER)
    parser.add_argument(
        "--holdout-fold", type=int, metavar="K",
        help="evaluate on fold K, with the members as they were trained without it",
    )  # fmt: skip
    parser.add_argument("--data-name", metavar="TEXT", help="what the card calls the data")


def _add_fine_tune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument(
        "--checkpoint", required=True, metavar="NAME",
        help=f"{NAME_OR_FOLDER}; or best: the start and mode that “audioclf recommend” finds",
    )  # fmt: skip
    parser.add_argument("--name", required=True, metavar="NEW", help=NEW_NAME)
    parser.add_argument(
        "--freeze", action="store_true",
        help="a new classifier head on the frozen backbone, in seconds; else all layers",
    )  # fmt: skip
    _add_holdout(parser, "first without fold K, and put the result on it into the card")
    _add_settings(parser)
    _add_publishing(parser)


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=f"{DATASET}, or a ZIP of one")
    parser.add_argument(
        "--checkpoint", metavar="NAME", help="compare lengths with the window of this one"
    )
    parser.add_argument("--json", action="store_true", help="with all findings")


def _add_review(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument(
        "--checkpoint", metavar="NAME",
        help="whose embeddings; else YAMNet's where it is installed, or those of the best model",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a list of objects")


def _add_recommend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=DATASET)
    parser.add_argument("--epochs", type=int, help="of a training of all layers, for its cost (60)")
    parser.add_argument("--json", action="store_true", help="with the start that is best")


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="yamnet: Google's model of 521 classes of audio, 4 MB"
    )
    parser.add_argument("--from", dest="from_file", metavar="FILE", help="a file already here")
    _add_output_dir(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", required=True, metavar="NAME", help=NAME_OR_FOLDER)
    parser.add_argument(
        "--output", metavar="FILE.zip", help="or a new folder; NAME.zip unless given"
    )
    parser.add_argument(
        "--format", action="append", choices=("saved_model", "litert"),
        help="also in this format, read back and compared; may be given twice",
    )  # fmt: skip
    parser.add_argument(
        "--push", metavar="USER/NAME",
        help="to the Hugging Face Hub instead, with the token in HF_TOKEN; private unless --public",
    )  # fmt: skip
    parser.add_argument("--public", action="store_true", help="with --push: for everybody")


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    """A command with subcommands has no arguments of its own."""


def _add_labels_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a list of objects")


def _add_labels_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="SET", help="the new data set's name")
    parser.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="the folder of its recordings, which stay there"
    )


def _add_labels_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="SET", help="the data set's name")
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="the files with the labels, or their folder"
    )
    parser.add_argument("--format", choices=[*FORMATS, *DETECTIONS], default="csv")


def _add_labels_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="SET", help="the data set's name")
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument(
        "--output", metavar="FILE.zip", help="or a new folder; SET.zip unless given"
    )
    parser.add_argument("--with-audio", action="store_true", help="export the recordings too")
    parser.add_argument("--clip-format", choices=[*ClipFormat], help="and every segment as a file")
    parser.add_argument("--split", action="store_true", help="train/test split by recording")
    parser.add_argument(
        "--audio-prefix", default=LOCAL_PREFIX, metavar="PREFIX",
        help="before every file in tasks of Label Studio",
    )  # fmt: skip


COMMANDS: dict[str, tuple[str, Add]] = {
    "architectures": ("the table of architectures", _add_table),
    "checkpoints": ("the table of trained models, with measured results", _add_table),
    "predict": ("a model's prediction, per clip and per window", _add_predict),
    "features": ("write the array that is a model's input", _add_features),
    "inspect": ("what a labelled folder holds, and what is wrong with it", _add_inspect),
    "review": ("the labels that are probably wrong, the most suspicious first", _add_review),
    "recommend": ("what to start from: heads on the best few models, compared", _add_recommend),
    "train": ("train a model from scratch on a labelled folder", _add_train),
    "cross-validate": ("a training per fold, each evaluated on that fold", _add_cross_validate),
    "ensemble": ("a checkpoint that averages the predictions of several", _add_ensemble),
    "fine-tune": ("fine-tune a model: a new classifier head, or all layers", _add_fine_tune),
    "download": ("download a model that is not part of the project", _add_download),
    "export": ("a model as a ZIP that needs no other checkpoint", _add_export),
    "evaluate": ("accuracy, F1 per class and confusion on a labelled folder", _add_evaluate),
    "labels": ("data sets that people label, between their store and other tools", _add_nothing),
    "serve": ("serve the page", _add_serve),
}
SUBCOMMANDS: dict[str, dict[str, tuple[str, Add]]] = {
    "labels": {
        "list": ("the data sets, and how much of them is labelled", _add_labels_list),
        "new": ("a data set to label", _add_labels_new),
        "import": ("labels of another tool into a data set", _add_labels_import),
        "export": ("a data set's labels in the format of another tool", _add_labels_export),
    }
}
