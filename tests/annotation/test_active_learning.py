"""What is asked next and suggested: on made clusters, where the right answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from audioclf.annotation import active_learning
from audioclf.annotation.active_learning import QueueOrder
from tests.sentences import refusal

N_EACH = 40


@pytest.fixture(scope="module")
def clusters() -> tuple[active_learning.EmbeddingSpace, NDArray[np.int64]]:
    """Five clusters of embeddings, the last one small and far away."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 3, (5, 100))
    truth = np.repeat(np.arange(5), [N_EACH] * 4 + [6])
    values = centres[truth] + rng.normal(0, 1, (len(truth), 100))
    return active_learning.embedding_space(values), truth


def label_all(
    where: active_learning.EmbeddingSpace,
    truth: NDArray[np.int64],
    n_labels: int,
    order: str,
    seed: int = 0,
) -> tuple[list[int], float]:
    """Who is asked, and the share of all candidates that is right in the end."""
    rng, labels = np.random.default_rng(seed), dict[int, int]()
    model = active_learning.fit_predict(where, labels, 5)
    for _ in range(n_labels):
        pick = active_learning.next_candidate(where, list(labels), model, order, rng)
        assert pick is not None and pick.candidate not in labels
        number = pick.candidate
        labels[number] = int(truth[number])
        model = active_learning.fit_predict(where, labels, 5)
    return list(labels), float((model.argmax(axis=1) == truth).mean())


def test_the_first_few_are_of_every_class_and_train_better_than_the_first_in_the_list(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, truth = clusters
    picks, right = label_all(where, truth, 8, QueueOrder.USEFUL)
    assert set(truth[picks]) == {0, 1, 2, 3, 4} and right > 0.95
    picks, in_order = label_all(where, truth, 8, QueueOrder.FILED)
    assert picks == list(range(8)) and in_order < 0.3


def test_later_the_most_doubtful_comes_and_one_in_ten_at_random(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, _ = clusters
    probabilities = np.full((len(where.points), 5), 0.05, np.float32)
    probabilities[:, 0] = 0.8
    probabilities[77] = [0.4, 0.39, 0.07, 0.07, 0.07]
    probabilities[33] = [0.99, 0.0025, 0.0025, 0.0025, 0.0025]
    done = list(range(100, 130))
    rng = np.random.default_rng(0)
    for order, expected in ((QueueOrder.USEFUL, 77), (QueueOrder.CERTAIN, 33)):
        picks = [
            active_learning.next_candidate(where, done, probabilities, order, rng)
            for _ in range(200)
        ]
        is_random = [pick.candidate for pick in picks if pick is not None and pick.is_random]
        assert picks.count(active_learning.Selection(expected)) == 200 - len(is_random)
        assert 5 <= len(is_random) <= 40 and len(set(is_random)) > 4
        assert not set(is_random) & set(done)
    everything = list(range(len(where.points)))
    assert (
        active_learning.next_candidate(where, everything, probabilities, QueueOrder.USEFUL, rng)
        is None
    )
    assert "no order “magic”" in refusal(
        lambda: active_learning.next_candidate(where, [], probabilities, "magic", rng)
    )


def test_before_two_classes_are_known_nothing_is_claimed(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, _ = clusters
    for labels in ({}, {3: 1}, {3: 1, 4: 1}):
        assert np.allclose(active_learning.fit_predict(where, labels, 5), 0.2)
    model = active_learning.fit_predict(where, {0: 3, 45: 1}, 5)
    assert model[:, [0, 2, 4]].max() == 0 and np.allclose(model.sum(axis=1), 1, atol=1e-5)
    suggestions = active_learning.suggest(model, list("abcde"), "own labels")
    assert (suggestions[0].name, suggestions[45].name, suggestions[0].source) == (
        "d",
        "b",
        "own labels",
    )
    assert 0.5 < suggestions[0].probability <= 1


def test_nothing_is_claimed_of_few_labels_nor_much_of_what_is_unlike_them(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, truth = clusters

    def claims(known: dict[int, int]) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        found = active_learning.fit_predict(where, known, 5)
        return active_learning.confidence(where, known, found), found.argmax(axis=1) == truth

    for few in ({0: 0, 50: 1}, {n: n // N_EACH for n in (0, 1, 2, 3, 50, 51, 52, 53)}):
        assert np.isnan(claims(few)[0]).all()
    two_classes = {n: n // N_EACH for n in (*range(5), *range(50, 55))}
    likely, is_right = claims(two_classes)
    assert np.isfinite(likely).all() and likely[is_right].mean() > 0.8
    assert likely[~is_right].mean() < 0.3  # of classes that nobody has named yet
    found = active_learning.fit_predict(where, two_classes, 5)
    assert found.max(axis=1)[~is_right].mean() > 0.5  # what the regression alone would claim
    rare = two_classes | {100: 2}
    likely, _ = claims(rare)
    best = active_learning.fit_predict(where, rare, 5).argmax(axis=1)
    assert np.isnan(likely[best == 2]).all() and np.isfinite(likely[best != 2]).all()
    said = active_learning.suggest(found, list("abcde"), "own labels", claims({0: 0, 50: 1})[0])
    assert said[0].name == "a" and {one.probability for one in said} == {None}


def test_the_nearest_are_of_the_same_kind(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, truth = clusters
    nearest = active_learning.nearest(where, 0, 10, without=[1, 2])
    assert len(nearest) == 10 and not {0, 1, 2} & set(nearest)
    assert set(truth[nearest]) == {0}
    assert len(active_learning.nearest(where, 0, 10_000)) == len(truth) - 1


def test_a_map_is_a_square_in_which_kinds_lie_apart(
    clusters: tuple[active_learning.EmbeddingSpace, NDArray[np.int64]],
) -> None:
    where, truth = clusters
    flat = active_learning.project_2d(where)
    assert flat.shape == (len(truth), 2) and flat.min() == 0 and flat.max() == 1
    first, second = (flat[truth == kind].mean(axis=0) for kind in (0, 1))
    assert np.linalg.norm(first - second) > flat[truth == 0].std(axis=0).max()


@pytest.mark.parametrize("values", [np.zeros((1, 5)), np.zeros((3, 5)), np.ones((2, 1))])
def test_few_or_equal_candidates_are_no_error(values: NDArray[np.floating]) -> None:
    where = active_learning.embedding_space(values)
    rng = np.random.default_rng(0)
    model = active_learning.fit_predict(where, {}, 2)
    assert active_learning.next_candidate(where, [], model, QueueOrder.USEFUL, rng) is not None
    assert np.isfinite(active_learning.project_2d(where)).all()
    assert "nothing to embed" in refusal(lambda: active_learning.embedding_space(np.zeros((0, 5))))
