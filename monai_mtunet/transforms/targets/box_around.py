"""The box around what is inside of it."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms.utils import generate_spatial_bounding_box
from numpy.typing import NDArray

__all__ = ["box_around", "check_box_unit"]

_UNITS = ("normalized", "voxel")


def check_box_unit(unit: str) -> None:
    """Check that boxes are in parts of the image's size, or in voxels.

    Raises:
        ValueError: When the unit is another.
    """
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {list(_UNITS)}, got {unit!r}.")


def box_around(inside: NDArray[np.bool_], unit: str) -> torch.Tensor:
    """The box around the voxels that are inside.

    Args:
        inside: ``(1, *spatial)``.
        unit: "normalized", in parts of the size, or "voxel".

    Returns:
        ``(2 D,)``, float32: where the box starts along each spatial axis, then where it stops along each (the next
        voxel's start). NaN where nothing is inside, be it that the box was missing or that a crop left it out.

    Raises:
        ValueError: When there is not one channel.
    """
    if len(inside) != 1:
        raise ValueError(f"A mask has one channel, with labels; got shape {inside.shape}.")
    starts, stops = generate_spatial_bounding_box(inside)
    box = torch.tensor([*starts, *stops], dtype=torch.float32)
    if not all(start < stop for start, stop in zip(starts, stops, strict=True)):
        return torch.full_like(box, torch.nan)
    return box if unit == "voxel" else box / torch.tensor(inside.shape[1:]).repeat(2)
