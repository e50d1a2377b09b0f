"""How far every voxel is from the boundary of what is labeled, on both sides of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.config import KeysCollection
from numpy.typing import NDArray

from .label_distance import LabelDistance, Spacing, distance_to

__all__ = ["SignedDistanceMapd"]


class SignedDistanceMapd(LabelDistance):
    """Euclidean distance from each voxel to the nearest on the other side of the boundary, positive inside.

    It is the target of a `DistanceTask` from that of a segmentation.

    Distances are measured between the centers of voxels: the boundary lies between neighbors of +1 and -1 voxel, and
    no voxel is at 0. They are exact. Missing voxels have no distance, NaN, and are on neither side, so distances near
    them are to the nearest boundary that is known. So are those near the image's border, which is no boundary.

    Where one of the sides is empty there is no distance: all voxels are ``truncate`` (or -``truncate``) away if
    that is given, and NaN otherwise.

    Two transforms of scipy make it, one per side. Place it before the cache, unless there is scaling or rotation
    in the augmentation, which invalidates distances: make them after it. `DistanceMapd` is its unsigned sister.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers. They stay.
        new_keys: where to put the distances ``(C, *spatial)``, float32, one per key: the name of the task.
        labels: the labels that are inside, one channel each; of a list of labels any is inside. By default one channel,
            inside of every label but 0.
        unit: "voxel", counted along the axes whatever their spacing, or that of the spacing, "mm" or "um".
        spacing: size of a voxel in the unit, one number or one per axis; by default that of the affine.
        truncate: distances beyond it become ``truncate``, or its negative. ``None`` for no limit.
        ignore_index: the label of voxels that have none.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the unit is another, a spacing is given for voxels, or a number is not positive; of a sample,
            when there is not one channel, or distances in mm are asked of a tensor without an affine.

    Example:
        >>> sample = {"segment": torch.tensor([[[0, 0, 1, 1, 1, 255]]])}
        >>> SignedDistanceMapd("segment", "distance")(sample)["distance"]
        tensor([[[-2., -1.,  1.,  2.,  3., nan]]])
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
        super().__init__(keys, new_keys, unit, spacing, truncate, ignore_index, allow_missing_keys)
        self.labels = labels

    def measure(self, labels: NDArray[np.generic], spacing: Spacing) -> NDArray[np.float64]:
        """See :meth:`LabelDistance.measure`."""
        known = labels != self.ignore_index
        insides = [labels != 0] if self.labels is None else [np.isin(labels, chosen) for chosen in self.labels]
        return self.truncated(
            np.stack([_signed_distance(inside & known, known & ~inside, spacing) for inside in insides])
        )


def _signed_distance(inside: NDArray[np.bool_], outside: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
    """Distances of both sides, infinite without the other side; NaN of what is on neither."""
    distance = np.full(inside.shape, np.nan)
    for side, other, sign in ((inside, outside, 1), (outside, inside, -1)):
        distance[side] = sign * distance_to(other, spacing)[side]
    return distance
