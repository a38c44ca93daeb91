"""Error analysis on held-out clips: which are misclassified, and how the base model did on them."""

from audioclf.datasets.dataset import Dataset, LabelledClip
from audioclf.inference.predict import predict_file
from audioclf.inference.prediction import Prediction, normalize_class_name
from audioclf.jobs.records import ClipResult, Comparison
from audioclf.models.checkpoint import Checkpoint
from audioclf.progress import StageProgress


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
    wrong = [row for row in rows if not row.is_correct]
    right = [row for row in rows if row.is_correct]
    wrong.sort(key=lambda row: -row.probability)
    return [*wrong, *sorted(right, key=lambda row: row.probability)]


def compare_with_base(
    base_model: Checkpoint, rows: list[ClipResult], validation: Dataset, progress: StageProgress
) -> Comparison | None:
    """The share of correct clips before and after, of clips whose classes the base model has too.

    None where it has none of them. Classes are the same where their names are.
    """
    base_classes = {normalize_class_name(name) for name in base_model.classes}
    clips = [clip for clip in validation.clips if normalize_class_name(clip.label) in base_classes]
    if not clips:
        return None
    correct = {row.relative_path for row in rows if row.is_correct}
    n_before = sum(
        _predicted(base_model, clip) == normalize_class_name(clip.label)
        for clip in progress(f"{base_model.name}, for comparison", clips)
    )
    return Comparison(
        base_model.name,
        n_clips=len(clips),
        n_classes=len(base_model.classes),
        before=n_before / len(clips),
        after=sum(clip.relative_path in correct for clip in clips) / len(clips),
    )


def _predicted(model: Checkpoint, clip: LabelledClip) -> str:
    return normalize_class_name(predict_file(clip.path, model).ranking()[0][0])


def _clip_result(clip: LabelledClip, prediction: Prediction) -> ClipResult:
    name, probability = prediction.ranking()[0]
    true_class_probability = float(prediction.clip[prediction.classes.index(clip.label)])
    return ClipResult(
        relative_path=clip.relative_path,
        path=str(clip.path),
        true_class=clip.label,
        predicted_class=name,
        probability=round(probability, 4),
        true_class_probability=round(true_class_probability, 4),
    )
