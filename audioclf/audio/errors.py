"""What is wrong with a sound, in one sentence with what to do about it."""


class AudioError(ValueError):
    """A sound that cannot be used, said in one sentence with what to do about it."""


def truncated(name: str, duration_s: float) -> AudioError:
    """The error of a file that ends, or breaks, before its header says so."""
    return AudioError(
        f"“{name}” is cut off or damaged after {duration_s:.1f} s: copy or export it again."
    )
