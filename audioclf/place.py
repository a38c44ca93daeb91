"""Where what can be made again is kept, and where what people made."""

import os
from pathlib import Path


def home() -> Path:
    """The cache folder of audioclf: AUDIOCLF_CACHE, or in the user's cache folder."""
    named = os.environ.get("AUDIOCLF_CACHE")
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audioclf"


def data_home() -> Path:
    """The folder of what people made: AUDIOCLF_DATA, or in the user's data folder."""
    named = os.environ.get("AUDIOCLF_DATA")
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "audioclf"
