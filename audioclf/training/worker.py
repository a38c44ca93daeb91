"""What a job's process does: teach, measure, publish, and write down how far it is.

`python -m audioclf.training.worker FOLDER [--publish]`, started by `audioclf.jobs.supervisor`. Ends
with status 2 and a sentence in the result where it cannot be done, with 3 where it was asked to
end.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioclf import threads
from audioclf.datasets import dataset, uploads
from audioclf.datasets.dataset import Dataset
from audioclf.jobs.job import EPOCHS, PROGRESS, RESULT, RUN, Job, Request, TrainingMode
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage.files import write_json
from audioclf.training import config, error_analysis, holdout, linear_probe
from audioclf.training.errors import TrainingInterruptedError

NICENESS = 10  # the page goes first
TOLD_EVERY_S = 0.2
CLAIM = "claim"
STOPPED = 3  # exit status of a training that was asked to end
PREPARING = "Preparing the next step"
STARTING = "Starting: the training's libraries take a few seconds"


class _Reporter:
    """Writes down how far the job is, and ends it where that was asked."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.parent = os.getppid()
        self.wants_end = False
        self.told_at = 0.0
        signal.signal(signal.SIGTERM, self._end)

    def _end(self, *_: Any) -> None:
        self.wants_end = True

    def should_stop(self) -> bool:
        """Whether somebody wants the end, or the supervisor has died."""
        return self.wants_end or os.getppid() != self.parent

    def stage(self, words: str, n_done: int = 0, n_all: int | None = None) -> None:
        """What is being done."""
        self.told_at = time.monotonic()
        told = {"stage": words, "n_done": n_done, "n_all": n_all}
        write_json(self.job.folder / PROGRESS, told)

    def count(self, words: str, things: Iterable[Any]) -> Iterator[Any]:
        """The things, one after the other; raises TrainingInterruptedError."""
        total = len(things) if isinstance(things, Sized) else None
        self.stage(words, 0, total)
        for number, thing in enumerate(things):
            if self.should_stop():
                raise TrainingInterruptedError
            if time.monotonic() - self.told_at > TOLD_EVERY_S:
                self.stage(words, number, total)
            yield thing
        self.stage(PREPARING)

    def epoch(self, stage: str, report: Any) -> None:
        """One epoch further."""
        with (self.job.folder / EPOCHS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(report.to_dict()) + "\n")
        self.stage("Learning", report.epoch, report.n_epochs)
        print(f"epoch {report.epoch} of {report.n_epochs}: {_in_words(report)}", flush=True)


def main(folder: Path, *, publish: bool = False) -> int:
    """Do what the job's request asks for; the exit status."""
    job = Job(folder)
    request, reporter = job.request, _Reporter(job)
    with contextlib.suppress(OSError):
        lower_priority(request.limits.n_cores)
    threads.single_threaded_blas()
    try:
        reserve_name(job)
        reporter.stage("Reading the clips")
        data = data_of(request)
        made, unseen = _teach(request, data, reporter, job.folder / RUN, publish=publish)
        done = {"checkpoint": made.name, "folder": str(made.folder), "clips": []}
        write_json(folder / RESULT, done)  # from here on it is done, whatever happens
        write_json(folder / RESULT, done | _result(request, made, unseen, reporter))
    except TrainingInterruptedError:
        return STOPPED
    except (ValueError, OSError, MemoryError) as error:
        print(_sentence(error), file=sys.stderr)
        with contextlib.suppress(OSError):
            write_json(folder / RESULT, {"sentence": _sentence(error)})
        return 2
    print(f"published as {made.name}", flush=True)
    return 0


def reserve_name(job: Job) -> None:
    """The new network's name is this job's from its first run on. Raises ValueError."""
    request, claim = job.request, job.folder / CLAIM
    checkpoint.check_name(request.name)
    if not claim.exists() and Path(request.out, request.name).exists():
        raise ValueError(f"There is a network “{request.name}” already: choose another name.")
    claim.touch()


