"""What the distances of label maps share: unit, spacing, truncation, missing voxels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from .make_target import MakeTarget

__all__ = ["LabelDistance", "distance_to"]

Spacing = tuple[float, ...]


class LabelDistance(MakeTarget):
    """Base of what measures how far voxels of a label map are from others.

    Distances ``(C, *spatial)``, float32, are Euclidean, exact, and between the centers of voxels.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers.
        new_keys: where to put the distances, one per key.
        unit: "voxel", counted along the axes whatever their spacing, or that of the spacing, "mm" or "um": affines have
            none, and nothing is converted.
        spacing: size of a voxel in this unit, one number or one per axis; by default that of the affine.
        truncate: distances beyond it become ``truncate``. ``None`` for no limit.
        ignore_index: the label of voxels that have none.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the unit is another, a spacing is given for voxels, or a number is not positive; of a sample,
            when there is not one channel, or distances in mm are asked of a tensor without an affine.
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        unit: str,
        spacing: float | Sequence[float] | None,
        truncate: float | None,
        ignore_index: int,
        allow_missing_keys: bool,
    ) -> None:
        super().__init__(keys, new_keys, allow_missing_keys)
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

    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The distances of a label map."""
        if len(source) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(source.shape)}.")
        distances = self.measure(torch.as_tensor(source)[0].cpu().numpy(), self._spacing(source))
        distances[~np.isfinite(distances)] = np.nan  # no boundary
        result: torch.Tensor = convert_to_dst_type(distances, dst=source, dtype=torch.float32)[0]
        return result

    def truncated(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distances limited to ``truncate``, of either sign."""
        return distances if self.truncate is None else distances.clip(-self.truncate, self.truncate)

    def _spacing(self, labels: torch.Tensor) -> Spacing:
        dims = labels.ndim - 1
        if self.unit == "voxel":
            return (1.0,) * dims
        if self.spacing is not None:
            given: Spacing = ensure_tuple_rep(self.spacing, dims)
            return given
        if not isinstance(labels, MetaTensor):
            raise ValueError(
                f"Distances in {self.unit} need the size of a voxel: give spacing, or a label map with an affine."
            )
        return tuple(torch.as_tensor(labels.pixdim).tolist())


def distance_to(others: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
    """Distance of every voxel to the nearest of others; infinite where there are none, when scipy's is arbitrary."""
    if not others.any():
        return np.full(others.shape, np.inf)
    distance: NDArray[np.float64] = distance_transform_edt(~others, sampling=spacing)
    return distance
