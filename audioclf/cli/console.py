"""What the command line shows: tables, and bars for what takes time."""

import json
import sys
from collections.abc import Iterable, Sized
from typing import Any


def progress(label: str, things: Iterable[Any]) -> Iterable[Any]:
    """A bar on standard error for what takes longer than two seconds."""
    from tqdm import tqdm

    total = len(things) if isinstance(things, Sized) else None
    return tqdm(things, desc=label, total=total, delay=2, leave=False, file=sys.stderr)


class EpochBars:
    """A bar per training, with the loss behind it."""

    def __init__(self) -> None:
        self.stage = ""
        self.bar: Any = None

    def show(self, stage: str, report: Any) -> None:
        """One epoch further in the stage of that name."""
        from tqdm import tqdm

        if stage != self.stage:
            self.stage = stage
            self.bar = tqdm(
                total=report.n_epochs, initial=report.epoch - 1, desc=stage, unit="epoch",
                file=sys.stderr,
            )  # fmt: skip
        self.bar.update()
        shown = {"loss": f"{report.loss:.3f}", "accuracy": f"{report.accuracy:.2f}"}
        if report.val_accuracy is not None:
            shown["val_accuracy"] = f"{report.val_accuracy:.2f}"
        self.bar.set_postfix(shown)
        if report.epoch == report.n_epochs:
            self.bar.close()


def print_table(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows under the names of their values, or as JSON."""
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if not rows:
        print("none yet")
        return
    cells = [[_cell(value) for value in row.values()] for row in rows]
    heads = [name.replace("_", " ") for name in rows[0]]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for line in (heads, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        is_interval = any(isinstance(part, float) for part in value)
        return (" to " if is_interval else " x ").join(map(_cell, value))
    return "-" if value is None else str(value)
