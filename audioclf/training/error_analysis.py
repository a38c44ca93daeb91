"""Error analysis on held-out clips: which are misclassified, and how the base model did on them."""

from typing import Any

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import Prediction, normalize_class_name
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress

ClipResult = dict[str, Any]  # one clip's prediction, under the names that a job's result stores


def rank_errors(
    model: Checkpoint, validation: Dataset, progress: StageProgress
) -> list[ClipResult]:
    """A row per clip with its true class, the predicted one, and both probabilities.

    Misclassified clips come first, the most confident errors before all; then the least confident.
    """
    rows = [
        _clip_result(clip, predict_file(clip.path, model))
        for clip in progress("error analysis", validation.clips)
    ]
    wrong = [row for row in rows if row["expected"] != row["heard"]]
    right = [row for row in rows if row["expected"] == row["heard"]]
    wrong.sort(key=lambda row: -row["probability"])
    return [*wrong, *sorted(right, key=lambda row: row["probability"])]


def compare_with_base(
    base_model: Checkpoint, rows: list[ClipResult], validation: Dataset, progress: StageProgress
) -> dict[str, Any] | None:
    """The share of correct clips before and after, of clips whose classes the base model has too.

    None where it has none of them. Classes are the same where their names are.
    """
    base_classes = {normalize_class_name(name) for name in base_model.classes}
    clips = [clip for clip in validation.clips if normalize_class_name(clip.label) in base_classes]
    if not clips:
        return None
    correct = {row["place"] for row in rows if row["expected"] == row["heard"]}
    n_before = sum(
        _predicted(base_model, clip) == normalize_class_name(clip.label)
        for clip in progress(f"{base_model.name}, for comparison", clips)
    )
    return {
        "start": base_model.name,
        "n_clips": len(clips),
        "n_classes": len(base_model.classes),
        "before": n_before / len(clips),
        "after": sum(clip.relative_path in correct for clip in clips) / len(clips),
    }


def _predicted(model: Checkpoint, clip: LabelledClip) -> str:
    return normalize_class_name(predict_file(clip.path, model).ranking()[0][0])


def _clip_result(clip: LabelledClip, prediction: Prediction) -> ClipResult:
    name, probability = prediction.ranking()[0]
    true_class_probability = float(prediction.clip[prediction.classes.index(clip.label)])
    return {
        "place": clip.relative_path,
        "path": str(clip.path),
        "expected": clip.label,
        "heard": name,
        "probability": round(probability, 4),
        "of_the_truth": round(true_class_probability, 4),
    }
