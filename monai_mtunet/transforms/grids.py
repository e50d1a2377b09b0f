"""Where voxels lie: whether a target's are the image's, or how they differ."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import product
from typing import Any, TypeGuard

import numpy as np
import torch
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from monai.utils import MetaKeys
from numpy.typing import NDArray

from .sample_description import describe

__all__ = ["check_same_grid", "directions", "has_grid", "same_grid"]

_TOLERANCE = 0.1  # voxels; programs round headers differently, by far less


def has_grid(values: Any) -> TypeGuard[MetaTensor]:
    """Whether values come from a file that says where its voxels lie: NIfTI does, arrays and pictures do not."""
    return isinstance(values, MetaTensor) and MetaKeys.ORIGINAL_AFFINE in values.meta and values.ndim in (3, 4)


def same_grid(image: MetaTensor, target: MetaTensor) -> bool:
    """Whether both have the same voxels: as many, within 0.1 voxels of each other."""
    return image.shape[1:] == target.shape[1:] and _voxels_apart(image, target) <= _TOLERANCE


def _voxels_apart(image: MetaTensor, target: MetaTensor) -> float:
    """How far the corners of an image's grid are from those of a target's, in voxels along the image's axes."""
    ends = [(0, size - 1) for size in image.shape[1:]]
    corners = np.array([[*corner, *[0] * (3 - len(ends)), 1] for corner in product(*ends)], dtype=float)
    from_image, from_target = _affine(image), _affine(target)
    if not (np.isfinite(from_image).all() and np.isfinite(from_target).all()):
        return float("nan")
    shifts = np.linalg.pinv(from_image[:3, :3]) @ ((from_target - from_image) @ corners.T)[:3]
    return float(np.abs(shifts).max())


def check_same_grid(image_key: Hashable, image: torch.Tensor, key: Hashable, target: torch.Tensor, remedy: str) -> None:
    """Check that voxels of one index lie in one place, where both files say where that is.

    Args:
        image_key: the image's key, for the message.
        image: ``(C, *spatial)``.
        key: the target's key, for the message.
        target: ``(C, *spatial)``.
        remedy: what to do about it.

    Raises:
        ValueError: When corners are more than 0.1 voxels apart; it names both files, and how they differ.
    """
    if not (has_grid(image) and has_grid(target)):
        return
    apart = _voxels_apart(image, target)
    if not apart <= _TOLERANCE:  # NaN neither
        raise ValueError(
            f"{describe(image_key, image)} and {describe(key, target)} do not lie in the same place: "
            f"{_difference(image, target)}. Their corners are up to {apart:.4g} voxels apart. {remedy}"
        )


def directions(values: MetaTensor) -> NDArray[np.float64]:
    """(3, 3), the unit vectors of the spatial axes, as columns."""
    axes = _affine(values)[:3, :3]
    unit: NDArray[np.float64] = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    return unit


def _affine(values: MetaTensor) -> NDArray[np.float64]:
    affine: NDArray[np.float64] = to_affine_nd(3, np.asarray(values.affine, dtype=np.float64))
    return affine


def _difference(image: MetaTensor, target: MetaTensor) -> str:
    """Voxel sizes, axes and origins, those that differ: the image's first."""
    dims = image.ndim - 1
    ours, theirs = _affine(image), _affine(target)
    parts = []
    sizes = [np.linalg.norm(affine[:3, :dims], axis=0) for affine in (ours, theirs)]
    if not np.allclose(sizes[0], sizes[1], rtol=1e-3):
        parts.append(f"voxels of {_times(sizes[0])} and {_times(sizes[1])} mm")
    cosines = (directions(image) * directions(target)).sum(axis=0)[:dims]
    parts += [f"axis {axis} is flipped" for axis in np.flatnonzero(cosines < -0.99)]
    turned = [axis for axis in range(dims) if not abs(cosines[axis]) > 0.99999 and cosines[axis] >= -0.99]
    if turned:
        angles = np.degrees(np.arccos(np.clip(cosines[turned], -1, 1)))
        parts.append(f"axes {turned} are turned by up to {angles.max():.4g} degrees")
    if not np.allclose(ours[:3, 3], theirs[:3, 3], atol=1e-3):
        parts.append(f"origins at ({_list(ours[:3, 3])}) and ({_list(theirs[:3, 3])}) mm")
    return "; ".join(parts) or "their affines differ"


def _times(values: NDArray[np.float64]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)


def _list(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.6g}" for value in values + 0.0)
