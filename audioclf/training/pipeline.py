"""A lesson: a labelled folder and an architecture in, a measured checkpoint out.

The held-out fold is measured with the exported network, the way people will use it, and with the
weights that training ends with: the fold has no say in when it stops. It does choose the one
temperature that calibrates the probabilities.
"""

from dataclasses import replace
from typing import Any

from audioclf.models import architectures, checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.training import holdout
from audioclf.training.holdout import Progress
from audioclf.training.run import Lesson, Report, Split, learn, published, recipe_of

__all__ = ["Lesson", "Report", "check", "measured_without", "teach"]


def teach(lesson: Lesson, report: Report, progress: Progress) -> Checkpoint:
    """Train, measure and publish; goes on where an ended run of the same lesson stopped.

    Raises ValueError for a folder, fold, name or architecture that cannot be used.
    """
    checkpoint.check_name(lesson.name)
    check(lesson)
    whole = lesson.data()
    folds = set(lesson.folds or whole.folds)
    chosen = whole.of_folds(folds)
    earlier = str(lesson.start.card.get("attribution") or "") if lesson.start else ""
    credit = " ".join(part for part in (lesson.credit, whole.attribution, earlier) if part)
    found: dict[str, Any] = {}
    before = None
    if lesson.measure is not None:
        made = measured_without(lesson, (lesson.measure,), report, progress)
        found = {key: made.card[key] for key in ("results", "calibration")}
        found["results"][0]["network"] = "trained with the same settings without that fold"
        if lesson.further:
            found["results"][0]["network"] = "this one, before it went on with that fold too"
            lesson, before = _going_on(lesson, lesson.further), made
    unseen = set(whole.folds) - folds if lesson.measure is None else set()
    split = Split(chosen, whole.of_folds(unseen) if unseen else None, whole.classes)
    taught = learn(lesson, split, report, progress, before)
    made = published(taught, {**found, "attribution": credit}, lesson.out / lesson.name)
    if split.unseen:
        found = holdout.measured(made, split.unseen, progress)
        found["results"][0]["network"] = "this one"
        made = checkpoint.write_card(made.folder, {**made.card, **found})
    return made


def check(lesson: Lesson) -> None:
    """Raise ValueError for what cannot be heard, before features are computed."""
    recipe_of(lesson, architectures.load(lesson.architecture))


def measured_without(
    lesson: Lesson, held_out: tuple[int, ...], report: Report, progress: Progress
) -> Checkpoint:
    """The network trained without these folds, with its result on them; made once, and kept."""
    whole = lesson.data()
    chosen = whole.of_folds(set(lesson.folds or whole.folds) | set(held_out))
    rest, unseen = chosen.of_folds(set(chosen.folds) - set(held_out)), whole.of_folds(set(held_out))
    holdout.forget_peak()
    taught = learn(lesson, Split(rest, unseen, whole.classes), report, progress)
    folder = holdout.kept(holdout.key(taught.key, unseen))
    if (folder / checkpoint.CARD).is_file() and checkpoint.read(folder).evaluation:
        return checkpoint.read(folder)
    made = published(taught, {"attribution": whole.attribution}, folder)
    found = holdout.measured(made, unseen, progress)
    found["results"][0] |= {
        "weights": taught.training["weights"],
        "kept_as": folder.name,
        "seconds": round(taught.training["seconds"], 1),
        "peak_mb": holdout.peak_mb(),
        "history": taught.training["history"],
    }
    return checkpoint.write_card(folder, {**made.card, **found})


def _going_on(lesson: Lesson, n_epochs: int) -> Lesson:
    """The lesson that goes on from a measured network: so many epochs, at half the rate."""
    rate = lesson.settings.learning_rate / 2
    return replace(lesson, settings=replace(lesson.settings, epochs=n_epochs, learning_rate=rate))
