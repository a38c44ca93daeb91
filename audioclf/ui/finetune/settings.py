"""Fine-tune, step 3: the settings of a training, how long it takes, and its start."""

import re
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from audioclf.datasets import uploads
from audioclf.datasets.checks import MAX_SHARE
from audioclf.jobs import job, queue
from audioclf.jobs.records import JobState, Request, TrainingMode
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.paths import checkpoint_dirs
from audioclf.ui.finetune import time_estimate
from audioclf.ui.finetune.progress import list_trainings
from audioclf.ui.page import session as sessions
from audioclf.ui.page.limits import limits
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import choices_of, keep_selection, models
from audioclf.ui.page.state import find_model, show_errors

KINDS = [
    ("New classifier head (backbone frozen), seconds", TrainingMode.LINEAR_PROBE),
    ("Fine-tune all layers, minutes", TrainingMode.FINE_TUNE),
    ("Train from scratch, minutes", TrainingMode.SCRATCH),
]
AUGMENTATION_CHOICES = [("None", "none"), ("Default", "usual"), ("Strong", "strong")]
AUGMENTATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "usual": (),
    "none": (
        ("augmentation.waveform.count", "0"),
        ("augmentation.stretch", "0"),
        ("augmentation.gain_db", "0"),
        ("augmentation.equaliser_db", "0"),
        ("augmentation.mix_prob", "0"),
        ("augmentation.n_freq_masks", "0"),
        ("augmentation.n_time_masks", "0"),
    ),
    "strong": (
        ("augmentation.stretch", "0.25"),
        ("augmentation.gain_db", "10"),
        ("augmentation.equaliser_db", "10"),
        ("augmentation.mix_prob", "0.5"),
    ),
}
MAX_EPOCHS = 1_000
LEARNING_RATE = "learning_rate"
RANGES = ((LEARNING_RATE, 1e-6, 1.0), ("batch_size", 1, 256), ("seed", 0, 2**31 - 1))
EPOCHS: dict[str, int] = {TrainingMode.FINE_TUNE: 60, TrainingMode.SCRATCH: 100}
BAD_NAME = re.compile(r"[^A-Za-z0-9._-]+")
SUFFIX = 16  # random bytes that make a model's name one's own on a public page
MAX_TYPED = 41  # characters of such a name before them, so that all of it may be one


class Chosen(NamedTuple):
    """The settings as the page sends them; nothing is checked yet."""

    kind: Any
    start: Any
    architecture: Any
    name: Any
    epochs: Any
    variation: Any
    share: Any
    learning_rate: Any = None  # None or 0: the default of the training, as of the next two
    batch_size: Any = None
    seed: Any = None


def update_base_models(selected: str | None, session: Any) -> Any:
    """The list of base models as it is now; keeps the selection."""
    return keep_selection(base_models(session), selected)


def base_models(session: Any = None) -> list[tuple[str, str]]:
    """Every model that can be fine-tuned: general-purpose ones first, then the most accurate."""
    usable = (
        n for n in models(session=session) if not n.is_ensemble and n.unavailable_reason() is None
    )
    return choices_of(usable, session)


def architectures() -> list[str]:
    """The architectures that can be trained from scratch, without importing them."""
    folder = Path(checkpoint.__file__).parent / "architectures"
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def show_kind(kind: str) -> tuple[Any, Any, Any, Any]:
    """Show the settings that this training mode has."""
    is_head, is_new = kind == TrainingMode.LINEAR_PROBE, kind == TrainingMode.SCRATCH
    return (
        gr.update(visible=not is_new),
        gr.update(visible=is_new),
        gr.update(visible=not is_head, value=EPOCHS.get(kind, EPOCHS[TrainingMode.FINE_TUNE])),
        gr.update(visible=not is_head),
    )


def suggest_name(
    facts: Any, kind: Any, start: Any, architecture: Any, typed: str, suggested: str | None
) -> tuple[Any, Any]:
    """Suggest a free name for the new model, unless another free one was typed.

    Returns the name, and the suggestion.
    """
    is_typed = typed not in ("", None, suggested) and not _is_taken(str(typed))
    if not isinstance(facts, dict) or is_typed:
        return gr.skip(), gr.skip()
    base = (architecture if kind == TrainingMode.SCRATCH else start) or "model"
    stem = BAD_NAME.sub("-", f"{facts['name']}-{str(base).split('-')[0]}").strip("-._") or "model"
    number, name = 1, stem[:48]
    while _is_taken(name):
        number += 1
        name = f"{stem[:44]}-{number}"
    return name, name


def estimate_time(
    facts: Any, kind: str, start: str | None, architecture: str | None, epochs: float | None
) -> str:
    """How long the training will take here, in a sentence; empty before there is audio."""
    if not isinstance(facts, dict) or not facts.get("is_usable"):
        return ""
    try:
        work = time_estimate.Work(
            kind, _base_model(kind, start, architecture), facts["n_clips"], facts["seconds"],
            1 if kind == TrainingMode.LINEAR_PROBE else _epochs(epochs),
        )  # fmt: skip
        about_s = time_estimate.seconds(work)
    except (ValueError, TypeError, OverflowError) as error:
        return str(error) if isinstance(error, ValueError) else ""
    limit_s = limits().training.max_seconds
    text = (
        f"This takes {time_estimate.format_duration(about_s)} here, when nothing waits before it."
    )
    if limit_s and about_s > limit_s:
        text += f" It is ended after {limit_s / 60:.0f} minutes: choose fewer epochs."
    return text


