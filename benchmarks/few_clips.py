"""Fine-tuning on few clips: accuracy, time, load: `python few_clips.py ESC10 TABLE`.

- `soon`: from the start of a job to a network that predicts; three classes of ten clips, nothing in
  the cache.
- `beside`: predictions while a model is trained, and predictions alone.
- `few`: accuracy on fold 4 with 5 and 10 clips per class of folds 1 to 3, YAMNet's head, 5 draws.
- `unseen`: three classes are left out of a training and trained afterwards with 10 clips each, from
  scratch, as a new head and with all layers; evaluated on their clips in fold 4.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.inference.evaluation import evaluate
from audioclf.inference.predict import predict_file
from audioclf.jobs import queue
from audioclf.jobs.job import Job
from audioclf.jobs.records import Request, TrainingMode
from audioclf.models import checkpoint
from audioclf.training import fine_tuning, linear_probe
from audioclf.training.config import Hyperparameters, TrainingConfig
from audioclf.training.linear_probe import LinearProbeSettings
from audioclf.training.pipeline import train_and_evaluate

HELD_OUT = 4
N_FEW, N_DRAWS = (5, 10), 5
N_TRIPLES, N_OF_THEM, N_CLIPS = 3, 3, 10
ARCHITECTURE = "separable_cnn"
RECIPE = (
    ("spectrogram.n_fft", "2048"),
    ("spectrogram.hop_length", "1024"),
    ("spectrogram.n_bins", "64"),
    ("window_frames", "64"),
)
SCRATCH, SHORT = Hyperparameters(epochs=100), Hyperparameters(epochs=fine_tuning.SETTINGS.epochs)
COLUMNS = (
    f"scratch, {SHORT.epochs} epochs",
    f"scratch, {SCRATCH.epochs}",
    "7 other classes, new head",
    f"7 other classes, whole network, {fine_tuning.SETTINGS.epochs}",
    "YAMNet, new head",
)
STARTS = (
    ("yamnet-audioset", TrainingMode.LINEAR_PROBE),
    ("modulation_net-modulation", TrainingMode.LINEAR_PROBE),
    ("separable_cnn-mel", TrainingMode.LINEAR_PROBE),
)
N_ROUNDS, N_WARM, PAUSE_S = 3, 5, 0.1


def main(folder: Path, what: str) -> None:
    """One of the tables."""
    data = dataset.load(folder)
    train_clips = data.of_folds(set(data.folds) - {HELD_OUT})
    tables = {"few": few, "unseen": unseen, "soon": soon, "beside": beside}
    tables[what](train_clips, data.of_folds({HELD_OUT}))


def soon(train: Dataset, validation: Dataset) -> None:
    """From the start of a job to a network that predicts, with an empty cache each time."""
    data = drawn(only(train, set(train.classes[:3])), N_CLIPS, 0)
    print("| start, what learns | seconds, each round | median |\n|---|---|---|")
    for start, kind in STARTS:
        seconds = []
        for _ in range(N_ROUNDS):
            with in_a_new_cache(data) as folder:
                began = time.perf_counter()
                job = queue.start(request(folder, start, kind))
                followed(job)
                predict_file(
                    validation.clips[0].path, checkpoint.read(Path(job.read_result().folder))
                )
                seconds.append(time.perf_counter() - began)
        each = ", ".join(f"{value:.1f}" for value in seconds)
        print(f"| `{start}`, {kind} | {each} | {statistics.median(seconds):.1f} |", flush=True)


def beside(train: Dataset, validation: Dataset) -> None:
    """A prediction as the page makes it, alone and while a model is trained."""
    data = drawn(only(train, set(train.classes[:3])), N_CLIPS, 0)
    network = checkpoint.find(STARTS[-1][0])
    with in_a_new_cache(data) as folder:
        fine_tuning_request = replace(
            request(folder, STARTS[-1][0], TrainingMode.FINE_TUNE),
            hyperparameters=(("epochs", "100000"),),
        )
        alone = timed(validation, network)
        job = queue.start(fine_tuning_request)
        while not job.read_epochs():
            time.sleep(0.1)
        during = timed(validation, network)
        n_epochs = len(job.read_epochs())
        queue.cancel(job)
        followed(job)
    again = timed(validation, network)
    print("| 5 s Ogg to Prediction | ms, median | 95th percentile |\n|---|---|---|")
    rows = {"before": alone, f"while {n_epochs} epochs were trained": during, "afterwards": again}
    for name, values in rows.items():
        print(f"| {name} | {np.median(values):.1f} | {np.percentile(values, 95):.1f} |")
    print(f"\n{np.median(during) / np.median(alone + again):.2f} times")


def timed(data: Dataset, network: checkpoint.Checkpoint) -> list[float]:
    """Milliseconds of every prediction."""
    milliseconds = []
    for clip in data.clips:
        began = time.perf_counter()
        predict_file(clip.path, network)
        milliseconds.append(1e3 * (time.perf_counter() - began))
        time.sleep(PAUSE_S)
    return milliseconds[N_WARM:]


@contextmanager
def in_a_new_cache(data: Dataset) -> Iterator[Path]:
    """The clips as a folder per class, and an empty cache, for as long as it takes."""
    old_cache = os.environ.get("AUDIOCLF_CACHE")
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["AUDIOCLF_CACHE"] = str(Path(temporary, "cache"))
        for clip in data.clips:
            target = Path(temporary, "clips", clip.label, clip.path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(clip.path.resolve())
        yield Path(temporary, "clips")
    os.environ.pop("AUDIOCLF_CACHE")
    if old_cache is not None:
        os.environ["AUDIOCLF_CACHE"] = old_cache


def request(folder: Path, base_model: str, mode: TrainingMode) -> Request:
    """As the page would ask, published beside the cache."""
    return Request(mode, str(folder), "trained", str(folder.parent / "out"), base_model)


def followed(job: Job) -> None:
    """Wait until it has ended."""
    while job.read_status().is_active:
        time.sleep(0.02)


def few(train: Dataset, validation: Dataset) -> None:
    """YAMNet's new head on few clips per class, several draws."""
    network = checkpoint.find("yamnet-audioset")
    print("| clips per class | accuracy on fold 4, each draw (%) | mean (%) |\n|---|---|---|")
    for n_clips in N_FEW:
        accuracies = []
        for draw in range(N_DRAWS):
            with tempfile.TemporaryDirectory() as temporary:
                clips, out = drawn(train, n_clips, draw), Path(temporary, "head")
                head = linear_probe.train_linear_probe(
                    network, clips, out, LinearProbeSettings(), quiet
                )
                accuracies.append(100 * evaluate(head, validation).accuracy)
        each = ", ".join(f"{value:.2f}" for value in accuracies)
        print(f"| {n_clips} | {each} | {np.mean(accuracies):.2f} |", flush=True)


