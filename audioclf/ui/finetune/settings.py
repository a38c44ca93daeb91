"""Teach, third step: what is taught to which network, how long that takes, and the start."""

import re
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from audioclf.datasets import uploads
from audioclf.datasets.checks import MOST_SHARE
from audioclf.jobs import job, queue
from audioclf.jobs.job import JobState, Request, TrainingMode
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.finetune import time_estimate
from audioclf.ui.finetune.progress import list_trainings
from audioclf.ui.page import session as my
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.model_lists import choices_of, keeping, networks
from audioclf.ui.page.state import guarded, network_named

KINDS = [
    ("A new head: the network stays as it is (seconds)", TrainingMode.LINEAR_PROBE),
    ("The whole network (minutes)", TrainingMode.FINE_TUNE),
    ("From scratch (minutes)", TrainingMode.SCRATCH),
]
VARIATIONS = [("None", "none"), ("Usual", "usual"), ("Strong", "strong")]
VARIED: dict[str, tuple[tuple[str, str], ...]] = {
    "usual": (),
    "none": (
        ("augmentation.variants.count", "0"),
        ("augmentation.stretch", "0"),
        ("augmentation.gain_db", "0"),
        ("augmentation.equaliser_db", "0"),
        ("augmentation.mix_share", "0"),
        ("augmentation.n_bin_masks", "0"),
        ("augmentation.n_frame_masks", "0"),
    ),
    "strong": (
        ("augmentation.stretch", "0.25"),
        ("augmentation.gain_db", "10"),
        ("augmentation.equaliser_db", "10"),
        ("augmentation.mix_share", "0.5"),
    ),
}
MOST_EPOCHS = 1_000
EPOCHS: dict[str, int] = {TrainingMode.FINE_TUNE: 60, TrainingMode.SCRATCH: 100}
BAD_NAME = re.compile(r"[^A-Za-z0-9._-]+")
SUFFIX = 16  # random bytes that make a network's name one's own on a public page
MOST_TYPED = 41  # characters of such a name before them, so that all of it may be one


class Chosen(NamedTuple):
    """What was chosen, as the page has it: nothing of it is checked yet."""

    kind: Any
    start: Any
    architecture: Any
    name: Any
    epochs: Any
    variation: Any
    share: Any


def list_starts(chosen: str | None, mine: Any) -> Any:
    """The networks that one can start from: general ears first, then the most accurate."""
    return keeping(starts(mine), chosen)


def starts(mine: Any = None) -> list[tuple[str, str]]:
    """Every network that can be taught: no ensembles, and none that lacks a part."""
    return choices_of(
        n for n in networks(mine=mine) if not n.is_ensemble and n.unavailable_reason is None
    )


def architectures() -> list[str]:
    """What can be trained from scratch; the folder is read, and nothing of it imported."""
    folder = Path(checkpoint.__file__).parent / "architectures"
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def show_kind(kind: str) -> tuple[Any, Any, Any, Any]:
    """What there is to choose for this kind of training."""
    is_head, is_new = kind == TrainingMode.LINEAR_PROBE, kind == TrainingMode.SCRATCH
    return (
        gr.update(visible=not is_new),
        gr.update(visible=is_new),
        gr.update(visible=not is_head, value=EPOCHS.get(kind, EPOCHS[TrainingMode.FINE_TUNE])),
        gr.update(visible=not is_head),
    )


def name_network(
    facts: Any, kind: Any, start: Any, architecture: Any, typed: str, suggested: str | None
) -> tuple[Any, Any]:
    """A name for the new network that is still free, unless somebody typed another free one.

    Returns the name, and what was suggested.
    """
    is_theirs = typed not in ("", None, suggested) and not _is_taken(str(typed))
    if not isinstance(facts, dict) or is_theirs:
        return gr.skip(), gr.skip()
    ears = (architecture if kind == TrainingMode.SCRATCH else start) or "network"
    stem = BAD_NAME.sub("-", f"{facts['name']}-{str(ears).split('-')[0]}").strip("-._") or "network"
    number, name = 1, stem[:48]
    while _is_taken(name):
        number += 1
        name = f"{stem[:44]}-{number}"
    return name, name


def estimate_time(
    facts: Any, kind: str, start: str | None, architecture: str | None, epochs: float | None
) -> str:
    """How long the training will take here, in a sentence; nothing before sounds are there."""
    if not isinstance(facts, dict) or not facts.get("is_usable"):
        return ""
    try:
        work = time_estimate.Work(
            kind, _like(kind, start, architecture), facts["n_clips"], facts["seconds"],
            1 if kind == TrainingMode.LINEAR_PROBE else _epochs(epochs),
        )  # fmt: skip
        about_s = time_estimate.seconds(work)
    except (ValueError, TypeError, OverflowError) as error:
        return str(error) if isinstance(error, ValueError) else ""
    limit_s = my.job_limits().max_seconds
    words = f"This takes {time_estimate.in_words(about_s)} here, when nothing waits before it."
    if limit_s and about_s > limit_s:
        words += f" It is ended after {limit_s / 60:.0f} minutes: choose fewer epochs."
    return words


