"""Features of files, computed once: kept on disk by the file's content and the front end.

An entry of the cache, see `storage.cache`: it may be deleted at any time.
"""

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
from audioclf.storage import cache
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
    name = f"{cache.content_key(path)}{settings.key(number)}.npy"
    return cache.load_or_make(
        cache.entry(cache.FEATURES, frontend.key(), name),
        np.load,
        lambda: _computed(frontend, path, settings, number),
        _save,
    )


def _computed(
    frontend: FrontendConfig, path: Path, settings: WaveformAugmentation, number: int
) -> Features:
    rate_hz = frontend.spectrogram.sample_rate_hz
    samples, _ = io.load(path, rate_hz)
    samples = (
        augment_waveform(windowing.stripped(samples), rate_hz, settings, number)
        if number
        else samples
    )
    return windowing.clip_features(frontend, windowing.preprocess(frontend, samples))


def _save(path: Path, features: Features) -> None:
    with path.open("wb") as file:
        np.save(file, features)
