"""Labels that are probably wrong: on made clusters, where it is known which ones are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audioclf.annotation import database, embedding, event_log, project, review
from audioclf.annotation.event_log import AnnotationEvent
from audioclf.annotation.queue import LabelQueue
from audioclf.annotation.tasks import Segmentation
from audioclf.datasets import dataset
from audioclf.inference import out_of_fold
from audioclf.models import checkpoint
from tests.sentences import refusal

N_CLASSES, N_EACH, N_FOLDS = 4, 20, 4


@pytest.fixture(scope="module")
def points() -> NDArray[np.float32]:
    """Four clusters, apart but with a few clips between them."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 2, (N_CLASSES, 60))
    values = np.repeat(centres, N_EACH, axis=0) + rng.normal(0, 1.5, (N_CLASSES * N_EACH, 60))
    return out_of_fold.components(values)


TRUTH = np.repeat(np.arange(N_CLASSES), N_EACH)
FOLDS = np.tile(np.arange(N_FOLDS), N_CLASSES * N_EACH // N_FOLDS)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_stand_first_and_with_their_true_class(
    points: NDArray[np.float32], seed: int
) -> None:
    rng, labels = np.random.default_rng(seed), TRUTH.copy()
    wrong = rng.choice(len(TRUTH), 6, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, N_CLASSES, 6)) % N_CLASSES
    suspicious = review.find_suspicious(points, labels, FOLDS)
    assert set(wrong) == {one.number for one in suspicious[:6]}
    assert all(one.suggested == TRUTH[one.number] for one in suspicious[:6])
    assert all(one.label == labels[one.number] for one in suspicious)
    margins = [one.margin for one in suspicious]
    assert margins == sorted(margins) and margins[5] < 0
    assert 0.5 < suspicious[0].probability <= 1


def test_a_confusion_of_two_classes_that_many_labels_share_is_not_learnt(
    points: NDArray[np.float32],
) -> None:
    labels = TRUTH.copy()
    wrong = [0, 3, 7, 11, 14, 18]  # three in ten of the first class
    labels[wrong] = 1
    suspicious = review.find_suspicious(points, labels, FOLDS)
    assert set(wrong) <= {one.number for one in suspicious[: 2 * len(wrong)]}


def test_right_labels_are_not_listed_and_what_one_fold_has_alone_is_not_judged(
    points: NDArray[np.float32],
) -> None:
    assert len(review.find_suspicious(points, TRUTH, FOLDS)) <= 2
    labels = TRUTH.copy()
    labels[[0, 4, 8]] = N_CLASSES  # all in fold 0
    listed = {one.number for one in review.find_suspicious(points, labels, FOLDS)}
    assert not listed & {0, 4, 8}


def test_a_copy_in_the_same_fold_does_not_vouch_for_a_wrong_label(
    points: NDArray[np.float32],
) -> None:
    twice, labels = np.repeat(points, 2, axis=0), np.repeat(TRUTH, 2)
    labels[[20, 21]] = 3  # a recording and its copy, both wrong
    suspicious = review.find_suspicious(twice, labels, np.repeat(FOLDS, 2))
    assert {20, 21} == {one.number for one in suspicious[:2]}


def test_folds_without_a_second_class_are_a_sentence(points: NDArray[np.float32]) -> None:
    folds = np.where(TRUTH == 0, 0, 1)
    labels = np.minimum(TRUTH, 1)
    assert "add clips" in refusal(lambda: review.find_suspicious(points, labels, folds))


def test_a_folder_is_reviewed_and_what_cannot_be_read_is_told(
    three_sounds: Path, tmp_path: Path
) -> None:
    for path in three_sounds.glob("*/*.wav"):
        name = "noise" if path.parent.name == "sine" and path.stem == "3" else path.parent.name
        (tmp_path / name).mkdir(exist_ok=True)
        copy = tmp_path / name / f"{path.parent.name}-{path.name}"
        copy.write_bytes(path.read_bytes())
    (tmp_path / "sine" / "broken.wav").write_bytes(b"")
    data = dataset.load(tmp_path)
    model = checkpoint.find("mlp-summary")
    result = review.review_dataset(data, model, lambda _, clips: clips)
    first = result.suspicious[0]
    assert (first.file, first.label, first.suggested) == ("noise/sine-3.wav", "noise", "sine")
    assert result.n_clips == 24 and "broken.wav" in result.errors[0]


def test_the_labels_of_a_project_are_reviewed_once_there_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three_sounds: Path
) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "data"))
    labelled = project.create("sounds", three_sounds)
    project.scan_files(labelled)
    queue = LabelQueue(labelled, Segmentation())
    assert "wait a little" in refusal(lambda: review.review_queue(queue))
    model = checkpoint.find("mlp-summary")
    list(queue.embed_all(model, embedding.SuggestionKind.OWN_LABELS))
    with database.connect(labelled.store) as db:
        for task in queue.tasks:
            name = task.file.split("/")[0]
            name = "noise" if task.file == "sine/3.wav" else name
            event_log.add(db, AnnotationEvent(task.file, "label", (name,)))
    assert review.review_queue(queue) == []  # 24 labels are too few
    monkeypatch.setattr(review, "MIN_LABELS", 20)
    first = review.review_queue(queue)[0]
    assert (first.task.file, first.label, first.suggested) == ("sine/3.wav", "noise", "sine")
    number = queue.numbers[first.task]
    assert first.task not in [one.task for one in review.review_queue(queue, {number})]