@show_errors(lambda sentence: (gr.skip(), gr.skip(), sentence))
def start_training(
    session: Any, facts: Any, request: gr.Request | None, *choices: Any
) -> tuple[Any, Any, str]:
    """Queue a training: the browser session, the training's id, and a sentence.

    facts: the result of `check_data`. chosen: training mode (linear_probe, fine_tune or scratch),
    base model, architecture, the new model's name, epochs, augmentation (none, usual or strong),
    and the validation split.
    """
    stored = sessions.parse_session(session)
    if not isinstance(facts, dict):
        raise ValueError("Add audio first, and wait until it is checked.")
    if not facts["is_usable"]:
        raise ValueError("The data set is not ready for training: see the errors under 2.")
    job_id = queue.new_id()
    job_request = _request(stored["dataset"], facts, Chosen(*choices), job_id)
    queue.start(job_request, job_id, sessions.visitor(stored, request))
    now = {**stored, "jobs": [job_id, *stored["jobs"]]}
    return now, list_trainings(now, job_id), ""


def _request(sounds: str | None, facts: dict[str, Any], choices: Chosen, job_id: str) -> Request:
    kind, start, architecture, name, epochs, variation, share, *_ = choices
    if kind not in tuple(TrainingMode) or variation not in AUGMENTATIONS:
        raise ValueError("One of the settings is none of those that are offered: choose another.")
    if not 0 <= float(share) <= MAX_SHARE:
        raise ValueError("The validation split is at most half of the clips: choose 0 to 0.5.")
    folder = sessions.folder_of(sounds)
    checked = (facts["dataset"], facts["fingerprint"], facts["share"])
    if checked != (sounds, uploads.fingerprint(folder), float(share)):
        raise ValueError("The audio or the validation split has changed: wait until it is checked.")
    changes: tuple[tuple[str, str], ...] = ()
    if kind != TrainingMode.LINEAR_PROBE:
        changes = (("epochs", str(_epochs(epochs))), *AUGMENTATIONS[variation], *_typed(choices))
    model = None if kind == TrainingMode.SCRATCH else find_model(start)
    if (
        kind == TrainingMode.LINEAR_PROBE
        and model
        and not (model.is_head or model.folder.parent in _shipped())
    ):
        raise ValueError(
            "On a public page, a new head needs a shipped model: choose another one to start from, "
            "or fine-tune all layers."
        )
    if kind == TrainingMode.SCRATCH and architecture not in architectures():
        raise ValueError("Choose the architecture that is trained from scratch.")
    output_dir = checkpoint.home() if is_local() else job.home() / job_id / sessions.PUBLISHED
    return Request(
        mode=TrainingMode(kind),
        folder=str(folder),
        name=_name(name),
        output_dir=str(output_dir),
        base_model=str(model.folder) if model else None,
        architecture=architecture if kind == TrainingMode.SCRATCH else None,
        data_name=facts["name"],
        validation_split=float(share),
        excluded=tuple(facts["left_out"]),
        grouping=tuple(facts["grouping"]),
        hyperparameters=changes,
        limits=limits().training,
        fingerprint=facts["fingerprint"],
        has_own_cache=not is_local(),
    )


def _typed(choices: Chosen) -> list[tuple[str, str]]:
    """The hyperparameters that were typed. Raises ValueError for what none can be."""
    typed = []
    for name, least, most in RANGES:
        value = getattr(choices, name)
        if value is None or value == "" or (value == 0 and not isinstance(value, bool)):
            continue  # an empty field of Gradio's is 0 once it was hidden
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"The {name.replace('_', ' ')} is a number: type one, or nothing.")
        if not least <= value <= most:
            words = name.replace("_", " ")
            raise ValueError(f"The {words} is between {least:g} and {most:g}: type another one.")
        typed.append((name, str(float(value) if name == LEARNING_RATE else int(value))))
    return typed


def _shipped() -> list[Path]:
    return [folder.resolve() for folder in checkpoint_dirs()]


def _epochs(epochs: Any) -> int:
    if not isinstance(epochs, int | float) or not 1 <= epochs <= MAX_EPOCHS:
        raise ValueError(f"Choose between 1 and {MAX_EPOCHS} epochs.")
    return int(epochs)


def _name(name: Any) -> str:
    """The name of the new model: free, and on a public page unique to the visitor."""
    name = checkpoint.check_name(str(name or "").strip())
    if not is_local():
        return checkpoint.check_name(f"{name[:MAX_TYPED]}-{secrets.token_urlsafe(SUFFIX)}")
    if _is_taken(name):
        raise ValueError(f"There is a model or a training “{name}” already: choose another name.")
    return name


def _is_taken(name: str) -> bool:
    """Whether a model has that name, or an unfinished training that may still save one."""
    if not is_local():
        return False
    unfinished = (one for one in job.find_all() if one.read_status().state != JobState.DONE)
    exists = checkpoint.locate(name) is not None or (checkpoint.home() / name).exists()
    return exists or name in {one.read_request().name for one in unfinished}


def _base_model(kind: str, start: str | None, architecture: str | None) -> Checkpoint | None:
    """The base model; from scratch, the best model of that architecture."""
    if kind != TrainingMode.SCRATCH:
        return find_model(start)
    return ranking.best_of_architecture(architecture)
