"""Filter banks as a few dense matrix products: most filters ignore most of the spectrum."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_TOGETHER = 16  # filters per product


class FilterBank(NamedTuple):
    """Weights (n_fft / 2 + 1, bins), kept as blocks of neighbouring filters with their FFT bins."""

    weights: NDArray[np.float32]
    blocks: tuple[tuple[slice, NDArray[np.float32]], ...]

    def __call__(self, spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
        """Through the filters, (frames, n_fft / 2 + 1) -> (frames, bins)."""
        return np.concatenate([spectrum[:, bins] @ block for bins, block in self.blocks], axis=1)


def filter_bank(weights: NDArray[np.floating]) -> FilterBank:
    """A bank of these weights, (n_fft / 2 + 1, bins); what a filter weighs 0 is not computed."""
    matrix = weights.astype(np.float32)
    blocks = []
    for first in range(0, matrix.shape[1], N_TOGETHER):
        part = matrix[:, first : first + N_TOGETHER]
        rows = np.flatnonzero(part.any(axis=1))
        bins = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 1)
        blocks.append((bins, np.ascontiguousarray(part[bins])))
    return FilterBank(matrix, tuple(blocks))
