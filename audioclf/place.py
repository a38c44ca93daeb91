"""Where what can be made again is kept."""

import os
from pathlib import Path


def home() -> Path:
    """The cache folder of audioclf: AUDIOCLF_CACHE, or in the user's cache folder."""
    named = os.environ.get("AUDIOCLF_CACHE")
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audioclf"
