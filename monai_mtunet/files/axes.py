"""The axes of a stored array, and the package's: (C, H, W) of images, (C, X, Y, Z) of volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "StoredAxes", "whole_box"]

Box = tuple[slice, ...]
"""One slice per spatial axis, without steps."""

CHANNELS = "cs"  # channels, and TIFF's samples of a pixel
SINGLE = "-"  # an axis of length 1 that means nothing


@dataclass(frozen=True)
class StoredAxes:
    """How the axes of a stored array become the package's, and back.

    Args:
        names: a letter per stored axis: "x", "y", "z", "c" or "s" for channels; any other is an axis of length 1.
        shape: of the stored array.
        spatial: "yx" of images as they are displayed, "xyz" of volumes.

    Raises:
        ValueError: When a spatial axis is missing, twice there, or another one is longer than 1.

    Example:
        >>> axes = StoredAxes("zyx", (20, 512, 256), "xyz")
        >>> axes.package_shape
        (1, 256, 512, 20)
    """

    names: str
    shape: tuple[int, ...]
    spatial: str

    def __post_init__(self) -> None:
        kept = [name for name in self.names if self._is_kept(name)]
        channels = [name for name in kept if name in CHANNELS]
        if len(self.names) != len(self.shape) or sorted(set(kept) - set(channels)) != sorted(self.spatial):
            raise ValueError(f"Axes {self.names!r} of shape {self.shape} hold no image with axes {self.spatial!r}.")
        if len(channels) > 1 or len(kept) != len(set(kept)):
            raise ValueError(f"Axes {self.names!r} of shape {self.shape} are not told apart.")
        for name, size in zip(self.names, self.shape, strict=True):
            if size > 1 and not self._is_kept(name):
                raise ValueError(f"Axes {self.names!r} of shape {self.shape}: {name!r} is no axis of an image.")

    def _is_kept(self, name: str) -> bool:
        return name in CHANNELS or name in self.spatial

    @property
    def channels(self) -> int:
        """How many there are, 1 where no axis holds them."""
        return next((size for name, size in zip(self.names, self.shape, strict=True) if name in CHANNELS), 1)

    @property
    def package_shape(self) -> tuple[int, ...]:
        """``(C, *spatial)``."""
        return (self.channels, *(self.shape[self.names.index(name)] for name in self.spatial))

    def index(self, box: Box) -> tuple[slice | int, ...]:
        """What to read of the stored array for a box, all channels of it."""
        index: list[slice | int] = []
        for name in self.names:
            spatial = box[self.spatial.index(name)] if name in self.spatial else slice(None)
            index.append(spatial if self._is_kept(name) else 0)
        return tuple(index)

    def to_package(self, values: NDArray[Any]) -> NDArray[Any]:
        """A view ``(C, *spatial)`` of what `index` selected."""
        kept = [name if name in self.spatial else "c" for name in self.names if self._is_kept(name)]
        if "c" not in kept:
            values, kept = values[None], ["c", *kept]
        view: NDArray[Any] = values.transpose([kept.index(name) for name in ("c", *self.spatial)])
        return view

    def to_stored(self, values: NDArray[Any]) -> NDArray[Any]:
        """The way back: a view, with the axes that `index` selects."""
        order = ["c", *self.spatial]
        kept = [name if name in self.spatial else "c" for name in self.names if self._is_kept(name)]
        if "c" not in kept:
            values, order = values[0], list(self.spatial)
        view: NDArray[Any] = values.transpose([order.index(name) for name in kept])
        return view


def whole_box(box: Sequence[slice] | None, size: Sequence[int]) -> Box:
    """A box with starts and ends, all of the image by default.

    Raises:
        ValueError: When it has not one slice per spatial axis, has steps, or is not inside of the image.
    """
    if box is None:
        return tuple(slice(0, length) for length in size)
    if len(box) != len(size):
        raise ValueError(f"Box {box} needs one slice for each of the {len(size)} spatial axes of {tuple(size)}.")
    result = []
    for part, length in zip(box, size, strict=True):
        start = 0 if part.start is None else int(part.start)
        stop = length if part.stop is None else int(part.stop)
        if part.step not in (None, 1) or not 0 <= start <= stop <= length:
            raise ValueError(f"Box {tuple(box)} is not inside of an image of {tuple(size)}, or has steps.")
        result.append(slice(start, stop))
    return tuple(result)


def native(values: NDArray[Any]) -> NDArray[Any]:
    """Values in this machine's byte order, in memory of their own."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
