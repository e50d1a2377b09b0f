"""COCO's segmentations, polygons and run lengths, as masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

__all__ = ["coco_mask"]

Mask = NDArray[np.bool_]


def coco_mask(segmentation: Mapping[str, Any] | Sequence[Sequence[float]], height: int, width: int) -> Mask:
    """The pixels of a segmentation.

    Args:
        segmentation: as in COCO's JSON: polygons ``[[x1, y1, x2, y2, ...], ...]`` in pixels from the image's upper left
            corner, whose union is taken, or run lengths ``{"size": [height, width], "counts": ...}``, plain or
            compressed.
        height: of the image.
        width: of the image.

    Returns:
        (height, width). A pixel is in a polygon when its center is: pycocotools takes outlines a little differently.

    Raises:
        ValueError: When run lengths are those of another size, or a polygon has half a point.

    Example:
        >>> coco_mask({"size": [2, 2], "counts": [1, 2, 1]}, 2, 2).tolist()
        [[False, True], [True, False]]
    """
    if isinstance(segmentation, Mapping):
        counts = segmentation["counts"]
        lengths = _decompressed(counts) if isinstance(counts, str | bytes) else counts
        if sum(lengths) != height * width:
            raise ValueError(
                f"Run lengths of {sum(lengths)} pixels (size {segmentation.get('size')}) are not those of an image "
                f"of {height} x {width}."
            )
        inside = np.arange(len(lengths)) % 2 == 1  # the first run is outside
        mask: Mask = np.repeat(inside, lengths).reshape(width, height).T  # column after column
        return mask
    mask = np.zeros((height, width), dtype=np.bool_)
    for points in segmentation:
        if len(points) % 2:
            raise ValueError(f"A polygon has pairs of coordinates, got {len(points)} numbers.")
        # skimage counts from the center of the first pixel, and rows first.
        corners = np.reshape(np.asarray(points, dtype=np.float64), (-1, 2))[:, ::-1] - 0.5
        mask |= polygon2mask((height, width), corners)
    return mask


def _decompressed(text: str | bytes) -> list[int]:
    """Run lengths from COCO's compressed string: 5 bits per character, and from the fourth on differences."""
    lengths: list[int] = []
    value = shift = 0
    for character in text.encode() if isinstance(text, str) else text:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:  # the number goes on
            continue
        if bits & 0x10:  # its sign
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return lengths
