"""Add the statistics of their training clips to checkpoints, and to their cards.

Run it as `python scripts/make_familiarity.py FOLDER NAME...`, with the data set that they were
trained on; the folds are those of the card.
"""

import sys
from collections.abc import Sequence

from audioclf.cli.console import progress
from audioclf.datasets import dataset
from audioclf.models import checkpoint
from audioclf.training.familiar import add_statistics


def main(folder: str, names: Sequence[str]) -> None:
    """Every checkpoint in turn."""
    data = dataset.load(folder)
    for name in names:
        model = checkpoint.find(name)
        folds = set(model.card.get("training", {}).get("folds") or data.folds)
        saved = add_statistics(model, data.of_folds(folds), progress)
        print(f"{name}: {saved.card.get('familiarity')}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
