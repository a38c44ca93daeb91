"""The commands that advise before a training: which labels are probably wrong, what to start from.

Both need embeddings alone, and no Keras.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run
from audioclf.dependencies import has_training
from audioclf.models import checkpoint, ranking

if TYPE_CHECKING:
    from audioclf.datasets.dataset import Dataset
    from audioclf.models.checkpoint import Checkpoint
    from audioclf.training.advisor import Recommendation

SHARES = ("accuracy", "expected")


def _review(args: argparse.Namespace) -> None:
    from audioclf.annotation import review
    from audioclf.datasets import dataset

    data = dataset.load(args.folder)
    model = checkpoint.find(args.checkpoint) if args.checkpoint else ranking.best_embedding_model()
    print(f"Reviewed by the embeddings of {model.name}.", file=sys.stderr)
    result = review.review_dataset(data, model, progress)
    for sentence in result.errors:
        print(f"Left out: {sentence}", file=sys.stderr)
    print_table([one.to_dict() for one in result.suspicious], args.json)


def _recommend(args: argparse.Namespace) -> None:
    from audioclf.datasets import dataset

    advice = recommend(dataset.load(args.folder), args.epochs)
    if args.json:
        print(json.dumps(advice.to_dict(), indent=1))
        return
    print_table([_shown(row.to_dict()) for row in advice.rows], False)
    print(f"best: {advice.best.name}, a new classifier head")


def recommend(data: "Dataset", n_epochs: int | None = None) -> "Recommendation":
    """The advisor's comparison on a data set, with bars and remarks on standard error."""
    from audioclf.training import advisor

    def whole_seconds(model: "Checkpoint", n_clips: int) -> float:
        from audioclf.training import fine_tuning, step_time

        return step_time.training_seconds(model, n_clips, fine_tuning.SETTINGS, n_epochs)

    timing = whole_seconds if has_training() else None
    advice = advisor.recommend(data, progress, timing=timing)
    for sentence in advice.errors:
        print(f"Left out: {sentence}", file=sys.stderr)
    return advice


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people read it."""
    interval = row["interval"]
    ends = f"{interval[0]:.1%} to {interval[1]:.1%}" if interval else "-"
    shares = {name: "-" if row[name] is None else f"{row[name]:.1%}" for name in SHARES}
    return {**row, **shares, "interval": ends}


RUNS: dict[str, Run] = {"review": _review, "recommend": _recommend}
