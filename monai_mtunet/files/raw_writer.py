"""Images whose values stand uncompressed behind a header, each box written at its place."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .axes import StoredAxes
from .raw_array import RawArray
from .region_writer import RegionWriter
from .replacing import beside, replacing

__all__ = ["RawWriter", "with_header"]

Finish = Callable[[RawArray, Path], None]
"""Makes the final content, under a name that is given, of a complete array."""


class RawWriter(RegionWriter):
    """Writes into a file that is laid out and reserved beforehand.

    Args:
        path: the final file.
        axes: the stored axes.
        dtype: of the values.
        lay_out: makes an empty file of the final size, and returns where the values start.
        order: of the stored array in the file.
        resume: whether to go on with the partial file of an earlier run, if there is one.
        finish: makes the final content of the partial one. Default: they are the same.

    Raises:
        ValueError: When the partial file to resume is of another image.
        OSError: When the disk is full.
    """

    def __init__(
        self,
        path: Path,
        axes: StoredAxes,
        dtype: np.dtype[Any],
        lay_out: Callable[[Path], int],
        order: Literal["C", "F"] = "C",
        resume: bool = False,
        finish: Finish | None = None,
    ) -> None:
        super().__init__(path, axes, dtype)
        self.finish = finish
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = beside(path)
        try:
            offset = lay_out(fresh)
            self.stored = RawArray(self.partial, dtype.str, axes.shape, offset, order)
            _place(fresh, self.stored, resume)
        finally:
            fresh.unlink(missing_ok=True)

    def _write(self, index: tuple[slice | int, ...], stored: NDArray[Any]) -> None:
        self.stored[index] = stored

    def flush(self) -> None:
        """Bring what is written to the disk."""
        with self.partial.open("rb+") as file:
            os.fsync(file.fileno())

    def _finish(self) -> None:
        if self.finish is None:
            os.replace(self.partial, self.path)
            return
        with replacing(self.path) as made:
            self.finish(self.stored, made)
        self.partial.unlink()

    def discard(self) -> None:
        """Remove what is written."""
        self.partial.unlink(missing_ok=True)


def _place(fresh: Path, stored: RawArray, resume: bool) -> None:
    """Reserve the file and give it its partial name, or compare it to the one that is there."""
    if resume and stored.path.exists():
        _check_same(fresh, stored)
        return
    with fresh.open("rb+") as file:
        if hasattr(os, "posix_fallocate"):
            # Writing to a map of a full disk kills the process, so the space is taken now.
            os.posix_fallocate(file.fileno(), 0, fresh.stat().st_size)
    if not resume:
        os.replace(fresh, stored.path)
        return
    try:
        os.link(fresh, stored.path)  # unlike renaming, it fails where another process was faster
    except FileExistsError:
        _check_same(fresh, stored)
    except OSError:  # no links on this file system
        os.replace(fresh, stored.path)


def _check_same(fresh: Path, stored: RawArray) -> None:
    start = stored.offset + prod(stored.shape) * np.dtype(stored.dtype).itemsize
    if fresh.stat().st_size == stored.path.stat().st_size:
        with fresh.open("rb") as one, stored.path.open("rb") as other:
            if one.read(stored.offset) == other.read(stored.offset):
                one.seek(start), other.seek(start)
                if one.read() == other.read():
                    return
    raise ValueError(f"{stored.path} is the unfinished file of another image, size or type: remove it to start anew.")


def with_header(content: bytes, nbytes: int) -> Callable[[Path], int]:
    """A layout: a header, and room for the values behind it."""

    def lay_out(path: Path) -> int:
        with path.open("wb") as file:
            file.write(content)
            file.truncate(len(content) + nbytes)
        return len(content)

    return lay_out


def gzipped(stored: RawArray, path: Path) -> None:
    """Finish: the same, compressed."""
    with (
        stored.path.open("rb") as source,
        path.open("wb") as target,
        # As nibabel compresses; without a name and a time, so that equal images are equal files.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=target, mtime=0) as compressed,
    ):
        shutil.copyfileobj(source, compressed, 1 << 20)
