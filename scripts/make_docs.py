"""Write the generated parts of README.md and docs/ from the code, the parser and the cards.

    python scripts/make_docs.py            # write them
    python scripts/make_docs.py --check    # name the pages that are out of date; status 1

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `PARTS` lists them.
Functions are named here as objects, so that a page never names one that is not there.
"""

import argparse
import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from audioclf import features
from audioclf.annotation import exporting, importing, project
from audioclf.audio import denoise, io, silence
from audioclf.cli import main as cli
from audioclf.cli import parser as arguments
from audioclf.datasets import dataset, layouts
from audioclf.datasets.formats import registry
from audioclf.export import bundle
from audioclf.features import config, windowing
from audioclf.inference import (
    calibration,
    detection,
    evaluation,
    events,
    export_formats,
    onnx_session,
    predict,
    prediction,
)
from audioclf.models import architectures, checkpoint, summary_table
from audioclf.models.checkpoint import Checkpoint
from audioclf.models.ranking import format_accuracy
from audioclf.training import augmentation, feature_cache, waveform_augmentation
from audioclf.training import config as settings

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("", "docs", "benchmarks")
N_BEST = 5
BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
COMMENT = re.compile(r"^ {4}(\w+): .*?(?:  # (.*))?$", re.MULTILINE)  # of a field
# A section of a docstring in numpydoc's format, and an entry of it: a name or a type, its meaning.
SECTION = re.compile(r"^(\w+)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^(\S.*?)(?: : .*)?\n((?:(?: +.*)?\n)*)", re.MULTILINE)
NUMBERED = re.compile(r"value_\d+|.*_\d+$")  # names that Gradio makes up

# The public API: the page lists these modules in this order, with these functions and classes.
API: list[tuple[ModuleType, list[Any]]] = [
    (io, [io.read_header, io.load, io.read_blocks, io.resample, io.write]),
    (denoise, [denoise.denoise]),
    (silence, [silence.split, silence.trim]),
    (config, [config.FrontendConfig, config.for_feature, config.from_dict]),
    (features, [features.compute, features.stream, features.feature]),
    (windowing, [windowing.windows, windowing.windows_of_file]),
    (checkpoint, [checkpoint.Checkpoint, checkpoint.find, checkpoint.find_all, checkpoint.read]),
    (architectures, [architectures.names, architectures.load, architectures.Architecture]),
    (dataset, [dataset.Dataset, dataset.load]),
    (predict, [predict.predict, predict.predict_file, predict.embed_file]),
    (prediction, [prediction.Prediction]),
    (detection, [detection.detect, detection.detect_file]),
    (events, [events.SoundEvents, events.Event]),
    (evaluation, [evaluation.evaluate, evaluation.Evaluation]),
    (
        export_formats,
        [
            export_formats.to_json,
            export_formats.to_csv,
            export_formats.to_audacity,
            export_formats.to_raven,
        ],
    ),
    (project, [project.create, project.find, project.find_all]),
    (importing, [importing.read_labels]),
    (exporting, [exporting.write_labels]),
    (bundle, [bundle.write_zip, bundle.write_folder]),
    (settings, [settings.Hyperparameters, settings.with_overrides]),
]  # fmt: skip


def commands() -> str:
    """Every command: what it does, how it is called, its arguments."""
    top = arguments.build_parser(cli.RUNS)
    return "\n\n".join(_command(one) for one in _subparsers(top))


def _subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of the commands, and of their subcommands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield one
                yield from _subparsers(one)


def _command(parser: argparse.ArgumentParser) -> str:
    actions = [
        action
        for action in parser._actions
        if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
    ]
    usage = " ".join([parser.prog, *map(_usage, actions)])
    lines = [f"## `{parser.prog}`", "", _sentence(parser.description or ""), "", "```text", usage]
    lines.append("```")
    if actions:
        lines += ["", "| argument | meaning |", "|---|---|"]
        lines += [f"| `{_spelling(action)}` | {_meaning(action)} |" for action in actions]
    return "\n".join(lines)


def _usage(action: argparse.Action) -> str:
    words = _spelling(action)
    return words if action.required and action.nargs not in ("*", "?") else f"[{words}]"


def _spelling(action: argparse.Action) -> str:
    """As it is typed, such as `--fold K` and `PATH...`."""
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    several = "..." if action.nargs in ("*", "+") else ""
    if not action.option_strings:
        return f"{value}{several}"
    takes_value = action.nargs != 0
    return action.option_strings[-1] + (f" {value}{several}" if takes_value else "")


