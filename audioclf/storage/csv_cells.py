"""Tables whose cells no spreadsheet takes for formulas, and that come back as they were typed.

A cell that begins like a formula gets an apostrophe before it, as spreadsheets write it too.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

FORMULA = re.compile(r"'*[=+\-@]")
MARKED = re.compile(r"'+[=+\-@]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV with a header; what is None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([escape_formula(row.get(column)) for column in columns])
    return text.getvalue()


def read(text: str, name: str, needed: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV by its header, cells as they were typed. Raises ValueError."""
    return (row for _, row in lines(text, name, needed))


def lines(text: str, name: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV as `read` gives them, each with the number of its line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for column in needed:
            if column not in (reader.fieldnames or ()):
                raise ValueError(
                    f"“{name}” has no column “{column}”: its first line names the columns, "
                    f"{','.join(needed)} among them."
                )
        for row in reader:
            cells = {key: unescape_formula(value or "") for key, value in row.items() if key}
            yield reader.line_num, cells
    except csv.Error as error:
        raise ValueError(
            f"“{name}” is no CSV that can be read: save it as CSV in UTF-8."
        ) from error


def escape_formula(value: Any) -> str:
    """A value as a cell."""
    if value is None:
        return ""
    text = str(value)
    is_formula = FORMULA.match(text) and not NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def unescape_formula(cell: str) -> str:
    """A cell without the apostrophe that `escape_formula` put before it."""
    return cell[1:] if MARKED.match(cell) else cell
