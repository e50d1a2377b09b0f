"""Targets onto their image's grid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform, ResampleToMatch
from monai.utils import MetaKeys

from ..declared_tasks import DeclaredTasks, missing_fills
from ..grids import directions, has_grid, same_grid

__all__ = ["ResampleSampled"]


class ResampleSampled(MapTransform):
    """Bring targets onto the image's grid: voxels where its voxels lie, by its affine, as many as it has.

    It is what `CheckSampled` asks for where files lie in another place: labels that are stored with a flipped axis, at
    another spacing, or of a part of the image. Place it at the end of ``load``. Every voxel takes the target's nearest
    voxel by MONAI's ``ResampleToMatch``: in between labels there is none, and a mean with NaN would lose more than the
    missing voxel. Beyond the target's field it is missing, never class 0. Types stay, vectors are turned along.

    What lies on the grid already, is no file's that says where it lies (arrays, pictures), or is absent, is passed by.
    Distances in voxels do not fit afterwards; make them of the resampled labels.

    Args:
        tasks: the declared tasks.
        image_key: key of the image.

    Raises:
        ValueError: Of a sample, when an affine cannot be inverted.

    Example:
        >>> load = [LoadSampled(tasks=tasks), ResampleSampled(tasks)]
    """

    def __init__(self, tasks: DeclaredTasks, image_key: str = "image") -> None:
        # Of all declared tasks, since targets may still be made of those that are not trained.
        declared = tasks.declared
        super().__init__(declared.dense_names, allow_missing_keys=True)
        self.fills = missing_fills(declared)
        self.vector_keys = frozenset(declared.direction_names)
        self.image_key = image_key
        self.resample = ResampleToMatch(mode="nearest", padding_mode="zeros", dtype=np.float64)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Resample the targets of a sample."""
        sample = dict(data)
        image = sample.get(self.image_key)
        for key in self.key_iterator(sample):
            target = sample[key]
            if has_grid(image) and has_grid(target) and not same_grid(image, target):
                sample[key] = self._resampled(key, target, image)
        return sample

    def _resampled(self, key: Hashable, target: MetaTensor, image: MetaTensor) -> MetaTensor:
        # The values, and one channel that says where there are any: 1 inside the target's field, 0 outside.
        values = target.as_tensor().double()
        both = MetaTensor(torch.cat([values, torch.ones_like(values[:1])]), affine=target.affine)
        grid = MetaTensor(image.as_tensor()[:1], affine=image.affine)
        moved = torch.as_tensor(self.resample(both, grid, dtype=np.float64))
        values, inside = moved[:-1], moved[-1:] > 0.5
        if key in self.vector_keys:
            values = _turned(values, target, image)
        if not target.is_floating_point():
            values = values.round()
        values = values.masked_fill(~inside, self.fills[key]).to(target.dtype)
        meta = {key: value for key, value in target.meta.items() if key != MetaKeys.AFFINE}
        meta[MetaKeys.SPATIAL_SHAPE] = np.asarray(image.shape[1:])
        return MetaTensor(values, affine=image.affine, meta=meta, applied_operations=target.applied_operations)


def _turned(vectors: torch.Tensor, target: MetaTensor, image: MetaTensor) -> torch.Tensor:
    """Vectors along the target's axes -> along the image's; of images (C, H, W), x is along the second."""
    axes = [1, 0, 2] if image.ndim == 3 else [0, 1, 2]
    turn = torch.from_numpy(directions(image)[:, axes].T @ directions(target)[:, axes])
    count = len(vectors)
    return torch.einsum("ij,j...->i...", turn[:count, :count].to(vectors), vectors)
