"""Several files that are the channels of one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .axes import StoredAxes
from .image import Image, UnsuitableImageError

__all__ = ["together"]


def together(images: Sequence[Image]) -> Image:
    """One image of several, whose channels follow each other.

    Args:
        images: of one size; the first says the rest.

    Raises:
        UnsuitableImageError: When they differ in size.
    """
    first = images[0]
    for other in images[1:]:
        if other.shape[1:] != first.shape[1:]:
            raise UnsuitableImageError(
                f"{first.path} and {other.path} differ in size, {first.shape[1:]} and {other.shape[1:]}. Files that "
                "are given together are the channels of one image: resample one of them to the other's grid."
            )
    shape = (sum(image.shape[0] for image in images), *first.shape[1:])
    axes = StoredAxes("c" + first.axes.spatial, shape, first.axes.spatial)
    reason = next((f"{image.path.name}: {image.reason}" for image in images if image.reason), "")
    header = replace(first.header, dtype=np.result_type(*(image.dtype for image in images)).name)
    return Image(first.path, header, axes, _ChannelValues(images).open, reason)


class _ChannelValues:
    """Reads one box of all."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images

    def open(self) -> _ChannelValues:
        return self

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        return np.concatenate([image.read(index[1:]) for image in self.images])
