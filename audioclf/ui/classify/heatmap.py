"""What is shown of a prediction over more classes than colours: those that matter, as rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf.inference.prediction import Prediction

MANY = 24  # classes; more are not stacked in colours
MOST_ROWS, LEAST_ROWS = 10, 3
MATTERS_FROM = 0.1  # of a window's probability
MOST_COLUMNS = 1_200
N_BEST = 5  # classes of a column that are named


def is_many(prediction: Prediction) -> bool:
    """Whether it is shown as rows: many classes, or several at once (multi-label)."""
    return len(prediction.classes) > MANY or prediction.is_multi_label


def heat_lane(prediction: Prediction, file: str, duration_s: float) -> dict[str, Any]:
    """Rows of classes and columns of windows; of long sounds, the greatest of several windows.

    `rows`: class, the clip's probability, and one per column; `windows`: start_s, end_s and the
    best classes of every column.
    """
    starts_s, ends_s, values = _columns(prediction)
    rows = _that_matter(values)
    return {
        "file": file,
        "checkpoint": prediction.checkpoint,
        "title": "Predictions per window: the stronger the colour, the more probable",
        "duration_s": duration_s,
        "n_classes": len(prediction.classes),
        "rows": [
            {
                "class": prediction.classes[number],
                "clip": round(float(prediction.clip[number]), 6),
                "probabilities": [round(float(p), 3) for p in values[:, number]],
            }
            for number in rows
        ],
        "windows": [
            {
                "start_s": round(float(start_s), 4),
                "end_s": round(float(end_s), 4),
                "best": [
                    {"class": prediction.classes[n], "probability": round(float(row[n]), 6)}
                    for n in np.argsort(-row, kind="stable")[:N_BEST]
                ],
            }
            for start_s, end_s, row in zip(starts_s, ends_s, values, strict=True)
        ],
    }


def _columns(
    prediction: Prediction,
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.float32]]:
    """Starts and ends in seconds, (columns,), and probabilities, (columns, classes)."""
    n_windows = len(prediction.starts_s)
    firsts = np.arange(0, n_windows, -(-n_windows // MOST_COLUMNS))
    lasts = np.append(firsts[1:], n_windows) - 1
    values = np.maximum.reduceat(prediction.probabilities, firsts, axis=0)
    return prediction.starts_s[firsts], prediction.ends_s[lasts], values


def _that_matter(values: NDArray[np.float32]) -> list[int]:
    """Numbers of the classes that some window is likely to hold, in the order of how much."""
    greatest = values.max(axis=0)
    n_rows = int(np.clip(np.count_nonzero(greatest >= MATTERS_FROM), LEAST_ROWS, MOST_ROWS))
    rows = np.argsort(-greatest, kind="stable")[:n_rows]
    return sorted(rows.tolist(), key=lambda number: -float(values[:, number].mean()))
