"""Tables whose numbers sort as numbers and are written with the digits that they are given."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

Columns = Sequence[tuple[str, str]]  # header, and format: “{}” is for words
MISSING = "–"


def filled(columns: Columns, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What `gr.Dataframe` shows: the values, and how each is displayed."""
    return {
        "headers": [header for header, _ in columns],
        "data": [list(row) for row in rows],
        "metadata": {"display_value": [_written(columns, row) for row in rows]},
    }


def table(columns: Columns, rows: Sequence[Sequence[Any]] = (), **settings: Any) -> gr.Dataframe:
    """The component, which is read and sorted, not written in."""
    return gr.Dataframe(
        filled(columns, rows) if rows else None,
        headers=[header for header, _ in columns],
        datatype=["str" if form == "{}" else "number" for _, form in columns],
        interactive=False,
        buttons=["copy"],
        elem_classes=["ac-table", *right_aligned(columns)],
        **settings,
    )


def right_aligned(columns: Columns) -> list[str]:
    """The classes of a table that align its columns of numbers to the right."""
    return [f"ac-number-{place}" for place, (_, form) in enumerate(columns) if form != "{}"]


def _written(columns: Columns, row: Sequence[Any]) -> list[str]:
    return [
        MISSING if value is None else form.format(value)
        for value, (_, form) in zip(row, columns, strict=True)
    ]
