"""The table of architectures, made from their modules."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from audioclf.models import architectures
from audioclf.models.architectures import Architecture
from audioclf.models.architectures._flops import multiply_adds

N_CLASSES = 10  # what a head costs depends on them, a little
NAME = r"(?:van der )?[A-Z]\w+"
SOURCE = re.compile(rf'({NAME}(?:, {NAME})*(?: and {NAME}| et al\.)?) \((\d{{4}})\), "(.+?)"')


def rows(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Name, description and cost of every architecture, with its default front end."""
    for name in names:
        architecture = architectures.load(name)
        shape = architecture.frontend.input_shape
        model = architecture.build(shape, N_CLASSES)
        yield {
            "name": name,
            "feature": architecture.frontend.feature,
            "input_shape": list(shape),
            "n_params": model.count_params(),
            "multiply_adds": multiply_adds(model),
            "description": architecture.description,
            "sources": sources(architecture),
            "citation": architecture.reference,
        }


def sources(architecture: Architecture) -> list[str]:
    """The papers behind an architecture: authors, year and title each."""
    text = re.sub(r"\s+", " ", architecture.reference)
    return [f"{authors} ({year}), “{title}”" for authors, year, title in SOURCE.findall(text)]


def markdown(table: Iterable[dict[str, Any]]) -> str:
    """The table as it stands in the README."""
    lines = [
        "| name | what it is | feature | input | parameters | multiply-adds per window | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table:
        shape = " x ".join(map(str, row["input_shape"]))
        lines.append(
            f"| `{row['name']}` | {row['description']} | `{row['feature']}` | {shape} | "
            f"{row['n_params'] / 1e6:.2f} M | {row['multiply_adds'] / 1e6:,.1f} M | "
            f"{row['sources'][0]} |"
        )
    return "\n".join(lines)