def _meaning(action: argparse.Action) -> str:
    words = [_cell(action.help or "")]
    if action.choices and action.metavar:
        words.append(f"One of {', '.join(f'`{one}`' for one in action.choices)}")
    if action.default not in (None, False, "", []) and action.option_strings:
        words.append(f"`{action.default}` unless given")
    if isinstance(action, argparse._AppendAction):
        words.append("repeatable")
    return "; ".join(word for word in words if word)


def best_models() -> str:
    """The most accurate models that ship."""
    lines = [
        "| model | accuracy (95 % interval) | macro F1 | ECE | parameters | evaluated on |",
        "|---|---|---|---|---|---|",
    ]
    for model in _shipped_models()[:N_BEST]:
        measured = model.evaluation or {}
        lines.append(
            f"| `{model.name}` | {_accuracy(measured)} | {measured['macro_f1']:.3f} | "
            f"{measured['ece']:.3f} | {model.card['n_params'] / 1e6:.2f} M | {measured['data']} |"
        )
    return "\n".join(lines)


def _accuracy(measured: dict[str, Any]) -> str:
    return format_accuracy(measured["accuracy"], measured["n_clips"])


def _shipped_models() -> list[Checkpoint]:
    """The checkpoints that are part of the project, the most accurate first."""
    listed = subprocess.run(
        ["git", "ls-files", "checkpoints/*/card.json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {Path(line).parent.name for line in listed.stdout.splitlines()}
    return [model for model in summary_table.best_first() if model.name in names]


def model_zoo() -> str:
    """Every model that ships, the most accurate first."""
    return summary_table.markdown(_shipped_models())


def model_notes() -> str:
    """What each model that ships is, in the words of its card."""
    lines = ["| model | what it is | trained on | temperature |", "|---|---|---|---|"]
    for model in sorted(_shipped_models(), key=lambda shipped: shipped.name):
        lines.append(
            f"| `{model.name}` | {_cell(model.card['description'])} | "
            f"{model.card['training']['data']} | {model.temperature} |"
        )
    return "\n".join(lines)


def architecture_table() -> str:
    """Every architecture with its cost; builds each once, which takes Keras."""
    from audioclf.models.architectures import _table

    return _table.markdown(_table.rows(architectures.names()))


def feature_table() -> str:
    """Every feature: what it is, its channels, what a model sees of a window."""
    lines = [
        "| name | label | what it is | channels (unit) | rate | frames x bins x channels |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in features.FEATURES.items():
        front_end = config.for_feature(name)
        shape = " x ".join(f"{n:,}" for n in front_end.input_shape)
        lines.append(
            f"| `{name}` | {one.label} | {_cell(one.description)} | {_channels(one.channels)} | "
            f"{front_end.spectrogram.sample_rate_hz:,} Hz | {shape} |"
        )
    return "\n".join(lines)


def _channels(channels: Iterable[Any]) -> str:
    shown = [f"{channel.title} ({channel.unit})" for channel in channels]
    return "; ".join(shown) if len(shown) <= 4 else f"{len(shown)}: {shown[0]} to {shown[-1]}"


def format_table() -> str:
    """Every label format."""
    lines = ["| `--format` | format | regions |", "|---|---|---|"]
    for name, one in registry.FORMATS.items():
        regions = "yes" if one.holds_segments else "whole files; regions are exported as clips"
        lines.append(f"| `{name}` | {one.title} | {regions} |")
    return "\n".join(lines)


def setting_table() -> str:
    """Every setting that `--set` takes, by the dataclass that it belongs to."""
    parts = [
        ("", settings.Hyperparameters),
        ("augmentation.", augmentation.Augmentation),
        ("augmentation.waveform.", waveform_augmentation.WaveformAugmentation),
        ("frontend.", config.FrontendConfig),
        ("frontend.spectrogram.", features.SpectrogramConfig),
    ]
    lines = ["| name | default | meaning |", "|---|---|---|"]
    for prefix, part in parts:
        meanings = _meanings(part)
        for field in dataclasses.fields(part):
            default = field.default
            if default is dataclasses.MISSING or field.name == "normalisation":
                continue  # a part of its own, or learnt on the training clips
            meaning = _cell(meanings.get(field.name, ""))
            lines.append(f"| `{prefix}{field.name}` | `{default}` | {meaning} |")
    return "\n".join(lines)


def _meanings(part: type) -> dict[str, str]:
    """What the fields of a dataclass mean: its Attributes, else the comments behind them."""
    if documented := sections(part).get("Attributes"):
        return {name: text[:1].lower() + text[1:].rstrip(".") for name, text in documented.items()}
    return dict(COMMENT.findall(inspect.getsource(part)))


def api() -> str:
    """The public functions and classes, module by module."""
    return "\n\n".join(_module(module, names) for module, names in API)


def _module(module: ModuleType, members: Iterable[Any]) -> str:
    lines = [f"### `{module.__name__}`", "", _paragraph(module), ""]
    lines += ["| name | what it does |", "|---|---|"]
    lines += [f"| `{_signature(one)}` | {_cell(_paragraph(one))} |" for one in members]
    return "\n".join(lines)


def _signature(one: Any) -> str:
    """The name with its parameters, without their types."""
    if inspect.isclass(one):
        return one.__name__
    parameters = []
    for name, parameter in inspect.signature(one).parameters.items():
        starred = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        default = "" if parameter.default is parameter.empty else "=..."
        default = "=None" if parameter.default is None else default
        parameters.append(f"{starred.get(parameter.kind, '')}{name}{default}")
    return f"{one.__name__}({', '.join(parameters)})"


def endpoints() -> str:
    """Every HTTP endpoint of the page, as its clients see it."""
    from audioclf.ui.app import build_app

    lines = ["| endpoint | arguments | what it does |", "|---|---|---|"]
    for name, one in sorted(build_app().get_api_info()["named_endpoints"].items()):
        if NUMBERED.fullmatch(name):
            continue
        arguments = ", ".join(f"`{p['parameter_name']}`" for p in one["parameters"]) or "none"
        words = re.split(r"(?<=[.;])\s", str(one.get("description") or ""))[0]
        lines.append(f"| `{name}` | {arguments} | {_cell(words)} |")
    return "\n".join(lines)


def hosted_limits() -> str:
    """What a public page accepts."""
    from audioclf.ui.annotate import payloads, sessions, transfer
    from audioclf.ui.classify import compare
    from audioclf.ui.page.limits import HOSTED

    sound, data, job = HOSTED.sound, HOSTED.upload, HOSTED.training
    archive_mb = (data.max_archive_bytes or 0) / 1e6
    rows = [
        ("Classify: length of a sound", f"{sound.max_duration_s:.0f} s"),
        ("Classify: size of a file", f"{(sound.max_bytes or 0) / 1e6:.0f} MB"),
        ("Classify: sample rate", f"{(sound.max_rate_hz or 0) / 1000:.0f} kHz"),
        (
            "Classify: samples",
            f"{(sound.max_samples or 0) / 1e6:.0f} million per channel, "
            f"{(sound.max_values or 0) / 1e6:.0f} million in all",
        ),
        ("Compare: models at a time", f"{compare.MAX_HOSTED}"),
        ("Compare: seconds of sound times models", f"{compare.MAX_HOSTED_S:,.0f}"),
        ("Label: sounds of a data set", f"{data.max_clips} of {sound.max_duration_s:.0f} s each"),
        ("Label: size of a data set", f"{2 * archive_mb:.0f} MB"),
        ("Label: classes", f"{payloads.MAX_CLASSES}"),
        ("Label: clips to label", f"{sessions.MAX_HOSTED_TASKS:,}"),
        ("Label: size of an import", f"{transfer.MOST_BYTES / 1e6:.0f} MB"),
        ("Fine-tune: clips", f"{data.max_clips} of {data.sound.max_duration_s:.0f} s each"),
        ("Fine-tune: audio in all", f"{(data.max_seconds or 0) / 3600:.0f} hours"),
        ("Fine-tune: classes", f"{data.max_classes}"),
        ("Fine-tune: size of a ZIP", f"{archive_mb:.0f} MB"),
        ("a training: time", f"{(job.max_seconds or 0) / 60:.0f} minutes"),
        ("a training: memory", f"{(job.max_memory_mb or 0) / 1000:.0f} GB"),
        ("a training: cores", f"{job.n_cores}"),
        ("trainings that run or wait", f"{job.max_waiting}"),
    ]
    lines = ["| what | limit |", "|---|---|", *(f"| {what} | {limit} |" for what, limit in rows)]
    return "\n".join(lines)


def prediction_walk() -> str:
    """One sound on its way from the browser to the bars, up the floors."""
    from audioclf.ui.classify import answers

    return _walk(
        [
            (io.load, "reads the uploaded file: mono samples as float32"),
            (io.resample, "to the rate that the model was trained at"),
            (windowing.preprocess, "cleans, strips silence at the ends, repeats what is too short"),
            (features.compute, "one spectrum, and the model's feature of it"),
            (windowing.cut_windows, "overlapping windows as views; the last is aligned to the end"),
            (checkpoint.Checkpoint, "the model: its card and its weights"),
            (onnx_session.run_batched, "all windows through ONNX Runtime in batches"),
            (calibration.apply_temperature, "divides the logits by the card's temperature"),
            (prediction.Prediction, "probabilities per window, their mean, the answer in words"),
            (answers.windows_lane, "classes, colours and times, as the script draws them"),
        ]
    )


def training_walk() -> str:
    """One clip on its way from a labelled folder to a checkpoint."""
    from audioclf.export import save
    from audioclf.training import data, loop

    return _walk(
        [
            (layouts.read, "a row per clip, whatever the layout of the folder"),
            (dataset.load, "clips with classes and folds"),
            (io.load, "the clip's samples, mono, at the rate of the front end"),
            (windowing.clip_features, "its features, before windows are cut"),
            (feature_cache.load_or_compute, "the same on disk, by the content of the file"),
            (data.build_training_set, "all clips; mean and deviation are fitted on them"),
            (
                augmentation.augment_batch,
                "a batch of random windows, mixed, masked, louder and softer",
            ),
            (loop.fit, "epochs; the weights are averaged over the last steps"),
            (save.save_checkpoint, "Keras and ONNX files, which must predict the same"),
            (checkpoint.write_card, "the card, with the evaluation on the fold that was held out"),
        ]
    )


def _walk(hops: Iterable[tuple[Any, str]]) -> str:
    lines = []
    for number, (hop, words) in enumerate(hops, 1):
        path = Path(inspect.getsourcefile(hop) or "").relative_to(ROOT)
        where = f"[`{hop.__module__}`](../{path.as_posix()})"
        lines.append(f"{number}. `{hop.__name__}` in {where}: {words}.")
    return "\n".join(lines)


def sections(documented: Any) -> dict[str, dict[str, str]]:
    """The sections of a docstring by their titles: of each entry the name and the meaning."""
    text = f"{inspect.getdoc(documented) or ''}\n"
    return {
        title: {name: " ".join(words.split()) for name, words in ENTRY.findall(body)}
        for title, body in SECTION.findall(text)
    }


def _paragraph(documented: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    text = inspect.getdoc(documented) or ""
    return " ".join(text.split("\n\n")[0].split())


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}".rstrip(".") + "."


def _cell(words: str) -> str:
    """Text that cannot end a table's cell."""
    return " ".join(str(words).split()).replace("|", "\\|")


Part = Callable[[], str]
QUICK: dict[str, Part] = {
    "command-line": commands,
    "best-models": best_models,
    "model-zoo": model_zoo,
    "model-notes": model_notes,
    "features": feature_table,
    "formats": format_table,
    "settings": setting_table,
    "api": api,
}
SLOW: dict[str, Part] = {  # take Gradio or Keras
    "endpoints": endpoints,
    "hosted-limits": hosted_limits,
    "architectures": architecture_table,
    "prediction-walk": prediction_walk,
    "training-walk": training_walk,
}
PARTS = QUICK | SLOW


def pages() -> list[Path]:
    """Every Markdown file that a reader may open."""
    return [page for folder in FOLDERS for page in sorted((ROOT / folder).glob("*.md"))]


def render(text: str, parts: dict[str, Part]) -> str:
    """The page with these generated parts as they should be; the others stay."""

    def part(block: re.Match[str]) -> str:
        make = parts.get(block[2])
        return block[0] if make is None else f"{block[1]}\n{make()}\n\n{block[4]}"

    return BLOCK.sub(part, text)


def main() -> int:
    """Write or check every page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    outdated = []
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = render(old, PARTS)
        if new != old:
            outdated.append(page.relative_to(ROOT).as_posix())
            if not check:
                page.write_text(new, encoding="utf-8")
    for name in outdated:
        print(f"{name} {'is out of date: run scripts/make_docs.py' if check else 'written'}")
    return int(check and bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
