"""What a network hears in every candidate of a data set, file by file, so that it is followed."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.annotation import tasks
from audioclf.annotation.project import LabelledSet
from audioclf.annotation.tasks import Candidate
from audioclf.inference.embedding_cache import file_embeddings
from audioclf.inference.predict import predict_file
from audioclf.models.checkpoint import Checkpoint

OWN_LABELS, ITS_CLASSES = "labels", "classes"  # what a network is listened to for


class Windows(NamedTuple):
    """What a network makes of the windows of one file."""

    starts_s: NDArray[np.floating]
    ends_s: NDArray[np.floating]
    values: NDArray[np.float32]  # (windows, d)


class Part(NamedTuple):
    """What was heard in the candidates of one file; `unavailable_reason` where it cannot be heard."""

    file: str
    numbers: list[int]
    values: NDArray[np.float32]  # (numbers, d)
    trouble: str = ""


def listen(
    one: LabelledSet, network: Checkpoint, asked: Sequence[Candidate], kind: str
) -> Iterator[Part]:
    """Embeddings of all candidates, or probabilities of the network's own classes, by file.

    A candidate's are the mean over the windows that it overlaps, by how much. Raises ValueError
    for a network that cannot be used.
    """
    check(network, kind)
    for file, numbers in numbers_by_file(asked).items():
        yield part_of(asked, file, numbers, windows_of(one, network, file, kind))


def check(network: Checkpoint, kind: str) -> None:
    """Raise ValueError for a network that cannot be used, and for another kind of suggestions."""
    if kind not in (OWN_LABELS, ITS_CLASSES):
        raise ValueError(f"There are no suggestions from “{kind[:40]}”: choose labels or classes.")
    if network.unavailable_reason:
        raise ValueError(network.unavailable_reason)


def numbers_by_file(asked: Sequence[Candidate]) -> dict[str, list[int]]:
    """The candidates of each file, by their numbers."""
    found: dict[str, list[int]] = {}
    for number, candidate in enumerate(asked):
        found.setdefault(candidate.file, []).append(number)
    return found


def part_of(
    asked: Sequence[Candidate], file: str, numbers: list[int], windows: Windows | str
) -> Part:
    """The mean of a file's windows for each of its candidates; a sentence where there are none."""
    if isinstance(windows, str):
        return Part(file, numbers, np.zeros((len(numbers), 0), np.float32), windows)
    starts_s, ends_s, values = windows
    weights = np.stack([tasks.shares(asked[n], starts_s, ends_s) for n in numbers])
    return Part(file, numbers, (weights @ values).astype(np.float32))


def windows_of(one: LabelledSet, network: Checkpoint, file: str, kind: str) -> Windows | str:
    """What is made of a file's windows, or a sentence that says why nothing can be."""
    try:
        path = one.path_of(file)
        if kind == OWN_LABELS:
            return Windows(*file_embeddings(network, path))
        heard = predict_file(path, network)
    except ValueError as error:
        return str(error)
    return Windows(heard.starts_s, heard.ends_s, heard.probabilities)


def fitting(network: Checkpoint, classes: Sequence[str]) -> list[str]:
    """The network's classes that a set has too, as the network calls them; all where none fit."""
    wanted = {name.casefold().replace("_", " ") for name in classes}
    found = [name for name in network.classes if name.casefold().replace("_", " ") in wanted]
    return found or list(network.classes)
