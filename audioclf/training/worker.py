"""The process of a training: trains, evaluates, saves, and reports its progress.

`python -m audioclf.training.worker FOLDER [--export-only]`, started by `audioclf.jobs.supervisor`.
Exits with 2 and a sentence in the result where it cannot be done, with 3 where it was asked to
stop.
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
from audioclf.datasets.grouping import Grouping
from audioclf.jobs import records
from audioclf.jobs.job import EPOCHS, PROGRESS, RESULT, RUN, Job
from audioclf.jobs.records import TRAINING, JobResult, Progress, Request, TrainingMode
from audioclf.models import checkpoint, ranking
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import config, error_analysis, holdout, linear_probe
from audioclf.training.errors import TrainingInterruptedError

NICENESS = 10  # the page goes first
REPORT_EVERY_S = 0.2
CLAIM = "claim"
INTERRUPTED = 3  # exit status of a training that was asked to stop
PREPARING = "Preparing the next step"
STARTING = "Starting: the training's libraries take a few seconds"


class _Reporter:
    """Writes the job's progress, and knows whether the training should stop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.parent = os.getppid()
        self.stop_requested = False
        self.reported_at = 0.0
        signal.signal(signal.SIGTERM, self._request_stop)

    def _request_stop(self, *_: Any) -> None:
        self.stop_requested = True

    def should_stop(self) -> bool:
        """Whether it was asked to stop, or the supervisor has died."""
        return self.stop_requested or os.getppid() != self.parent

    def stage(self, name: str, n_done: int = 0, n_total: int | None = None) -> None:
        """Report the stage, and how many of its items are done."""
        self.reported_at = time.monotonic()
        records.write(self.job.folder / PROGRESS, Progress(name, n_done, n_total))

    def count(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        """The items, one after the other; raises TrainingInterruptedError."""
        total = len(items) if isinstance(items, Sized) else None
        self.stage(stage, 0, total)
        for number, item in enumerate(items):
            if self.should_stop():
                raise TrainingInterruptedError
            if time.monotonic() - self.reported_at > REPORT_EVERY_S:
                self.stage(stage, number, total)
            yield item
        self.stage(PREPARING)

    def epoch(self, folds: str, report: Any) -> None:
        """Report an epoch that has ended."""
        with (self.job.folder / EPOCHS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(report.to_dict()) + "\n")
        self.stage(TRAINING, report.epoch, report.n_epochs)
        print(f"epoch {report.epoch} of {report.n_epochs}: {_format_epoch(report)}", flush=True)


def main(folder: Path, *, export_only: bool = False) -> int:
    """Do what the job's request asks for; the exit status."""
    job = Job(folder)
    request, reporter = job.read_request(), _Reporter(job)
    with contextlib.suppress(OSError):
        lower_priority(request.limits.n_cores)
    threads.single_threaded_blas()
    threads.keep_freed_memory()
    try:
        reserve_name(job)
        reporter.stage("Reading the clips")
        data = load_dataset(request)
        saved, validation = _train(
            request, data, reporter, job.folder / RUN, export_only=export_only
        )
        result = JobResult(saved.name, str(saved.folder))
        records.write(folder / RESULT, result)  # from here on the job is done, whatever happens
        evaluated = _with_evaluation(result, request, saved, validation, reporter)
        records.write(folder / RESULT, evaluated)
    except TrainingInterruptedError:
        return INTERRUPTED
    except (ValueError, OSError, MemoryError) as error:
        print(_sentence(error), file=sys.stderr)
        with contextlib.suppress(OSError):
            records.write(folder / RESULT, JobResult(error=_sentence(error)))
        return 2
    print(f"saved as {saved.name}", flush=True)
    return 0


def reserve_name(job: Job) -> None:
    """Reserve the new model's name for this job, from its first run on. Raises ValueError."""
    request, claim = job.read_request(), job.folder / CLAIM
    checkpoint.check_name(request.name)
    if not claim.exists() and Path(request.output_dir, request.name).exists():
        raise ValueError(f"There is a model “{request.name}” already: choose another name.")
    claim.touch()


def load_dataset(request: Request) -> Dataset:
    """The request's clips, with folds for its validation split. Raises ValueError."""
    if request.fingerprint and uploads.fingerprint(Path(request.folder)) != request.fingerprint:
        raise ValueError(
            "These files have changed since they were checked: start another training."
        )
    n_folds = dataset.n_folds_for(request.validation_split)
    data = dataset.load(request.folder, n_folds, Grouping(*request.grouping))
    data = data.without(request.excluded)
    missing, _ = data.missing_per_split(data.held_out(request.validation_split))
    if missing:
        raise ValueError(f"All clips of “{missing[0]}” would be held out: choose another share.")
    data = replace(data, name=request.data_name or data.name)
    if len(data.classes) < 2:
        raise ValueError("Fewer than two classes are left: add clips of another one.")
    return data


def _train(
    request: Request, data: Dataset, reporter: _Reporter, run: Path, *, export_only: bool
) -> tuple[Checkpoint, Dataset | None]:
    """The new checkpoint, and the clips that are held out from training."""
    held_out = data.held_out(request.validation_split)
    validation = data.of_folds(held_out) if held_out else None
    if request.mode == TrainingMode.LINEAR_PROBE:
        settings = linear_probe.LinearProbeSettings(
            holdout_folds=tuple(sorted(held_out)), attribution=request.attribution
        )
        base_model = checkpoint.find(request.base_model or "")
        folder = Path(request.output_dir, request.name)
        saved = linear_probe.train_linear_probe(base_model, data, folder, settings, reporter.count)
        return saved, validation
    reporter.stage(STARTING)
    saved = _fine_tune(request, data, reporter, run, held_out, export_only=export_only)
    return saved, validation


def _fine_tune(
    request: Request,
    data: Dataset,
    reporter: _Reporter,
    run: Path,
    held_out: set[int],
    *,
    export_only: bool,
) -> Checkpoint:
    """Train all layers, of a model or from scratch; goes on from the run's last saved epoch."""
    base_model = None
    if request.base_model:
        base_model = linear_probe.resolve_backbone(checkpoint.find(request.base_model))
    from audioclf.training import fine_tuning, pipeline, run_state

    _drop_epochs_after(reporter.job, run_state.n_epochs_done(run))
    defaults = fine_tuning.SETTINGS if base_model else config.Hyperparameters()
    training = config.TrainingConfig(
        folder=Path(request.folder),
        architecture=(
            base_model.card["architecture"] if base_model else (request.architecture or "")
        ),
        name=request.name,
        output_dir=Path(request.output_dir),
        folds=tuple(sorted(set(data.folds) - held_out)),
        base_config=None if base_model else ranking.best_config(request.architecture),
        base_model=base_model,
        attribution=request.attribution,
        settings=config.with_overrides(defaults, dict(request.hyperparameters)),
        dataset=data,
        run_dir=run,
        validate=True,
        should_stop=reporter.should_stop,
        export_only=export_only,
    )
    return pipeline.train_and_evaluate(training, reporter.epoch, reporter.count)


def _with_evaluation(
    result: JobResult,
    request: Request,
    saved: Checkpoint,
    validation: Dataset | None,
    reporter: _Reporter,
) -> JobResult:
    """What the page shows afterwards; a linear probe is evaluated as it was without these clips."""
    if validation is None or not saved.evaluation:
        return result
    evaluated = saved
    if saved.is_head and (run_id := saved.evaluation.get("run_id")):
        evaluated = holdout.load_run(run_id)
    clips = error_analysis.rank_errors(evaluated, validation, reporter.count)
    comparison = None
    if request.base_model:
        base_model = checkpoint.find(request.base_model)
        comparison = error_analysis.compare_with_base(base_model, clips, validation, reporter.count)
    return replace(result, clips=tuple(clips), comparison=comparison)


def _drop_epochs_after(job: Job, n_done: int) -> None:
    """Drop epochs that were reported and not saved: they are trained again."""
    lines = [f"{json.dumps(epoch)}\n" for epoch in job.read_epochs() if epoch["epoch"] <= n_done]
    (job.folder / EPOCHS).write_text("".join(lines), encoding="utf-8")


def lower_priority(n_cores: int | None) -> None:
    """Leave the processor to the page first, and use so many cores at most."""
    os.nice(NICENESS)
    if n_cores is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-n_cores:])


def _format_epoch(report: Any) -> str:
    parts = [f"loss {report.loss:.3f}", f"accuracy {report.accuracy:.3f}"]
    if report.val_accuracy is not None:
        parts.append(f"on held-out clips {report.val_loss:.3f}, {report.val_accuracy:.3f}")
    return ", ".join([*parts, f"{report.seconds:.1f} s"])


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory for this: use fewer or shorter clips."
    if isinstance(error, OSError):
        return (
            f"The training could not write its model ({error.strerror or error}): free some "
            "space, and resume it."
        )
    return str(error)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), export_only="--export-only" in sys.argv))
