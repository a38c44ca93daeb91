"""Whether the page is a person's own, or one that anybody may visit."""

import os


def is_local() -> bool:
    """Whether a person runs the app on their own machine; a Space is never local."""
    return bool(os.environ.get("AUDIOCLF_LOCAL")) and not os.environ.get("SPACE_ID")
