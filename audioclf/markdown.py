"""Words in Markdown that are shown as they are."""

import re

MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def plain(words: str) -> str:
    """Words without any meaning to Markdown."""
    return MARKS.sub(r"\\\1", words)
