"""What the distances of label maps share: unit, spacing, truncation, missing voxels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

__all__ = ["LabelDistance", "distance_to"]

Spacing = tuple[float, ...]


class LabelDistance(Transform):
    """Base of what measures how far voxels of a label map are from others.

    Distances are Euclidean, exact, and between the centers of voxels.

    Args:
        unit: "voxel", counted along the axes whatever their spacing, or that of the spacing, "mm" or "um": affines have
            none, and nothing is converted.
        spacing: size of a voxel in this unit, one number or one per axis; by default that of the affine.
        truncate: distances beyond it become ``truncate``. ``None`` for no limit.
        ignore_index: the label of voxels that have none.

    Raises:
        ValueError: When the unit is another, a spacing is given for voxels, or a number is not positive.
    """

    def __init__(
        self, unit: str, spacing: float | Sequence[float] | None, truncate: float | None, ignore_index: int
    ) -> None:
        if unit not in ("voxel", "mm", "um"):
            raise ValueError(f'unit must be "voxel", "mm" or "um", got {unit!r}.')
        if spacing is not None and unit == "voxel":
            raise ValueError(
                f'spacing {spacing} has no effect on distances in voxels: leave it out, or take unit="mm" or "um".'
            )
        if spacing is not None and not np.all(np.asarray(spacing) > 0):
            raise ValueError(f"spacing must be positive, got {spacing}.")
        if truncate is not None and not truncate > 0:
            raise ValueError(f"truncate must be positive, got {truncate}.")
        self.unit = unit
        self.spacing = spacing
        self.truncate = truncate
        self.ignore_index = ignore_index

    @abstractmethod
    def measure(self, labels: NDArray[np.generic], spacing: Spacing) -> NDArray[np.float64]:
        """Distances (C, *spatial) of labels (*spatial): infinite where there is nothing to measure to, NaN if missing.

        They are truncated afterwards; what is infinite then becomes NaN.
        """

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Measure a label map.

        Args:
            img: ``(1, *spatial)``, integers.

        Returns:
            ``(C, *spatial)``, float32, with the affine of the label map.

        Raises:
            ValueError: When there is not one channel, or distances in mm are asked of a tensor without an affine.
        """
        if len(img) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(img.shape)}.")
        distances = self.measure(torch.as_tensor(img)[0].cpu().numpy(), self._spacing(img))
        distances[~np.isfinite(distances)] = np.nan  # no boundary
        result: torch.Tensor = convert_to_dst_type(distances, dst=img, dtype=torch.float32)[0]
        return result

    def truncated(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distances limited to ``truncate``, of either sign."""
        return distances if self.truncate is None else distances.clip(-self.truncate, self.truncate)

    def _spacing(self, img: torch.Tensor) -> Spacing:
        dims = img.ndim - 1
        if self.unit == "voxel":
            return (1.0,) * dims
        if self.spacing is not None:
            given: Spacing = ensure_tuple_rep(self.spacing, dims)
            return given
        if not isinstance(img, MetaTensor):
            raise ValueError(
                f"Distances in {self.unit} need the size of a voxel: give spacing, or a label map with an affine."
            )
        return tuple(torch.as_tensor(img.pixdim).tolist())


def distance_to(others: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
    """Distance of every voxel to the nearest of others; infinite where there are none, when scipy's is arbitrary."""
    if not others.any():
        return np.full(others.shape, np.inf)
    distance: NDArray[np.float64] = distance_transform_edt(~others, sampling=spacing)
    return distance
