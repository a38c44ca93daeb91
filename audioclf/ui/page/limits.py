"""How much the page accepts: of one sound, of an upload and of a training.

On one's own machine that is anything; on a public page every handler checks it, since endpoints are
open to anyone.
"""

import os
from dataclasses import dataclass, replace

from audioclf.audio import io
from audioclf.datasets import uploads
from audioclf.datasets.zip_archive import ArchiveLimits
from audioclf.jobs.records import JobLimits
from audioclf.ui.page.mode import is_local


@dataclass(frozen=True)
class PageLimits:
    """The limits of a page."""

    sound: io.Limits = io.ANY  # of one audio file
    upload: uploads.Limits = uploads.Limits()  # of a data set for training
    training: JobLimits = JobLimits()

    @property
    def labelling(self) -> uploads.Limits:
        """The limits of a data set to label: it may hold whole recordings."""
        return replace(self.upload, sound=self.sound)


LOCAL = PageLimits()
HOSTED = PageLimits(
    sound=io.Limits(  # five minutes in stereo at 48 kHz pass
        max_duration_s=300,
        max_bytes=20_000_000,
        max_values=30_000_000,
        max_samples=15_000_000,
        max_rate_hz=192_000,
    ),
    upload=uploads.Limits(
        archive=ArchiveLimits(max_files=500, max_bytes=400_000_000),
        max_archive_bytes=100_000_000,
        max_clips=500,
        max_classes=20,
        max_seconds=2 * 3_600,
        max_bytes_of_all=4_000_000_000,
        sound=io.Limits(
            max_duration_s=120,
            max_bytes=20_000_000,
            max_values=30_000_000,
            max_samples=15_000_000,
            max_rate_hz=192_000,
        ),
    ),
    training=JobLimits(max_seconds=600, max_memory_mb=4_000, n_cores=1, is_one_each=True),
)


def limits() -> PageLimits:
    """The limits of this page; AUDIOCLF_TRAIN_MINUTES, _MB and _CORES set those of a training."""
    usual = LOCAL if is_local() else HOSTED
    minutes, mb, cores = (_configured(name) for name in ("MINUTES", "MB", "CORES"))
    training = replace(
        usual.training,
        max_seconds=60 * minutes if minutes else usual.training.max_seconds,
        max_memory_mb=mb or usual.training.max_memory_mb,
        n_cores=max(1, int(cores)) if cores else usual.training.n_cores,
    )
    return replace(usual, training=training)


def _configured(name: str) -> float | None:
    """A limit that whoever serves the page has set; None where it is no number above 0."""
    try:
        value = float(os.environ.get(f"AUDIOCLF_TRAIN_{name}", ""))
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
