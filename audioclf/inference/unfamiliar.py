"""Whether a sound is unlike anything that a model was trained on: its statistics, applied.

The embedding is that of the checkpoint that the statistics name: the general-purpose model where
they were made with it, else the model itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audioclf.audio import io
from audioclf.audio.io import Limits, Samples
from audioclf.inference import familiarity
from audioclf.inference.events import UNFAMILIAR, Unfamiliar
from audioclf.inference.familiarity import Familiarity
from audioclf.inference.levels import Levels
from audioclf.inference.predict import Embeddings, embed, embed_file
from audioclf.inference.prediction import display_name
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint

SPAN_S = 5.0  # statistics are of clips: a long sound is judged in parts of about a clip's length


@dataclass(frozen=True)
class Judgement:
    """How unlike the training clips a sound is; unfamiliar where `score` exceeds `threshold`."""

    score: float
    threshold: float
    nearest: str  # the class that is least far
    auroc: float  # how well such scores tell unknown classes; nan where that was not measured
    unknown: tuple[Unfamiliar, ...]  # the parts of the sound that are unfamiliar

    @property
    def is_unfamiliar(self) -> bool:
        """Whether the sound as a whole is unlike the training clips."""
        return self.score > self.threshold

    def summary(self) -> str:
        """What an unfamiliar sound is answered: “Unlike anything …; nearest: rooster”."""
        return UNFAMILIAR.format(nearest=display_name(self.nearest).lower())


def unfamiliar(
    samples: Samples, sample_rate_hz: int, model: Checkpoint, levels: Levels | None = None
) -> Judgement | None:
    """How unlike its training clips a model finds samples, (samples,) mono.

    None for a model without statistics, or whose embedding is not installed. `levels`: quiet parts
    do not count. Raises ValueError for damaged statistics.
    """
    statistics = _statistics(model)
    if statistics is None:
        return None
    return judge(embed(samples, sample_rate_hz, statistics[1]), statistics[0], levels)


def unfamiliar_file(
    path: str | Path,
    model: Checkpoint,
    levels: Levels | None = None,
    limits: Limits = io.ANY,
    on_block: Callable[[Samples], None] = lambda samples: None,
) -> Judgement | None:
    """`unfamiliar` for an audio file; a long one in blocks. Raises ValueError.

    `on_block` is called with every block before it is judged; what it raises ends the judging.
    """
    statistics = _statistics(model)
    if statistics is None:
        return None
    return judge(embed_file(path, statistics[1], limits, on_block), statistics[0], levels)


def judge(
    embeddings: Embeddings, statistics: Familiarity, levels: Levels | None = None
) -> Judgement | None:
    """A sound by its windows' embeddings: as a whole, and in parts of about five seconds.

    It is as unfamiliar as what is least so of the whole and its parts: the mean of a dog's and a
    rooster's embedding is like neither. None where every window is quiet.
    """
    loud = np.array(
        [
            levels is None or levels.of_segment(start_s, end_s) >= levels.quiet_below_db
            for start_s, end_s in zip(embeddings.starts_s, embeddings.ends_s, strict=True)
        ]
    )
    if not loud.any():
        return None
    values = embeddings.values[loud]
    starts_s, ends_s = embeddings.starts_s[loud], embeddings.ends_s[loud]
    spans = (starts_s // SPAN_S).astype(int)
    groups = [np.flatnonzero(spans == span) for span in np.unique(spans)]
    means = np.stack([values.mean(axis=0), *(values[rows].mean(axis=0) for rows in groups)])
    scores, nearest = statistics.score(means)
    parts = [
        Unfamiliar(float(starts_s[rows[0]]), float(ends_s[rows[-1]]), name, float(score))
        for rows, score, name in zip(groups, scores[1:], nearest[1:], strict=True)
        if score > statistics.threshold
    ]
    least = int(scores.argmin())
    return Judgement(
        float(scores[least]),
        statistics.threshold,
        nearest[least],
        statistics.auroc,
        tuple(joined(parts)),
    )


def joined(parts: Sequence[Unfamiliar]) -> list[Unfamiliar]:
    """Parts that touch as one, with the nearest class of the one that is most unlike."""
    merged: list[Unfamiliar] = []
    for part in parts:
        if merged and part.start_s <= merged[-1].end_s:
            last = merged.pop()
            strongest = max(last, part, key=lambda one: one.score)
            part = Unfamiliar(
                last.start_s, max(last.end_s, part.end_s), strongest.nearest, strongest.score
            )
        merged.append(part)
    return merged


def _statistics(model: Checkpoint) -> tuple[Familiarity, Checkpoint] | None:
    """A model's statistics and the checkpoint whose embedding they are of."""
    owner = model.load_members()[0]
    statistics = familiarity.read(owner.folder)
    if statistics is None:
        return None
    if (
        statistics.embedding_sha256 == owner.source_sha256()
    ):  # its own, whatever its folder is called
        return statistics, owner
    beside = owner.folder.parent / statistics.embedding
    folder = beside if (beside / checkpoint.CARD).is_file() else None
    folder = folder or checkpoint.locate(statistics.embedding)
    if folder is None or not (folder / checkpoint.CARD).is_file():
        return None
    found = checkpoint.read(folder)
    return (statistics, found) if statistics.embedding_sha256 == found.source_sha256() else None
