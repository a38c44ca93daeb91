"""How long-running work reports its progress: through what wraps its items, as tqdm does."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")

Progress = Callable[[Iterable[Item]], Iterable[Item]]
StageProgress = Callable[[str, Iterable[Any]], Iterable[Any]]  # the stage's name, and its items
