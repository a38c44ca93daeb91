"""How many threads a computation gets, so that several at once do not stand in each other's way.

Features multiply small matrices, where the threads of a BLAS gain nothing alone and cost ten times
the time as soon as another process wants the cores: they wait for each other, spinning.
"""

import os
import sys
from pathlib import Path

# OpenBLAS, Intel's and Apple's libraries, and those that are built on OpenMP, in that order.
NAMES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # microseconds of computing, and in how many


def single_threaded_blas() -> None:
    """One thread for BLAS in this process and those that it starts; what a user has set stays.

    The earlier the better: what is loaded later reads the environment, what is loaded is told.
    """
    for name in NAMES:
        os.environ.setdefault(name, "1")
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(int(os.environ[NAMES[0]]), user_api="blas")


def keep_freed_memory() -> None:
    """Have glibc keep the memory that arrays give back, for programs that compute many features.

    It gives freed memory back once it is more than twice the largest block ever freed; arrays of a
    few hundred kilobytes then cost more in fresh pages than in arithmetic. One freed block near its
    upper limit of 32 MB, which is never touched, makes it keep them.
    """
    import numpy as np

    np.empty(31_000_000, np.uint8)


def n_cores() -> int:
    """The cores that this process may use, those of its container counted too."""
    has_affinity = hasattr(os, "sched_getaffinity")
    n_usable = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text().split()
        return max(1, min(n_usable, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or no limit ("max")
        return n_usable
