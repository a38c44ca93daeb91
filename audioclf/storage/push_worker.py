"""A process that puts a folder on the Hub, so that it can be ended where that takes too long.

`python -m audioclf.storage.push_worker`: a JSON object with the arguments of `hf_hub.push` on
standard input, which no other process of the machine can read; one with `url` or `error` on
standard output.
"""

import json
import sys
from pathlib import Path

from audioclf.storage import hf_hub


def main() -> int:
    """Push what is asked for, in one commit: all of it is there afterwards, or nothing."""
    args = json.load(sys.stdin)
    try:
        url = hf_hub.push(
            Path(args["folder"]), args["repo"], args["token"], private=args["private"],
            kind="dataset",
        )  # fmt: skip
    except ValueError as error:
        print(json.dumps({"error": str(error)}))
    else:
        print(json.dumps({"url": url}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
