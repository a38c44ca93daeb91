"""An array on disk that grows along its first axis, for what does not fit into memory."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class GrowingArray:
    """A float32 `.npy` file, written part by part; it appears when all of it is there.

    NumPy leaves room in a file's header for the first axis to grow, so that the header can be
    written first with zero rows and again at the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: tuple[int, ...] = (0,)

    def __enter__(self) -> "GrowingArray":
        folder = self.path.resolve().parent
        self._file = tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False)
        return self

    def append(self, part: NDArray[np.float32]) -> None:
        """Write (n, ...) more rows, of the same shape as those before."""
        if self.shape == (0,):
            self.shape = (0, *part.shape[1:])
            self._write_header()
        self._file.write(np.ascontiguousarray(part, np.float32).tobytes())
        self.shape = (self.shape[0] + len(part), *self.shape[1:])

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self._file.seek(0)
            self._write_header()
        self._file.close()
        if kind is None:
            os.chmod(self._file.name, 0o666 & ~_umask())
            os.replace(self._file.name, self.path)
        else:
            os.unlink(self._file.name)

    def _write_header(self) -> None:
        description = {"descr": "<f4", "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self._file, description)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