def data_of(request: Request) -> Dataset:
    """The clips that the request is about, with folds that suit its share. Raises ValueError."""
    if request.fingerprint and uploads.fingerprint(Path(request.folder)) != request.fingerprint:
        raise ValueError("These sounds have changed since they were looked at: start another one.")
    data = dataset.load(request.folder, dataset.n_folds_for(request.share))
    data = data.without(request.left_out)
    missing, _ = data.one_sided(data.held_out(request.share))
    if missing:
        raise ValueError(f"All clips of “{missing[0]}” would be held out: choose another share.")
    named = replace(data, name=request.data_name or data.name)
    if len(named.classes) < 2:
        raise ValueError("Fewer than two classes are left: add sounds of another one.")
    return named


def _teach(
    request: Request, data: Dataset, reporter: _Reporter, run: Path, *, publish: bool
) -> tuple[Checkpoint, Dataset | None]:
    """The new checkpoint, and the clips that it never saw."""
    held_out = data.held_out(request.share)
    unseen = data.of_folds(held_out) if held_out else None
    if request.kind == TrainingMode.LINEAR_PROBE:
        asked = linear_probe.LinearProbeSettings(
            holdout_folds=tuple(sorted(held_out)), attribution=request.credit
        )
        network = checkpoint.find(request.start or "")
        place = Path(request.out, request.name)
        return linear_probe.train_linear_probe(network, data, place, asked, reporter.count), unseen
    reporter.stage(STARTING)
    made = _fine_tune(request, data, reporter, run, held_out, publish=publish)
    return made, unseen


def _fine_tune(
    request: Request,
    data: Dataset,
    reporter: _Reporter,
    run: Path,
    held_out: set[int],
    *,
    publish: bool,
) -> Checkpoint:
    """All of a network, or one from scratch; goes on from what the run kept."""
    start = linear_probe.resolve_backbone(checkpoint.find(request.start)) if request.start else None
    from audioclf.training import fine_tuning, pipeline, run_state

    _forget_after(reporter.job, run_state.n_epochs_done(run))
    usual = fine_tuning.SETTINGS if start else config.Settings()
    work = pipeline.TrainingConfig(
        folder=Path(request.folder),
        architecture=start.card["architecture"] if start else (request.architecture or ""),
        name=request.name,
        output_dir=Path(request.out),
        folds=tuple(sorted(set(data.folds) - held_out)),
        base_config=None if start else ranking.proven_recipe(request.architecture),
        base_model=start,
        attribution=request.credit,
        settings=config.with_overrides(usual, dict(request.settings)),
        dataset=data,
        run_dir=run,
        validate=True,
        should_stop=reporter.should_stop,
        export_only=publish,
    )
    return pipeline.train_and_evaluate(work, reporter.epoch, reporter.count)


def _result(
    request: Request, made: Checkpoint, unseen: Dataset | None, reporter: _Reporter
) -> dict[str, Any]:
    """What the page shows afterwards; a head is judged as it was without these clips."""
    found: dict[str, Any] = {}
    if unseen is None or not made.evaluation:
        return found
    judged = made
    if made.is_head and (kept := made.evaluation.get("kept_as")):
        judged = holdout.load_run(kept)
    rows = error_analysis.look(judged, unseen, reporter.count)
    found["clips"] = rows
    if request.start:
        start = checkpoint.find(request.start)
        found["beside"] = error_analysis.beside(start, rows, unseen, reporter.count)
    return found


def _forget_after(job: Job, n_done: int) -> None:
    """Drop epochs that were told and not kept: they come again."""
    kept = [json.dumps(one) for one in job.epochs if one["epoch"] <= n_done]
    (job.folder / EPOCHS).write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def lower_priority(n_cores: int | None) -> None:
    os.nice(NICENESS)
    if n_cores is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-n_cores:])


def _in_words(report: Any) -> str:
    parts = [f"loss {report.loss:.3f}", f"accuracy {report.accuracy:.3f}"]
    if report.val_accuracy is not None:
        parts.append(f"on held-out clips {report.val_loss:.3f}, {report.val_accuracy:.3f}")
    return ", ".join([*parts, f"{report.seconds:.1f} s"])


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory for this: bring fewer or shorter clips."
    if isinstance(error, OSError):
        return (
            f"The training could not write what it learnt ({error.strerror or error}): free some "
            "space, and resume it."
        )
    return str(error)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), publish="--publish" in sys.argv))
