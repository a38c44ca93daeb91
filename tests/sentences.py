"""What a person reads when something is refused."""

import re
from collections.abc import Callable

import pytest


def refusal(call: Callable[[], object]) -> str:
    """What `call` says when it refuses: a ValueError with one sentence in one line."""
    with pytest.raises(ValueError) as caught:
        call()
    said = str(caught.value)
    assert said.endswith((".", "?")) and "\n" not in said, f"not a sentence: {said}"
    assert not re.search(r"[.!?] +[A-Z“]", said), f"more than one sentence: {said}"
    return said
