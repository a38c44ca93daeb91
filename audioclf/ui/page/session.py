"""The session of a browser: its uploads, trainings, models and annotation projects.

On a public page nobody sees the uploads of others: whoever knows the name of a training, which
nobody can guess, may follow it and use its model. On a local page everything is shared.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import gradio as gr
from pydantic import BaseModel, BeforeValidator, ValidationError

from audioclf.annotation import project
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets import uploads
from audioclf.jobs import job, queue
from audioclf.jobs.job import Job, Visitor
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import cache
from audioclf.storage.format import rename
from audioclf.ui.page.mode import address_hash, is_local

PUBLISHED = "published"  # where a job's model lies on a public page
MOST_KEPT = 20

Session = dict[str, Any]  # a `BrowserSession` as the browser stores it
FORMAT_1 = {"sounds": "dataset", "n_brought": "revision", "sets": "projects", "set": "project"}
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: _names(value))]


class BrowserSession(BaseModel):
    """What a browser remembers, in format 2; what it sends otherwise counts as not there."""

    format: Literal[2] = 2
    dataset: str | None = None  # of Fine-tune
    revision: int = 0  # grows when files are added to it
    jobs: Names = ()
    projects: Names = ()
    project: str | None = None  # the one that is labelled


def browser_state() -> gr.BrowserState:
    """The component: with a key and a secret of its own it outlives a restart of the page."""
    return gr.BrowserState({}, storage_key="audioclf", secret="audioclf")


def parse_session(value: Any) -> Session:
    """The session that a browser sends, as far as it is valid."""
    stored = value if isinstance(value, dict) else {}
    if stored.get("format", 1) == 1:
        stored = rename(stored, FORMAT_1)
    values = {name: stored[name] for name in BrowserSession.model_fields if name in stored}
    values.pop("format", None)
    try:
        session = BrowserSession.model_validate(values, strict=True)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors()}
        session = BrowserSession.model_validate(
            {name: part for name, part in values.items() if name not in wrong}, strict=True
        )
    return session.model_dump(mode="json")


def _names(stored: object) -> tuple[str, ...]:
    names = stored if isinstance(stored, list | tuple) else ()
    return tuple(name for name in names if isinstance(name, str))[:MOST_KEPT]


def cleanup() -> None:
    """On a public page, delete uploads, trainings and what was computed of them after a day."""
    if not is_local():
        queue.delete_old()
        uploads.delete_old()
        project.delete_old(queue.DAY_S)
    cache.evict(None if is_local() else queue.DAY_S)


def visitor(session: Any, request: gr.Request | None) -> Visitor:
    """Who asks for a training: on a public page the browser, and the address as a keyed hash."""
    if is_local():
        return Visitor()
    return Visitor(tuple(parse_session(session)["jobs"]), address_hash(request))


def jobs_of(session: Any) -> list[Job]:
    """The trainings that this browser started; on one's own machine, all. The newest first."""
    names = parse_session(session)["jobs"]
    return [one for one in job.find_all() if is_local() or one.id in names]


def sets_of(session: Any) -> list[AnnotationProject]:
    """The data sets that this browser made; on one's own machine, all."""
    names = parse_session(session)["projects"]
    return [one for one in project.find_all() if is_local() or one.id in names]


def models_of(session: Any) -> list[Checkpoint]:
    """The models that this browser trained on a public page."""
    if is_local():
        return []
    return [
        model
        for job_of_session in jobs_of(session)
        for model in checkpoint.find_all(job_of_session.folder / PUBLISHED)
    ]


def names_of_trained(session: Any) -> set[str]:
    """The names of the models that this browser trained; on one's own machine, of all trainings."""
    return {one.read_result().checkpoint for one in jobs_of(session)} - {""}


def find_model(name: Any) -> Checkpoint | None:
    """A model that was trained on a public page; its name cannot be guessed."""
    if not isinstance(name, str) or not checkpoint.NAME.fullmatch(name):
        return None
    cards = job.home().glob(f"*/{PUBLISHED}/{name}/{checkpoint.CARD}")
    return next((checkpoint.read(card.parent) for card in cards), None)


def folder_of(sounds: str | None) -> Path:
    """The folder of an upload, or on a local page of a path. Raises ValueError."""
    if not sounds:
        raise ValueError("There is no audio yet: add some first.")
    if Path(sounds).is_absolute():
        if not is_local():
            raise ValueError("Local folders can be used on a local page only: upload a ZIP.")
        return Path(sounds)
    return uploads.folder_of(sounds)
