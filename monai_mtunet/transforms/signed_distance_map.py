"""How far every voxel is from the boundary of what is labelled."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

__all__ = ["SignedDistanceMap", "SignedDistanceMapd"]


class SignedDistanceMap(Transform):
    """Euclidean distance from each voxel to the nearest on the other side of the boundary, positive inside.

    Distances are measured between the centres of voxels: the boundary lies between neighbours of +1 and -1 voxel, and
    no voxel is at 0. They are exact. Missing voxels have no distance, NaN, and are on neither side, so distances near
    them are to the nearest boundary that is known. So are those near the image's border, which is no boundary.

    Where one of the sides is empty there is no distance: all voxels are ``truncate`` (or -``truncate``) away if
    that is given, and NaN otherwise.

    Two transforms of scipy make it, one per side. (SimpleITK's Maurer filter, needed twice as well, takes 0.6 to 0.9 of
    the time: too little gained for another dependency.) Place it before the cache, unless there is scaling or rotation
    in the augmentation, which invalidates distances: derive them after it.

    Args:
        labels: the labels that are inside, one channel each; of a list of labels any is inside. By default one channel,
            inside of every label but 0.
        unit: "voxel", counted along the axes whatever their spacing, or "mm".
        spacing: size of a voxel in mm, one number or one per axis; by default that of the affine.
        truncate: distances beyond it become ``truncate``, or its negative. ``None`` for no limit.
        ignore_index: the label of voxels that have none.

    Raises:
        ValueError: When the unit is another, a spacing is given for voxels, or a number is not positive.

    Example:
        >>> SignedDistanceMap()(torch.tensor([[[0, 0, 1, 1, 1, 255]]]))
        tensor([[[-2., -1.,  1.,  2.,  3., nan]]])
    """

    def __init__(
        self,
        labels: Sequence[int | Sequence[int]] | None = None,
        unit: str = "voxel",
        spacing: float | Sequence[float] | None = None,
        truncate: float | None = None,
        ignore_index: int = 255,
    ) -> None:
        if unit not in ("voxel", "mm"):
            raise ValueError(f'unit must be "voxel" or "mm", got {unit!r}.')
        if spacing is not None and unit == "voxel":
            raise ValueError(
                f'spacing {spacing} has no effect on distances in voxels: leave it out, or take unit="mm".'
            )
        if spacing is not None and not np.all(np.asarray(spacing) > 0):
            raise ValueError(f"spacing must be positive, got {spacing}.")
        if truncate is not None and not truncate > 0:
            raise ValueError(f"truncate must be positive, got {truncate}.")
        self.labels = labels
        self.unit = unit
        self.spacing = spacing
        self.truncate = truncate
        self.ignore_index = ignore_index

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
        values = torch.as_tensor(img)[0].cpu().numpy()
        known = values != self.ignore_index
        insides = [values != 0] if self.labels is None else [np.isin(values, chosen) for chosen in self.labels]
        spacing = self._spacing(img)
        distances = np.stack([_signed_distance(inside & known, known & ~inside, spacing) for inside in insides])
        if self.truncate is not None:
            distances = distances.clip(-self.truncate, self.truncate)
        distances[~np.isfinite(distances)] = np.nan  # no boundary
        result: torch.Tensor = convert_to_dst_type(distances, dst=img, dtype=torch.float32)[0]
        return result

    def _spacing(self, img: torch.Tensor) -> tuple[float, ...]:
        dims = img.ndim - 1
        if self.unit == "voxel":
            return (1.0,) * dims
        if self.spacing is not None:
            given: tuple[float, ...] = ensure_tuple_rep(self.spacing, dims)
            return given
        if not isinstance(img, MetaTensor):
            raise ValueError("Distances in mm need the size of a voxel: give spacing, or a label map with an affine.")
        return tuple(torch.as_tensor(img.pixdim).tolist())


class SignedDistanceMapd(MapTransform):
    """Dictionary-based version of `SignedDistanceMap`: the target of a `DistanceTask` from that of a segmentation.

    Args:
        keys: keys of the label maps.
        new_keys: where to put the distances, one per key: the name of the task.
        labels: see `SignedDistanceMap`.
        unit: see `SignedDistanceMap`.
        spacing: see `SignedDistanceMap`.
        truncate: see `SignedDistanceMap`.
        ignore_index: see `SignedDistanceMap`.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> derive = SignedDistanceMapd("segment", "distance", unit="mm", truncate=10)
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int | Sequence[int]] | None = None,
        unit: str = "voxel",
        spacing: float | Sequence[float] | None = None,
        truncate: float | None = None,
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = ensure_tuple_rep(new_keys, len(self.keys))
        self.measure = SignedDistanceMap(labels, unit, spacing, truncate, ignore_index)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the distances to a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            sample[new_key] = self.measure(sample[key])
        return sample


def _signed_distance(
    inside: NDArray[np.bool_], outside: NDArray[np.bool_], spacing: tuple[float, ...]
) -> NDArray[np.float64]:
    """Distances of both sides, infinite without the other side; NaN of what is on neither."""
    distance = np.full(inside.shape, np.nan)
    for side, other, sign in ((inside, outside, 1), (outside, inside, -1)):
        # Without any voxel to measure to, scipy's result is arbitrary.
        distance[side] = sign * distance_transform_edt(~other, sampling=spacing)[side] if other.any() else sign * np.inf
    return distance
