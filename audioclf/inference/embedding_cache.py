"""Embeddings of files, computed once: cached on disk by the file's content and the model.

The folder is `embeddings/` in the cache (see `feature_cache`); it may be deleted at any time.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from audioclf.inference.predict import Embeddings, embed_file
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths
from audioclf.storage.atomic import atomic_file


def all_embeddings(model: Checkpoint, paths: Iterable[Path]) -> Iterator[Embeddings]:
    """The embeddings of every file, in order. Raises ValueError (AudioError)."""
    for path in paths:
        yield file_embeddings(model, path)


def file_embeddings(model: Checkpoint, path: Path) -> Embeddings:
    """The embeddings of a file's windows, (windows, d), from the cache where they are there."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else "none"
    backbone = model.backbone or model
    source = f"{backbone.weights_sha256}{backbone.frontend.key()}"
    folder = paths.cache_dir() / "embeddings" / hashlib.sha256(source.encode()).hexdigest()[:16]
    cached = folder / f"{content}.npz"
    if cached.is_file():
        with np.load(cached) as arrays:
            return Embeddings(*(arrays[name] for name in Embeddings._fields))
    embeddings = embed_file(path, model)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(cached) as part, part.open("wb") as file:
        np.savez(file, **embeddings._asdict())
    return embeddings
