"""What a network hears in every candidate of a data set, file by file, so that it is followed."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf import candidates
from audioclf.candidates import Candidate
from audioclf.checkpoint import Checkpoint
from audioclf.embeddings import file_embeddings
from audioclf.labelled import LabelledSet
from audioclf.predict import predict_file

OWN_LABELS, ITS_CLASSES = "labels", "classes"  # what a network is listened to for


class Part(NamedTuple):
    """What was heard in the candidates of one file; `trouble` where it cannot be heard."""

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
    if kind not in (OWN_LABELS, ITS_CLASSES):
        raise ValueError(f"There are no suggestions from “{kind}”: choose labels or classes.")
    if network.trouble:
        raise ValueError(network.trouble)
    by_file: dict[str, list[int]] = {}
    for number, candidate in enumerate(asked):
        by_file.setdefault(candidate.file, []).append(number)
    for file, numbers in by_file.items():
        try:
            starts_s, ends_s, values = _windows(one, network, file, kind)
        except ValueError as error:
            yield Part(file, numbers, np.zeros((len(numbers), 0), np.float32), str(error))
            continue
        weights = np.stack([candidates.shares(asked[n], starts_s, ends_s) for n in numbers])
        yield Part(file, numbers, (weights @ values).astype(np.float32))


def _windows(
    one: LabelledSet, network: Checkpoint, file: str, kind: str
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.float32]]:
    """When a file's windows are, and what is heard in them, (windows, d)."""
    path = one.path_of(file)
    if kind == OWN_LABELS:
        return file_embeddings(network, path)
    heard = predict_file(path, network)
    return heard.starts_s, heard.ends_s, heard.probabilities


def fitting(network: Checkpoint, classes: Sequence[str]) -> list[str]:
    """The network's classes that a set has too, as the network calls them; all where none fit."""
    wanted = {name.casefold().replace("_", " ") for name in classes}
    found = [name for name in network.classes if name.casefold().replace("_", " ") in wanted]
    return found or list(network.classes)
