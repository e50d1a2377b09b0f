"""Give every sample every target, missing where it has none, so that batches can be made of any samples."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple

__all__ = ["FillMissingTargetsd"]


class FillMissingTargetsd(MapTransform):
    """Fill the targets that a sample lacks with missing voxels: ignored labels, or NaN.

    What it fills has the image's size, type, affine and meta data, so it goes through augmentation, caches and
    collation as a target does; losses, metrics and panels skip it. Place it right after loading (`LoadSampled` leaves
    out what a sample lacks), so that whatever is derived from a missing target is missing as well.

    Args:
        keys: keys of the targets to fill where they are absent or None.
        missing: one voxel without a target ``(C,)`` for every key, which gives channels, type and value:
            ``monai_mtunet.missing_voxels(tasks)``.
        image_key: key of the image.
        vector_keys: further keys, of targets ``(C,)`` of the whole image, such as a class. Present ones become tensors
            of that type: data lists give plain numbers, which do not collate with filled ones.

    Raises:
        ValueError: When ``missing`` lacks a key.

    Example:
        >>> fill = FillMissingTargetsd("segment", {"segment": torch.tensor([255], dtype=torch.int16)})
        >>> fill({"image": torch.rand(3, 64, 64), "segment": None})["segment"].unique()
        tensor([255], dtype=torch.int16)
    """

    def __init__(
        self,
        keys: KeysCollection,
        missing: Mapping[str, torch.Tensor],
        image_key: str = "image",
        vector_keys: KeysCollection = (),
    ) -> None:
        self.vector_keys = ensure_tuple(vector_keys)
        super().__init__((*ensure_tuple(keys), *self.vector_keys))
        unknown = [key for key in self.keys if key not in missing]
        if unknown:
            raise ValueError(f"missing must tell what a voxel without {unknown} is; it knows {list(missing)}.")
        self.missing = {key: missing[str(key)] for key in self.keys}
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what the sample lacks.

        Raises:
            ValueError: When the sample has no image, whose size is needed.
        """
        sample = dict(data)
        image = sample.get(self.image_key)
        for key, voxel in self.missing.items():
            if key in self.vector_keys:
                present = sample.get(key)
                sample[key] = voxel.clone() if present is None else torch.as_tensor(present, dtype=voxel.dtype).view(-1)
                continue
            if sample.get(key) is not None:
                continue
            if image is None:
                raise ValueError(f"{key} cannot be filled: the sample has no {self.image_key!r}, only {list(sample)}.")
            size = image.shape[1:]
            target = voxel.view(-1, *[1] * len(size)).expand(-1, *size).contiguous()
            sample[key] = convert_to_dst_type(target, dst=image, dtype=voxel.dtype)[0]
        return sample
