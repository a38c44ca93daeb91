"""The page, as `python app.py` and as a Hugging Face Space start it."""

import argparse

from audioclf import threads


def main() -> None:
    """Read the arguments and serve the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", action="store_true", help="your own machine: no limits")
    parser.add_argument("--host", help="address to listen on; 127.0.0.1 unless on a Space")
    parser.add_argument("--port", type=int, help="port to listen on; 7860 or the next free one")
    arguments = parser.parse_args()
    threads.single_threaded_blas()
    threads.keep_freed_memory()
    from audioclf.ui.app import start  # with NumPy, whose BLAS reads how many threads it may have

    start(local=arguments.local, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
