"""Values that stand in a file one after another, mapped only while they are read or written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["RawArray"]


@dataclass(frozen=True)
class RawArray:
    """An uncompressed array in a file.

    A lasting map would count every page that was ever touched as memory of this process.

    Args:
        path: of the file.
        dtype: of the values, with their byte order.
        shape: of the array.
        offset: of the first value, in bytes.
        order: "C" where the last axis is the fastest, "F" where the first is.
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int
    order: Literal["C", "F"]

    def open(self) -> RawArray:
        """Itself: it is open only while it is indexed."""
        return self

    def __getitem__(self, index: Any) -> NDArray[Any]:
        mapped = np.memmap(self.path, self.dtype, "r", self.offset, self.shape, self.order)
        return np.array(mapped[index])

    def __setitem__(self, index: Any, values: NDArray[Any]) -> None:
        mapped = np.memmap(self.path, self.dtype, "r+", self.offset, self.shape, self.order)
        mapped[index] = values
