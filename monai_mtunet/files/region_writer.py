"""An image that is written region by region, and bears its name only when all is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import StoredAxes, whole_box
from .replacing import naming_written

__all__ = ["RegionWriter", "partial_path"]


def partial_path(path: Path) -> Path:
    """Where a file is written until it is complete."""
    return path.with_name(path.name + ".partial")


class RegionWriter(ABC):
    """Writes boxes in any order, into a file beside the final one.

    It pickles: several processes write into one image, boxes that do not overlap, and one of them closes it.

    Args:
        path: the final file or store.
        axes: the stored axes.
        dtype: of the file. Where it is an integer, other values are rounded and limited, and NaN becomes 0.

    Attributes:
        partial: what is written until `close`, ``<name>.partial``. Written boxes survive when the process is killed.
    """

    def __init__(self, path: Path, axes: StoredAxes, dtype: np.dtype[Any]) -> None:
        self.path = path
        self.axes = axes
        self.dtype = dtype
        self.partial = partial_path(path)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(C, *spatial)``."""
        return self.axes.package_shape

    def write(self, box: Sequence[slice] | None, values: Any) -> None:
        """Write one box.

        Args:
            box: one slice per spatial axis; None for the whole image.
            values: ``(C, *box)``.

        Raises:
            ValueError: When the box is not inside of the image, or the values have another shape.
            OSError: When the disk is full.
        """
        box = whole_box(box, self.shape[1:])
        values = np.asarray(values)
        expected = (self.shape[0], *(part.stop - part.start for part in box))
        if values.shape != expected:
            raise ValueError(f"{self.path}: box {box} takes values of shape {expected}, got {values.shape}.")
        with naming_written(self.path):
            self._write(self.axes.index(box), self.axes.to_stored(as_type(values, self.dtype)))

    @abstractmethod
    def _write(self, index: tuple[slice | int, ...], stored: NDArray[Any]) -> None:
        """Write into the stored array."""

    @abstractmethod
    def _finish(self) -> None:
        """Make the final file of the partial one."""

    @abstractmethod
    def flush(self) -> None:
        """Bring what is written to the disk, which outlives a failing machine; a failing process loses nothing."""

    def close(self) -> None:
        """Give the file its name."""
        self.flush()
        self._finish()

    @abstractmethod
    def discard(self) -> None:
        """Remove what is written."""

    def abort(self) -> None:
        """Stop, and leave what is written for a later run."""
        self.flush()

    def __enter__(self) -> RegionWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        if kind is None:
            self.close()  # else what is written stays, for a later run


def as_type(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values of a type, rounded and limited to it where it is an integer; NaN is 0 then."""
    if dtype.kind not in "iu" or values.dtype == dtype or values.dtype.kind == "b":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    if values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf))
        over = values >= float(limits.max)  # the largest int64 is no float64, and would wrap
        limited = np.where(over, 0, values.clip(float(limits.min), None)).astype(dtype)
        limited[over] = limits.max
        return limited
    return values.clip(limits.min, limits.max).astype(dtype)
