"""Features of files, computed once: kept on disk under the file's content and the recipe.

The folder is `features/` in AUDIOCLF_CACHE, or in the user's cache folder; it may be deleted at
any time.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from audioclf.audio import io
from audioclf.features import windowing
from audioclf.features.config import FrontendConfig
from audioclf.features.windowing import Features
from audioclf.storage import paths
from audioclf.training.waveform_augmentation import Variants, variant


@dataclass(frozen=True)
class AllFeatures:
    """The features of every file in order, (frames, bins, channels) each, over the cores.

    First of the file as it is, then of each of its variants. A clip per core is faster than a
    matrix product over all of them.
    """

    recipe: FrontendConfig
    paths: Sequence[Path]
    variants: Variants = field(default_factory=partial(Variants, count=0))

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[tuple[Features, ...]]:
        with ThreadPoolExecutor() as pool, threadpool_limits(1, user_api="blas"):
            yield from pool.map(partial(_of_variants, self.recipe, self.variants), self.paths)


def _of_variants(recipe: FrontendConfig, settings: Variants, path: Path) -> tuple[Features, ...]:
    return tuple(
        file_features(recipe, path, settings, number) for number in range(settings.count + 1)
    )


def file_features(
    recipe: FrontendConfig, path: Path, variants: Variants | None = None, number: int = 0
) -> Features:
    """The features of one prepared file or variant of it, not normalised. Raises AudioError."""
    settings = variants or Variants(count=0)
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else "none"
    kept = paths.cache_dir() / "features" / recipe.key() / f"{content}{settings.key(number)}.npy"
    if kept.is_file():
        return np.load(kept)
    rate_hz = recipe.analysis.sample_rate_hz
    samples, _ = io.load(path, rate_hz)
    samples = variant(windowing.stripped(samples), rate_hz, settings, number) if number else samples
    features = windowing.clip_features(recipe, windowing.prepare(recipe, samples))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept.parent, suffix=".part", delete=False) as part:
        np.save(part, features)
    os.replace(part.name, kept)
    return features
