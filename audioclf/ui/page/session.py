"""What a browser remembers of a visitor: the sounds that were brought, the trainings, the networks.

On a public page nobody sees what others brought: whoever knows the name of a training, which nobody
guesses, may follow it and use its network. On one's own machine everything is one's own.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from audioclf.annotation import project
from audioclf.annotation.project import AnnotationProject
from audioclf.audio.io import Limits as Sounds
from audioclf.datasets import uploads
from audioclf.datasets.uploads import Limits
from audioclf.datasets.zip_archive import ArchiveLimits
from audioclf.jobs import job, queue
from audioclf.jobs.job import Job, JobLimits, Visitor
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths
from audioclf.storage.files import delete_old
from audioclf.ui.page.mode import address_hash, is_local

PUBLISHED = "published"  # where a job's network lies on a public page
MOST_KEPT = 20
HOSTED = Limits(
    archive=ArchiveLimits(max_files=500, max_bytes=400_000_000),
    max_archive_bytes=100_000_000,
    max_clips=500,
    max_classes=20,
    max_seconds=2 * 3_600,
    max_bytes_of_all=4_000_000_000,
    sound=Sounds(
        max_duration_s=120,
        max_bytes=20_000_000,
        max_values=30_000_000,
        max_samples=15_000_000,
        max_rate_hz=192_000,
    ),  # fmt: skip
)
HOSTED_JOBS = JobLimits(max_seconds=600, max_memory_mb=4_000, n_cores=1, is_one_each=True)
LOCAL_JOBS = JobLimits()

Mine = dict[
    str, Any
]  # sounds: what Teach is to teach with; jobs, sets; and the set that is labelled


def remembered() -> gr.BrowserState:
    """The component: with a key and a secret of its own it outlives a restart of the page."""
    return gr.BrowserState({}, storage_key="audioclf", secret="audioclf")


def of(mine: Any) -> Mine:
    """What came from a browser, as far as it can be used."""
    kept = mine if isinstance(mine, dict) else {}
    sounds, n_brought = kept.get("sounds"), kept.get("n_brought")
    return {
        "sounds": sounds if isinstance(sounds, str) else None,
        "n_brought": n_brought if isinstance(n_brought, int) else 0,
        "jobs": _names(kept.get("jobs")),
        "sets": _names(kept.get("sets")),
        "set": kept["set"] if isinstance(kept.get("set"), str) else None,
    }


def _names(kept: Any) -> list[str]:
    names = kept if isinstance(kept, list) else []
    return [name for name in names if isinstance(name, str)][:MOST_KEPT]


def tidy() -> None:
    """On a public page, delete what was brought and taught more than a day ago."""
    if not is_local():
        queue.delete_old()
        uploads.delete_old()
        project.delete_old(queue.DAY_S)
        for folder, pattern in (("decoded", "*.wav"), ("embeddings", "*/*.npz")):
            delete_old(paths.cache_dir() / folder, pattern, queue.DAY_S)


def limits() -> Limits:
    """What may be brought."""
    return Limits() if is_local() else HOSTED


def job_limits() -> JobLimits:
    """What a training may take; AUDIOCLF_TRAIN_MINUTES, _MB and _CORES say otherwise."""
    usual = LOCAL_JOBS if is_local() else HOSTED_JOBS
    minutes, mb, cores = (_asked(name) for name in ("MINUTES", "MB", "CORES"))
    return replace(
        usual,
        max_seconds=60 * minutes if minutes else usual.max_seconds,
        max_memory_mb=mb or usual.max_memory_mb,
        n_cores=max(1, int(cores)) if cores else usual.n_cores,
    )


def _asked(name: str) -> float | None:
    """A limit that whoever serves the page has set; nothing where it is no number above 0."""
    try:
        found = float(os.environ.get(f"AUDIOCLF_TRAIN_{name}", ""))
    except ValueError:
        return None
    return found if 0 < found < float("inf") else None


def visitor(mine: Any, request: gr.Request | None) -> Visitor:
    """Who asks for a training: on a public page the browser, and the address as a keyed hash."""
    if is_local():
        return Visitor()
    return Visitor(tuple(of(mine)["jobs"]), address_hash(request))


def jobs_of(mine: Any) -> list[Job]:
    """The trainings that this browser started; on one's own machine, all. The newest first."""
    names = of(mine)["jobs"]
    return [one for one in job.find_all() if is_local() or one.id in names]


def sets_of(mine: Any) -> list[AnnotationProject]:
    """The data sets that this browser made; on one's own machine, all."""
    names = of(mine)["sets"]
    return [one for one in project.find_all() if is_local() or one.id in names]


def networks_of(mine: Any) -> list[Checkpoint]:
    """The networks that were taught by this browser on a public page."""
    if is_local():
        return []
    return [found for one in jobs_of(mine) for found in checkpoint.find_all(one.folder / PUBLISHED)]


def network_named(name: Any) -> Checkpoint | None:
    """A network that was taught on a public page: its name is one that nobody guesses."""
    if not isinstance(name, str) or not checkpoint.NAME.fullmatch(name):
        return None
    found = job.home().glob(f"*/{PUBLISHED}/{name}/{checkpoint.CARD}")
    return next((checkpoint.read(card.parent) for card in found), None)


def folder_of(sounds: str | None) -> Path:
    """Where the sounds lie: a collection, or on one's own machine a path. Raises ValueError."""
    if not sounds:
        raise ValueError("No sounds were brought yet: bring some first.")
    if Path(sounds).is_absolute():
        if not is_local():
            raise ValueError("Folders are named on one's own machine only: bring a ZIP.")
        return Path(sounds)
    return uploads.folder_of(sounds)
