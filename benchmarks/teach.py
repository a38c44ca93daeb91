"""What few clips teach: YAMNet with a new head, and the zoo against training from scratch.

`python benchmarks/teach.py ESC10 few` prints accuracy on fold 4 with 5 and 10 clips per class of
folds 1 to 3, YAMNet's head, five draws. `... ESC10 unseen` leaves three classes out of a training,
teaches them afterwards with 10 clips each, and judges the clips of these classes in fold 4.
"""

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audioclf import checkpoint, dataset, heads, tune
from audioclf.dataset import Dataset
from audioclf.evaluate import evaluate
from audioclf.heads import HeadSettings
from audioclf.lesson import Lesson, teach
from audioclf.settings import Settings

HELD_OUT = 4
N_FEW, N_DRAWS = (5, 10), 5
N_TRIPLES, N_OF_THEM, N_CLIPS = 3, 3, 10
ARCHITECTURE = "separable_cnn"
RECIPE = (
    ("analysis.n_fft", "2048"),
    ("analysis.hop_length", "1024"),
    ("analysis.n_bins", "64"),
    ("window_frames", "64"),
)
SCRATCH = Settings(epochs=100)


def main(folder: Path, what: str) -> None:
    """One of the tables."""
    data = dataset.load(folder)
    seen = data.of_folds(set(data.folds) - {HELD_OUT})
    (few if what == "few" else unseen)(seen, data.of_folds({HELD_OUT}))


def few(seen: Dataset, judged: Dataset) -> None:
    """YAMNet's new head on few clips per class, several draws."""
    network = checkpoint.find("yamnet-audioset")
    print("| clips per class | accuracy on fold 4, each draw (%) | mean (%) |\n|---|---|---|")
    for n_clips in N_FEW:
        found = []
        for draw in range(N_DRAWS):
            with tempfile.TemporaryDirectory(dir=checkpoint.home()) as place:
                out = Path(place).parent / f"{Path(place).name}-head"
                head = heads.teach(network, drawn(seen, n_clips, draw), out, HeadSettings(), quiet)
                found.append(100 * evaluate(head, judged).accuracy)
                for path in out.iterdir():
                    path.unlink()
                out.rmdir()
        each = ", ".join(f"{value:.2f}" for value in found)
        print(f"| {n_clips} | {each} | {np.mean(found):.2f} |", flush=True)


def unseen(seen: Dataset, judged: Dataset) -> None:
    """Three classes that a network never heard, taught afterwards in three ways."""
    names = np.random.default_rng(0).permutation(seen.classes).reshape(-1).tolist()
    print("| new classes | draw | scratch | new head | whole network |\n|---|---|---|---|---|")
    rows = []
    for number in range(N_TRIPLES):
        chosen = names[number * N_OF_THEM : (number + 1) * N_OF_THEM]
        with tempfile.TemporaryDirectory() as place:
            out = Path(place)
            others = only(seen, set(names) - set(chosen))
            base = taught(others, out / "base", SCRATCH)
            for draw in range(N_OF_THEM):
                clips = drawn(only(seen, set(chosen)), N_CLIPS, draw)
                asked = only(judged, set(chosen))
                made = (
                    taught(clips, out / f"scratch-{draw}", SCRATCH),
                    heads.teach(base, clips, out / f"head-{draw}", HeadSettings(), quiet),
                    taught(clips, out / f"whole-{draw}", tune.SETTINGS, base),
                )
                rows.append([100 * evaluate(one, asked).accuracy for one in made])
                cells = " | ".join(f"{value:.1f}" for value in rows[-1])
                print(f"| {', '.join(chosen)} | {draw + 1} | {cells} |", flush=True)
    means = " | ".join(f"{value:.1f}" for value in np.mean(rows, axis=0))
    print(f"| mean of {len(rows)} | | {means} |")


def taught(
    data: Dataset, folder: Path, settings: Settings, start: checkpoint.Checkpoint | None = None
) -> checkpoint.Checkpoint:
    """A network trained on all of these clips."""
    work = Lesson(
        folder=Path(),
        architecture=ARCHITECTURE,
        name=folder.name,
        out=folder.parent,
        recipe=() if start else RECIPE,
        start=start,
        settings=settings,
        given=data,
        run=folder.parent / f"{folder.name}-run",
    )
    return teach(work, lambda stage, report: None, quiet)


def drawn(data: Dataset, n_clips: int, draw: int) -> Dataset:
    """So many clips of every class."""
    rng = np.random.default_rng(draw)
    found = []
    for name in data.classes:
        own = [clip for clip in data.clips if clip.label == name]
        found += [own[i] for i in rng.choice(len(own), n_clips, replace=False)]
    return replace(data, clips=tuple(found))


def only(data: Dataset, classes: set[str]) -> Dataset:
    """The clips of these classes."""
    return replace(data, clips=tuple(clip for clip in data.clips if clip.label in classes))


def quiet(words: str, things: Iterable[Any]) -> Iterable[Any]:
    """No bar."""
    return things


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