@guarded(lambda sentence: (gr.skip(), gr.skip(), sentence))
def start_training(
    mine: Any, facts: Any, request: gr.Request | None, *chosen: Any
) -> tuple[Any, Any, str]:
    """Ask for a training: what the browser remembers, the training's name, and a sentence.

    facts: what the check of the sounds found; request: who asks. chosen: the kind (head, whole or
    scratch), the network to start from, the architecture, the new network's name, epochs,
    variations (none, usual or strong), and the share of clips that is held out.
    """
    kept = my.of(mine)
    if not isinstance(facts, dict):
        raise ValueError("Bring sounds first, and wait until they are checked.")
    if not facts["is_usable"]:
        raise ValueError("The sounds cannot be taught yet: see under 2 what is in the way.")
    made_id = queue.new_id()
    asked = _request(kept["sounds"], facts, Chosen(*chosen), made_id)
    queue.start(asked, made_id, my.visitor(kept, request))
    now = {**kept, "jobs": [made_id, *kept["jobs"]]}
    return now, list_trainings(now, made_id), ""


def _request(sounds: str | None, facts: dict[str, Any], chosen: Chosen, own: str) -> Request:
    kind, start, architecture, name, epochs, variation, share = chosen
    if (
        kind not in (TrainingMode.LINEAR_PROBE, TrainingMode.FINE_TUNE, TrainingMode.SCRATCH)
        or variation not in VARIED
    ):
        raise ValueError("One of the settings is none of those that are offered: choose another.")
    if not 0 <= float(share) <= MOST_SHARE:
        raise ValueError("Between none and half of the clips can be held out: choose 0 to 0.5.")
    folder = my.folder_of(sounds)
    seen = (facts["sounds"], facts["fingerprint"], facts["share"])
    if seen != (sounds, uploads.fingerprint(folder), float(share)):
        raise ValueError("The sounds or their share have changed: wait until they are checked.")
    changes: tuple[tuple[str, str], ...] = ()
    if kind != TrainingMode.LINEAR_PROBE:
        changes = (("epochs", str(_epochs(epochs))), *VARIED[variation])
    network = None if kind == TrainingMode.SCRATCH else network_named(start)
    if (
        kind == TrainingMode.LINEAR_PROBE
        and network
        and not (network.is_head or network.folder.parent == _home())
    ):
        raise ValueError(
            "On a public page, a new head needs a network that ships: choose another start, or "
            "teach the whole network."
        )
    if kind == TrainingMode.SCRATCH and architecture not in architectures():
        raise ValueError("Choose the architecture that is trained from scratch.")
    return Request(
        kind=kind,
        folder=str(folder),
        name=_name(name),
        out=str(checkpoint.home() if is_local() else job.home() / own / my.PUBLISHED),
        start=str(network.folder) if network else None,
        architecture=architecture if kind == TrainingMode.SCRATCH else None,
        data_name=facts["name"],
        share=float(share),
        left_out=tuple(facts["left_out"]),
        settings=changes,
        limits=my.job_limits(),
        fingerprint=facts["fingerprint"],
        has_own_cache=not is_local(),
    )


def _home() -> Path:
    return checkpoint.home().resolve()


def _epochs(epochs: Any) -> int:
    if not isinstance(epochs, int | float) or not 1 <= epochs <= MOST_EPOCHS:
        raise ValueError(f"Choose between 1 and {MOST_EPOCHS} epochs.")
    return int(epochs)


def _name(name: Any) -> str:
    """The new network's name: free, and on a public page one's own."""
    name = checkpoint.check_name(str(name or "").strip())
    if not is_local():
        return checkpoint.check_name(f"{name[:MOST_TYPED]}-{secrets.token_urlsafe(SUFFIX)}")
    if _is_taken(name):
        raise ValueError(f"There is a network or a training “{name}” already: choose another name.")
    return name


def _is_taken(name: str) -> bool:
    """Whether a network has that name, or a training that may still publish one under it."""
    if not is_local():
        return False
    unfinished = (one for one in job.find_all() if one.status.state != JobState.DONE)
    return (checkpoint.home() / name).exists() or name in {one.request.name for one in unfinished}


def _like(kind: str, start: str | None, architecture: str | None) -> Checkpoint | None:
    """The network that is started from; from scratch, one of that architecture."""
    if kind != TrainingMode.SCRATCH:
        return network_named(start)
    return ranking.best_of(architecture)
