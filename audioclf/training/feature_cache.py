"""Features of files, computed once: kept on disk by the file's content and the front end.

The folder is `features/` in AUDIOCLF_CACHE, or in the user's cache folder; it may be deleted at
any time.
"""

import hashlib
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
from audioclf.storage.atomic import atomic_file
from audioclf.training.waveform_augmentation import WaveformAugmentation, augment_waveform


@dataclass(frozen=True)
class FileFeatures:
    """The features of every file in order, (frames, bins, channels) each, over the cores.

    First of the file itself, then of each of its augmented copies. A clip per core is faster than a
    matrix product over all of them.
    """

    frontend: FrontendConfig
    paths: Sequence[Path]
    augmentation: WaveformAugmentation = field(
        default_factory=partial(WaveformAugmentation, count=0)
    )

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[tuple[Features, ...]]:
        with ThreadPoolExecutor() as pool, threadpool_limits(1, user_api="blas"):
            yield from pool.map(partial(_of_copies, self.frontend, self.augmentation), self.paths)


def _of_copies(
    frontend: FrontendConfig, settings: WaveformAugmentation, path: Path
) -> tuple[Features, ...]:
    return tuple(
        load_or_compute(frontend, path, settings, number) for number in range(settings.count + 1)
    )


def load_or_compute(
    frontend: FrontendConfig,
    path: Path,
    augmentation: WaveformAugmentation | None = None,
    number: int = 0,
) -> Features:
    """The features of a preprocessed file or of an augmented copy, not normalised.

    Raises AudioError.
    """
    settings = augmentation or WaveformAugmentation(count=0)
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else "none"
    cached = (
        paths.cache_dir() / "features" / frontend.key() / f"{content}{settings.key(number)}.npy"
    )
    if cached.is_file():
        return np.load(cached)
    rate_hz = frontend.spectrogram.sample_rate_hz
    samples, _ = io.load(path, rate_hz)
    samples = (
        augment_waveform(windowing.stripped(samples), rate_hz, settings, number)
        if number
        else samples
    )
    features = windowing.clip_features(frontend, windowing.preprocess(frontend, samples))
    cached.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(cached) as part, part.open("wb") as file:
        np.save(file, features)
    return features
