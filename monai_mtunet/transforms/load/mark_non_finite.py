"""Missing voxels of an image, marked as those of targets are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

__all__ = ["MarkNonFinited"]


class MarkNonFinited(MapTransform):
    """Make infinite voxels NaN: missing, as in targets. All else stays, and an image without any is the same object.

    What is copied from the image then is a target that misses these voxels; the network's input is filled at last,
    by `MultiTaskPrepareBatch`.

    Args:
        keys: keys of images of a floating type; others are passed by.
        allow_missing_keys: don't raise exception if key is missing.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Mark the voxels of a sample."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            values = sample[key]
            if isinstance(values, torch.Tensor) and values.is_floating_point() and values.isinf().any():
                sample[key] = values.masked_fill(values.isinf(), torch.nan)
        return sample
