"""The commands that advise before a training: which labels are probably wrong, what to start from.

Both need embeddings alone, and no Keras.
"""

import argparse
import sys

from audioclf.cli.console import print_table, progress
from audioclf.cli.parser import Run
from audioclf.models import checkpoint, ranking


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


RUNS: dict[str, Run] = {"review": _review}
