"""What a person reads when something is refused."""

import re
from collections.abc import Callable

import pytest


def refusal(call: Callable[[], object]) -> str:
    """What `call` says when it refuses: a ValueError with one sentence in one line."""
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert message.endswith((".", "?")) and "\n" not in message, f"not a sentence: {message}"
    assert not re.search(r"[.!?] +[A-Z“]", message), f"more than one sentence: {message}"
    return message
