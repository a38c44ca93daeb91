"""Embeddings of files, computed once: cached on disk by the file's content and the model.

An entry of the cache, see `storage.cache`: it may be deleted at any time.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from audioclf.inference.predict import Embeddings, embed_file
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import cache


def all_embeddings(model: Checkpoint, paths: Iterable[Path]) -> Iterator[Embeddings]:
    """The embeddings of every file, in order. Raises ValueError (AudioError)."""
    for path in paths:
        yield file_embeddings(model, path)


def file_embeddings(model: Checkpoint, path: Path) -> Embeddings:
    """The embeddings of a file's windows, (windows, d), from the cache where they are there."""
    backbone = model.load_backbone() or model
    source = f"{backbone.weights_sha256()}{backbone.frontend.key()}"
    name = f"{cache.content_key(path)}.npz"
    return cache.load_or_make(
        cache.entry(cache.EMBEDDINGS, cache.text_key(source)[:16], name),
        _load,
        lambda: embed_file(path, model),
        _save,
    )


def _load(path: Path) -> Embeddings:
    with np.load(path) as arrays:
        return Embeddings(*(arrays[name] for name in Embeddings._fields))


def _save(path: Path, embeddings: Embeddings) -> None:
    with path.open("wb") as file:
        np.savez(file, **embeddings._asdict())
