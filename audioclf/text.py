"""Words as people are told them: without any meaning to Markdown, and counted."""

import re
from collections.abc import Sequence

MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def escape_markdown(words: str) -> str:
    """Words without any meaning to Markdown."""
    return MARKS.sub(r"\\\1", words)


def pluralize(n: int, thing: str) -> str:
    """How many there are: “1 sound”, “2,000 sounds”."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: “a, b and c”."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
