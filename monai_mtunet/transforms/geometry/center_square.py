"""The largest square, or cube, in the middle of an image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import CenterSpatialCrop, MapTransform

__all__ = ["CenterSquared"]


class CenterSquared(MapTransform):
    """Cut out the largest square in the middle, of volumes the largest cube, as ImageNet's images are validated.

    Args:
        keys: keys of images and targets ``(C, *spatial)``.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> CenterSquared("image")({"image": torch.zeros(3, 240, 320)})["image"].shape
        torch.Size([3, 240, 240])
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Cut a sample."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            size = sample[key].shape[1:]
            sample[key] = CenterSpatialCrop([min(size)] * len(size))(sample[key])
        return sample
