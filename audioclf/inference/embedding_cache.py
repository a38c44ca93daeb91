"""Embeddings of files, computed once: kept on disk under the file's content and the network.

The folder is `embeddings/` in the cache (see `feature_cache`); it may be deleted at any time.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from audioclf.inference.predict import Embeddings, embed_file
from audioclf.models.checkpoint import Checkpoint
from audioclf.storage import paths


def all_embeddings(network: Checkpoint, paths: Iterable[Path]) -> Iterator[Embeddings]:
    """What the network makes of every file's windows, in order. Raises ValueError (AudioError)."""
    for path in paths:
        yield file_embeddings(network, path)


def file_embeddings(network: Checkpoint, path: Path) -> Embeddings:
    """What the network makes of a file's windows before its head, (windows, d)."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else "none"
    ears = network.backbone or network
    about = hashlib.sha256(f"{ears.weights_sha256}{ears.recipe.key()}".encode()).hexdigest()[:16]
    kept = paths.cache_dir() / "embeddings" / about / f"{content}.npz"
    if kept.is_file():
        with np.load(kept) as arrays:
            return Embeddings(*(arrays[name] for name in Embeddings._fields))
    found = embed_file(path, network)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept.parent, suffix=".part", delete=False) as part:
        np.savez(part, **found._asdict())
    os.replace(part.name, kept)
    return found
