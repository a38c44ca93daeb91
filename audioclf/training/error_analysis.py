"""A second look at held-out clips: which were misjudged, and what the start made of them."""

from typing import Any

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import Prediction, key
from audioclf.models.checkpoint import Checkpoint
from audioclf.training.holdout import Progress

Row = dict[str, Any]


def look(network: Checkpoint, unseen: Dataset, progress: Progress) -> list[Row]:
    """A row per clip: where it is, what it is, what was heard, how sure, and how sure of the truth.

    Those that were misjudged come first, the surest mistakes before all; then the least sure.
    """
    rows = [
        _row(clip, predict_file(clip.path, network))
        for clip in progress("a second look", unseen.clips)
    ]
    wrong = [row for row in rows if row["expected"] != row["heard"]]
    right = [row for row in rows if row["expected"] == row["heard"]]
    wrong.sort(key=lambda row: -row["probability"])
    return [*wrong, *sorted(right, key=lambda row: row["probability"])]


def beside(start: Checkpoint, rows: list[Row], unseen: Dataset, progress: Progress) -> Row | None:
    """How the network that it started from did on the clips whose classes it knows too.

    None where it knows none of them. Classes are the same where their names are.
    """
    known = {key(name) for name in start.classes}
    clips = [clip for clip in unseen.clips if key(clip.label) in known]
    if not clips:
        return None
    right = {row["place"] for row in rows if row["expected"] == row["heard"]}
    before = sum(
        key(predict_file(clip.path, start).ranking()[0][0]) == key(clip.label)
        for clip in progress(f"{start.name} beside it", clips)
    )
    return {
        "start": start.name,
        "n_clips": len(clips),
        "n_classes": len(start.classes),
        "before": before / len(clips),
        "after": sum(clip.place in right for clip in clips) / len(clips),
    }


def _row(clip: LabelledClip, heard: Prediction) -> Row:
    name, probability = heard.ranking()[0]
    truth = float(heard.clip[heard.classes.index(clip.label)])
    return {
        "place": clip.place,
        "path": str(clip.path),
        "expected": clip.label,
        "heard": name,
        "probability": round(probability, 4),
        "of_the_truth": round(truth, 4),
    }
