"""An array on disk that grows along its first axis, for what does not fit into memory."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from audioclf.storage.atomic import atomic_file


class GrowingArray:
    """A float32 `.npy` file, written part by part; it appears when all of it is there.

    NumPy leaves room in a file's header for the first axis to grow, so that the header can be
    written first with zero rows and again at the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: tuple[int, ...] = (0,)

    def __enter__(self) -> "GrowingArray":
        with ExitStack() as stack:
            part = stack.enter_context(atomic_file(self.path.resolve()))
            self._file = stack.enter_context(part.open("wb"))
            self._stack = stack.pop_all()
        return self

    def append(self, part: NDArray[np.float32]) -> None:
        """Write (n, ...) more rows, of the same shape as those before."""
        if self.shape == (0,):
            self.shape = (0, *part.shape[1:])
            self._write_header()
        self._file.write(np.ascontiguousarray(part, np.float32).tobytes())
        self.shape = (self.shape[0] + len(part), *self.shape[1:])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, traceback)
            return
        with self._stack:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        description = {"descr": "<f4", "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self._file, description)
