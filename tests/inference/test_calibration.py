"""Temperatures: learnt, applied and judged on other clips than they were learnt on."""

import numpy as np
import pytest

from audioclf.inference import calibration


def overconfident(n_clips: int, factor: float) -> tuple[list[np.ndarray], np.ndarray]:
    """Clips whose classes are drawn from softmax(logits), said with logits that are too large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (n_clips, 4))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(4, p=p) for p in honest])
    probabilities = calibration.apply_temperature(honest, 1 / factor)
    return [row[None] for row in probabilities], truth


def test_the_temperature_undoes_what_was_done() -> None:
    windows, truth = overconfident(4_000, 2.0)
    assert calibration.fit_temperature(windows, truth) == pytest.approx(2.0, rel=0.1)


def test_a_temperature_keeps_the_order_and_the_sum() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    for temperature in (0.3, 1.0, 3.0):
        calibrated = calibration.apply_temperature(probabilities, temperature)
        np.testing.assert_allclose(calibrated.sum(axis=1), 1, rtol=1e-6)
        assert (calibrated[0].argsort() == probabilities[0].argsort()).all()
        assert np.isfinite(calibrated).all()
    np.testing.assert_allclose(
        calibration.apply_temperature(probabilities, 1.0), probabilities, rtol=1e-6
    )


def test_calibration_is_better_on_clips_that_it_was_not_learnt_on() -> None:
    windows, truth = overconfident(400, 2.5)
    plain = calibration.clip_probabilities(windows, 1.0)
    others = calibration.cross_fitted(windows, truth)
    assert others is not None
    before = calibration.expected_calibration_error(plain, truth)
    assert calibration.expected_calibration_error(others, truth) < 0.6 * before
    ours = calibration.negative_log_likelihood(others, truth)
    assert ours < calibration.negative_log_likelihood(plain, truth)


def test_few_clips_say_nothing_about_a_temperature() -> None:
    windows, truth = overconfident(calibration.MIN_CLIPS - 1, 2.0)
    assert calibration.fit_temperature(windows, truth) is None
    assert calibration.cross_fitted(windows, truth) is None


def test_the_calibration_error_of_the_sure_and_wrong_is_one() -> None:
    sure = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert calibration.expected_calibration_error(sure, np.array([1, 1])) == 1
    assert calibration.expected_calibration_error(sure, np.array([0, 0])) == 0