def unseen(train_clips: Dataset, validation: Dataset) -> None:
    """Three classes that a model was not trained on, trained afterwards in three ways."""
    names = np.random.default_rng(0).permutation(train_clips.classes).reshape(-1).tolist()
    print("| new classes | draw | " + " | ".join(COLUMNS) + " |")
    print("|---|---" + "|---" * len(COLUMNS) + "|")
    yamnet = checkpoint.find("yamnet-audioset")
    rows = []
    for number in range(N_TRIPLES):
        new_classes = names[number * N_OF_THEM : (number + 1) * N_OF_THEM]
        with tempfile.TemporaryDirectory() as temporary:
            out = Path(temporary)
            other_clips = only(train_clips, set(names) - set(new_classes))
            base = train_on(other_clips, out / "base", SCRATCH)
            for draw in range(N_OF_THEM):
                clips = drawn(only(train_clips, set(new_classes)), N_CLIPS, draw)
                test_clips = only(validation, set(new_classes))
                models = (
                    train_on(clips, out / f"short-{draw}", SHORT),
                    train_on(clips, out / f"scratch-{draw}", SCRATCH),
                    linear_probe.train_linear_probe(
                        base, clips, out / f"head-{draw}", LinearProbeSettings(), quiet
                    ),
                    train_on(clips, out / f"whole-{draw}", fine_tuning.SETTINGS, base),
                    linear_probe.train_linear_probe(
                        yamnet, clips, out / f"yamnet-{draw}", LinearProbeSettings(), quiet
                    ),
                )
                rows.append([100 * evaluate(model, test_clips).accuracy for model in models])
                cells = " | ".join(f"{value:.1f}" for value in rows[-1])
                print(f"| {', '.join(new_classes)} | {draw + 1} | {cells} |", flush=True)
    means = " | ".join(f"{value:.1f}" for value in np.mean(rows, axis=0))
    print(f"| mean of {len(rows)} | | {means} |")


def train_on(
    data: Dataset,
    folder: Path,
    settings: Hyperparameters,
    start: checkpoint.Checkpoint | None = None,
) -> checkpoint.Checkpoint:
    """A network trained on all of these clips."""
    work = TrainingConfig(
        folder=Path(),
        architecture=ARCHITECTURE,
        name=folder.name,
        output_dir=folder.parent,
        frontend_overrides=() if start else RECIPE,
        base_model=start,
        settings=settings,
        dataset=data,
        run_dir=folder.parent / f"{folder.name}-run",
    )
    return train_and_evaluate(work, lambda stage, report: None, quiet)


def drawn(data: Dataset, n_clips: int, draw: int) -> Dataset:
    """So many clips of every class."""
    rng = np.random.default_rng(draw)
    clips = []
    for name in data.classes:
        of_class = [clip for clip in data.clips if clip.label == name]
        clips += [of_class[i] for i in rng.choice(len(of_class), n_clips, replace=False)]
    return replace(data, clips=tuple(clips))


def only(data: Dataset, classes: set[str]) -> Dataset:
    """The clips of these classes."""
    return replace(data, clips=tuple(clip for clip in data.clips if clip.label in classes))


def quiet(words: str, things: Iterable[Any]) -> Iterable[Any]:
    """No bar."""
    return things


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
