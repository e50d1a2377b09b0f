"""The values of a target's file, beside those of its image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from monai.utils import ensure_tuple
from numpy.typing import NDArray
from skimage.measure import block_reduce

from ...files import open_image
from ...files.image import Image
from .case import DataCase

__all__ = ["TargetValues", "read_some"]

_FILES = 6  # are looked into, spread over all
_MOST_VOXELS = 2**20  # of each: the middle of larger ones
_BLOCK = 4  # voxels: means over blocks have less noise
_COLORS = 3

Values = NDArray[Any]


class TargetValues:
    """What the middle of a target's file holds.

    Args:
        file: its path.
        values: (C, *spatial).
        image: the image's values at the same place, (C', *spatial); None where the image cannot be read or has another
            size.
    """

    def __init__(self, file: str, values: Values, image: Values | None) -> None:
        self.file = file
        self.values = values
        self.image = image
        self.channels, self.spatial_dims = len(values), values.ndim - 1
        self.fits_image = image is not None and len(image) == len(values)

    @property
    def is_rgb(self) -> bool:
        """Whether it is a picture in colors, of 8 bits."""
        return self.channels == _COLORS and self.values.dtype == np.uint8

    @cached_property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        if self.values.dtype.kind in "uib":
            return True
        return self.values.dtype.kind == "f" and bool((self.values == np.round(self.values)).all())

    @cached_property
    def distinct(self) -> frozenset[Any]:
        """The numbers, or colors, that occur; NaN is none."""
        values = self.values
        if self.is_rgb:  # one number per color, which is sorted fast
            values = values.astype(np.int32)
            values = (values[0] * 256 + values[1]) * 256 + values[2]
        return frozenset(np.unique(values[np.isfinite(values)]).tolist())

    def evenness(self) -> float:
        """The share of equal neighbors, where they are not both the most frequent number; 1 where there are none."""
        values = self.values[0]
        numbers, counts = np.unique(values, return_counts=True)
        background = numbers[counts.argmax()]
        equal = total = 0
        for axis in range(values.ndim):
            one, other = np.moveaxis(values, axis, 0)[1:], np.moveaxis(values, axis, 0)[:-1]
            objects = (one != background) | (other != background)
            equal, total = equal + int(((one == other) & objects).sum()), total + int(objects.sum())
        return equal / total if total else 1.0

    def correlation(self) -> float:
        """Of means over blocks with those of the image, channels together; 0 where one is constant."""
        assert self.image is not None
        mine, its = (_block_means(values) for values in (self.values, self.image))
        valid = np.isfinite(mine) & np.isfinite(its)
        mine, its = mine[valid], its[valid]
        if not len(mine) or not mine.std() or not its.std():
            return 0.0
        return float(np.corrcoef(mine, its)[0, 1])

    def deviation_from_unit_length(self) -> float:
        """How far vectors are from the length 1, in the mean over those that are finite and not zero."""
        lengths = np.linalg.norm(self.values.astype(np.float64), axis=0)
        vectors = lengths[np.isfinite(lengths) & (lengths > 0)]
        return float(np.abs(vectors - 1).mean()) if len(vectors) else np.inf


def read_some(name: str, cases: Sequence[DataCase]) -> list[TargetValues]:
    """Read the middle of some of a target's files, spread over all.

    Files that cannot be read are passed by, as others may tell as well; whoever reads all says what is wrong with them.

    Args:
        name: of the target.
        cases: of which some have it.

    Raises:
        OSError: When none can be read.
    """
    known = [case for case in cases if case.targets.get(name) is not None]
    chosen = np.unique(np.linspace(0, len(known) - 1, _FILES).round().astype(int))
    seen, errors = [], []
    for index in chosen:
        try:
            seen.append(_read(name, known[index]))
        except (OSError, ImportError) as error:
            errors.append(error)
    if not seen:
        raise errors[0]
    return seen


def _read(name: str, case: DataCase) -> TargetValues:
    files = [str(file) for file in ensure_tuple(case.targets[name])]
    target = open_image(files)
    values = _middle(target)
    try:
        image = open_image(case.images)
        return TargetValues(files[0], values, _middle(image) if image.shape[1:] == target.shape[1:] else None)
    except (OSError, ImportError):
        return TargetValues(files[0], values, None)


def _middle(image: Image) -> Values:
    size = image.shape[1:]
    part = min(1.0, (_MOST_VOXELS / prod(size)) ** (1 / len(size)))
    lengths = [max(1, int(length * part)) for length in size]
    starts = [(length - kept) // 2 for length, kept in zip(size, lengths, strict=True)]
    return image.read([slice(start, start + kept) for start, kept in zip(starts, lengths, strict=True)])


def _block_means(values: Values) -> Values:
    block = [max(1, min(_BLOCK, length // _BLOCK)) for length in values.shape[1:]]
    lengths = zip(values.shape[1:], block, strict=True)
    inside = (slice(None), *(slice(0, length // side * side) for length, side in lengths))  # no block is filled with 0
    means: Values = block_reduce(values[inside].astype(np.float64), (1, *block), np.mean)
    return means
