"""Whether the advisor chooses a good start, and how long it takes.

    python benchmarks/advisor.py ESC10

Three data sets: ESC-10; made words (vowels in order, spoken by twelve made voices); and made
melodies (the same five notes in eight orders). The advisor sees ESC-10 without its last fold, and
twelve made voices; then a head is trained on every start with the same clips and evaluated on that
fold, and on twelve other voices, which says what was best.
Spoken digits are not here: made words stand for sounds whose order and pitch matter, which YAMNet
was not made for.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from audioclf import threads
from audioclf.audio import io
from audioclf.datasets import dataset
from audioclf.datasets.dataset import Dataset
from audioclf.inference import embedding_cache
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import advisor, linear_probe
from audioclf.training.linear_probe import LinearProbeSettings

RATE_HZ, N_VOICES, N_TAKES = 16_000, 12, 3
VOWELS_HZ = {
    "a": (730, 1_090, 2_440), "i": (270, 2_290, 3_010), "u": (300, 870, 2_240),
    "e": (530, 1_840, 2_480), "o": (570, 840, 2_410),
}  # fmt: skip
WIDTHS_HZ = (60, 90, 150)
WORDS = ("ai", "ia", "au", "ua", "ei", "ie", "oi", "io", "aia", "iai")
NOTES = (0, 2, 4, 7, 9)  # semitones above the root
ORDERS = ("01234", "43210", "02413", "31420", "04132", "23140", "12034", "40321")
Samples = NDArray[np.float32]


def main(esc10: Path) -> None:
    """A table per data set, and what was chosen."""
    threads.single_threaded_blas()
    with tempfile.TemporaryDirectory() as place:
        data = dataset.load(esc10)
        last = max(data.folds)
        compare("ESC-10", data.of_folds(set(data.folds) - {last}), data.of_folds({last}))
        for name, make in (("made words", words), ("made melodies", melodies)):
            parts = [
                dataset.load(write(Path(place, f"{name} {first}"), make(first)))
                for first in (0, N_VOICES)
            ]
            compare(name, *parts)


def compare(name: str, seen: Dataset, held_out: Dataset) -> None:
    """What the advisor says, and what heads have on the clips that are held out."""
    started = time.perf_counter()
    advice = advisor.recommend(seen, quiet)
    seconds = time.perf_counter() - started
    print(f"\n## {name}: {len(seen.clips)} clips and {len(held_out.clips)} held out\n")
    print(
        "| start | advisor (%) | interval | a head on what is held out (%) |\n" + "|---" * 4 + "|"
    )
    starts = {model.name: model for model in advisor.candidates()}
    truth = {}
    for row in advice.rows:
        if row.accuracy is None or row.interval is None:
            continue
        model = starts[row.start]
        if advisor.may_know(model, seen):
            value = 100 * row.accuracy  # what it has without having learnt these clips
        else:
            value = 100 * head_accuracy(model, seen, held_out)
        truth[row.start] = value
        low, high = row.interval
        print(
            f"| `{row.start}` | {100 * row.accuracy:.1f} | {100 * low:.1f} to {100 * high:.1f} "
            f"| {value:.1f} |"
        )
    lost = max(truth.values()) - truth[advice.best.name]
    print(f"\nChosen: `{advice.best.name}`, {lost:.1f} points below the best, in {seconds:.0f} s.")


def head_accuracy(model: Checkpoint, seen: Dataset, held_out: Dataset) -> float:
    """The accuracy of the head as it is really trained, on windows."""
    examples = linear_probe.embed_examples(model, seen, seen.classes, quiet)
    head = linear_probe.fit(examples, len(seen.classes), LinearProbeSettings())
    right = [
        head.probabilities(one.values).mean(axis=0).argmax() == seen.classes.index(clip.label)
        for clip in held_out.clips
        for one in embedding_cache.all_embeddings(model, [clip.path])
    ]
    return float(np.mean(right))


def words(first: int) -> dict[tuple[str, int, int], Samples]:
    """Made words by word, voice and take: a pulse train through three formants that glide."""
    made = {}
    for voice in range(first, first + N_VOICES):
        rng = np.random.default_rng(voice)
        pitch_hz, size = rng.uniform(90, 240), rng.uniform(0.88, 1.18)
        for word in WORDS:
            for take in range(N_TAKES):
                made[word, voice, take] = say(word, pitch_hz, size, rng)
    return made


def say(word: str, pitch_hz: float, size: float, rng: np.random.Generator) -> Samples:
    """A word by a voice, with a little noise."""
    n_samples = int(rng.uniform(0.22, 0.32) * len(word) * RATE_HZ)
    glide = pitch_hz * np.linspace(rng.uniform(0.95, 1.15), rng.uniform(0.85, 1), n_samples)
    phase = np.cumsum(glide / RATE_HZ)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    targets = np.array([VOWELS_HZ[vowel] for vowel in word]) * size
    where = np.linspace(0, len(word) - 1, n_samples)
    spoken = pulses
    for formant, width_hz in enumerate(WIDTHS_HZ):
        track = np.interp(where, np.arange(len(word)), targets[:, formant])
        spoken = resonate(spoken, track, width_hz)
    return finished(spoken * np.hanning(n_samples) ** 0.3, rng)


def resonate(
    samples: NDArray[np.floating], track_hz: NDArray[np.floating], width_hz: float
) -> Samples:
    """A resonance that follows a track of frequencies, in blocks of 10 ms."""
    block, state, parts = RATE_HZ // 100, np.zeros(2), []
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    for first in range(0, len(samples), block):
        angle = 2 * np.pi * track_hz[first] / RATE_HZ
        poles = [1.0, -2 * radius * np.cos(angle), radius**2]
        part, state = signal.lfilter([sum(poles)], poles, samples[first : first + block], zi=state)
        parts.append(part)
    return np.concatenate(parts)


def melodies(first: int) -> dict[tuple[str, int, int], Samples]:
    """The same five notes in eight orders, by order, instrument and take."""
    made = {}
    for voice in range(first, first + N_VOICES):
        rng = np.random.default_rng(100 + voice)
        overtones = rng.uniform(0, 0.6, 5) / np.arange(1, 6)
        for order in ORDERS:
            for take in range(N_TAKES):
                root_hz = 220 * 2 ** rng.uniform(0, 1)
                notes = [root_hz * 2 ** (NOTES[int(i)] / 12) for i in order]
                made[order, voice, take] = finished(play(notes, overtones, rng), rng)
    return made


def play(
    notes_hz: list[float], overtones: NDArray[np.floating], rng: np.random.Generator
) -> Samples:
    """Notes one after another, each a decaying tone."""
    length_s = rng.uniform(0.18, 0.26)
    times_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    tones = [
        sum(a * np.sin(2 * np.pi * note * n * times_s) for n, a in enumerate((1.0, *overtones), 1))
        * np.exp(-6 * times_s)
        for note in notes_hz
    ]
    return np.concatenate(tones)


def finished(samples: NDArray[np.floating], rng: np.random.Generator) -> Samples:
    """At a level of its own, with noise 25 dB below."""
    samples = samples / np.abs(samples).max() * rng.uniform(0.3, 0.8)
    noise = rng.standard_normal(len(samples)) * samples.std() * 10 ** (-25 / 20)
    return np.clip(samples + noise, -1, 1).astype(np.float32)


def write(folder: Path, made: dict[tuple[str, int, int], Samples]) -> Path:
    """A labelled folder whose groups are the voices."""
    folder.mkdir()
    lines = ["file_name,label,group"]
    for (label, voice, take), samples in made.items():
        name = f"{label}-{voice}-{take}.wav"
        io.write(folder / name, samples, RATE_HZ)
        lines.append(f"{name},class_{label},voice {voice}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


def quiet(_: str, things: Iterable[Any]) -> Iterable[Any]:
    """No bar."""
    return things


if __name__ == "__main__":
    main(Path(sys.argv[1]))
