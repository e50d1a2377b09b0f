"""Flips that turn vectors as well."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.transforms import RandFlipd
from monai.utils import TraceKeys, ensure_tuple

from ..declared_tasks import DeclaredTasks

__all__ = ["RandFlipGeometryd"]


class RandFlipGeometryd(RandFlipd):
    """MONAI's ``RandFlipd`` for samples with vectors, such as surface normals: a flipped axis negates its component.

    The components are (x, y, z). In images ``(C, H, W)``, x is along spatial axis 1 and y along spatial axis 0; in
    volumes ``(C, X, Y, Z)``, x, y and z are along spatial axes 0, 1 and 2. So ``spatial_axis=1``, the left-right flip
    of images, negates x. Missing (NaN) stays missing.

    Args:
        tasks: the declared tasks. All targets in space are flipped; directions are vectors ``(D, *spatial)``, where D
            is 2 or 3 of images, and 3 of volumes.
        prob: probability of flipping.
        spatial_axis: spatial axes to flip; ``None``, the default, for all.
        image_key: key of the image.
        allow_missing_keys: don't raise exception if key is missing.
        lazy: as in MONAI.

    Example:
        >>> flip = RandFlipGeometryd(TaskList([DepthTask("depth"), NormalsTask("normals")]), prob=0.5, spatial_axis=1)
    """

    def __init__(
        self,
        tasks: DeclaredTasks,
        prob: float = 0.1,
        spatial_axis: Sequence[int] | int | None = None,
        image_key: str = "image",
        allow_missing_keys: bool = False,
        lazy: bool = False,
    ) -> None:
        keys = (image_key, *tasks.spatial_names)
        super().__init__(keys, prob, spatial_axis, allow_missing_keys, lazy)
        self.vector_keys = frozenset(tasks.direction_names)

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Flip a sample, or do not.

        Raises:
            ValueError: When vectors have no component along a flipped axis.
        """
        sample: dict[Hashable, Any] = super().__call__(data, lazy)
        if self._do_transform:
            for key in self.vector_keys & sample.keys():
                sample[key] = self._turned(key, sample[key])
        return sample

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Flip a sample back."""
        flipped = [
            key
            for key in self.vector_keys & data.keys()
            if self.get_most_recent_transform(data[key])[TraceKeys.DO_TRANSFORM]
        ]
        sample: dict[Hashable, Any] = super().inverse(data)
        return sample | {key: self._turned(key, sample[key]) for key in flipped}

    def _turned(self, key: Hashable, vectors: torch.Tensor) -> torch.Tensor:
        dims = vectors.ndim - 1
        axes = range(dims) if self.flipper.spatial_axis is None else ensure_tuple(self.flipper.spatial_axis)
        signs = torch.ones(len(vectors), dtype=vectors.dtype, device=vectors.device)
        for axis in axes:
            component = 1 - axis % dims if dims == 2 else axis % dims
            if component >= len(vectors):
                raise ValueError(
                    f"{key} has shape {tuple(vectors.shape)}: its vectors have no component along spatial axis {axis}."
                )
            signs[component] *= -1
        return vectors * signs.view(-1, *[1] * dims)
