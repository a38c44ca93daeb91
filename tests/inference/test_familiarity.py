"""What is unlike the training clips: by made embeddings, and by real clips."""

from pathlib import Path

import numpy as np
import pytest

from audioclf.inference import familiarity, unfamiliar
from audioclf.inference.events import Unfamiliar
from audioclf.inference.levels import Levels
from audioclf.inference.predict import Embeddings
from tests.sentences import refusal

CLASSES = ("bell", "rain", "wind")


def clusters(n_per_class: int = 24, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Clips of three classes, each in a place of its own among forty numbers."""
    rng = np.random.default_rng(seed)
    centres = 5 * np.random.default_rng(9).random((3, 40))
    values = np.concatenate([c + rng.normal(0, 0.4, (n_per_class, 40)) for c in centres])
    return np.abs(values).astype(np.float32), [c for c in CLASSES for _ in range(n_per_class)]


def far(n: int = 12) -> np.ndarray:
    """Clips of a class that nobody has met."""
    centre = 5 * np.random.default_rng(77).random(40)
    return np.abs(centre + np.random.default_rng(3).normal(0, 0.4, (n, 40))).astype(np.float32)


def test_known_clips_are_familiar_and_others_are_not(tmp_path: Path) -> None:
    statistics = familiarity.fit(*clusters(), "ears", "0" * 64)
    points, labels = clusters(seed=1)
    scores, nearest = statistics.score(points)
    assert nearest == labels and (scores > statistics.threshold).mean() < 0.2
    assert (statistics.score(far())[0] > statistics.threshold).all()
    assert statistics.auroc > 0.95
    familiarity.write(statistics, tmp_path)
    assert (tmp_path / familiarity.FILE).stat().st_size < familiarity.MAX_BYTES
    again = familiarity.read(tmp_path)
    assert again is not None and again.classes == CLASSES and again.embedding == "ears"
    assert np.array_equal(again.score(points)[0], scores)


def test_few_clips_or_a_damaged_file_are_told_in_a_sentence(tmp_path: Path) -> None:
    values, labels = clusters(n_per_class=3)
    assert "four clips" in refusal(lambda: familiarity.fit(values, labels, "ears", "0" * 64))
    assert familiarity.read(tmp_path) is None
    (tmp_path / familiarity.FILE).write_bytes(b"junk")
    assert "copy the checkpoint" in refusal(lambda: familiarity.read(tmp_path))


def test_parts_of_a_sound_are_judged_and_quiet_ones_are_not() -> None:
    statistics = familiarity.fit(*clusters(), "ears", "0" * 64)
    bells = clusters(seed=1)[0][:10]
    starts_s = np.arange(20.0)
    sound = Embeddings(starts_s, starts_s + 1, np.concatenate([bells, far(10)]))
    judgement = unfamiliar.judge(sound, statistics)
    assert judgement is not None
    assert [(part.start_s, part.end_s) for part in judgement.unknown] == [(10.0, 20.0)]
    assert judgement.unknown[0].nearest in CLASSES
    assert judgement.unknown[0].score > judgement.threshold
    db = np.repeat([-20.0, -120.0], 200)
    quiet = unfamiliar.judge(sound, statistics, Levels(db, 20.0))
    assert quiet is not None and quiet.unknown == () and not quiet.is_unfamiliar
    assert quiet.nearest == "bell"
    assert unfamiliar.judge(sound, statistics, Levels(np.full(400, -120.0), 20.0)) is None


def test_unfamiliar_parts_that_touch_are_one() -> None:
    parts = [Unfamiliar(0, 5, "a", 2.0), Unfamiliar(4.5, 10, "b", 3.0), Unfamiliar(20, 25, "a", 4)]
    assert unfamiliar.joined(parts) == [Unfamiliar(0, 10, "b", 3.0), parts[2]]


@pytest.mark.parametrize("unknown", ["rooster", "rain"])
def test_a_class_that_the_statistics_never_saw_is_unfamiliar(esc10: Path, unknown: str) -> None:
    """The embedding is that of a small network that ships: weaker than a general-purpose one."""
    from audioclf.audio import io
    from audioclf.inference import predict
    from audioclf.models import checkpoint

    model = checkpoint.find("separable_cnn-mel")
    values, labels = [], []
    for name in ("dog_bark", "sea_waves", "clock_tick", unknown):
        for path in sorted((esc10 / name).glob("[1-4]-*.ogg"))[:12]:
            values.append(predict.embed(*io.load(path, 44_100), model).values.mean(axis=0))
            labels.append(name)
    is_unknown = np.array(labels) == unknown
    statistics = familiarity.fit(
        np.stack(values)[~is_unknown], np.array(labels)[~is_unknown], model.name, "0" * 64
    )
    scores, _ = statistics.score(np.stack(values))
    assert familiarity.auroc(scores[~is_unknown], scores[is_unknown]) > 0.8
