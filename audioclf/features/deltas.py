"""Deltas: how fast a feature changes, as further channels."""

import numpy as np
from numpy.typing import NDArray

N_FRAMES = 9  # that a slope is taken over
MAX_ORDERS = 2


def with_deltas(windows: NDArray[np.float32], n_orders: int) -> NDArray[np.float32]:
    """A feature and its first `n_orders` derivatives along the frames, per frame.

    (windows, frames, bins, channels) -> (windows, frames, bins, channels * (1 + n_orders)). The
    slope of a line, and the curvature of a parabola, through nine frames; a window's first and last
    frame are repeated beyond its ends: `librosa.feature.delta(order=..., mode="nearest")`.

    Savitzky and Golay (1964), Analytical Chemistry 36(8).
    """
    if not n_orders:
        return windows
    n_side = N_FRAMES // 2
    padded = np.pad(windows, ((0, 0), (n_side, n_side), (0, 0), (0, 0)), mode="edge")
    orders = [windows]
    for order in range(1, n_orders + 1):
        parts = (
            weight * padded[:, first : first + windows.shape[1]]
            for first, weight in enumerate(_weights(order))
        )
        orders.append(np.sum(list(parts), axis=0))
    return np.concatenate(orders, axis=3)


def _weights(order: int) -> NDArray[np.float32]:
    """What a frame and its neighbours count in the derivative of that order, (N_FRAMES,)."""
    from scipy.signal import savgol_coeffs  # takes half a second to import

    weights: NDArray[np.float32] = savgol_coeffs(N_FRAMES, order, deriv=order, use="dot").astype(
        np.float32
    )
    return weights
