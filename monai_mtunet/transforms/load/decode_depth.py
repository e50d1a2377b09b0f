"""Depth that is stored in 16 bits."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from .sixteen_bits import check_sixteen_bits

__all__ = ["DecodeDepthd"]


class DecodeDepthd(MapTransform):
    """Whole numbers of 16-bit PNGs to depth in meters: value / divisor; where there is none NaN.

    KITTI's depth maps have 256 steps per meter (README of its depth development kit), NYUv2's PNGs and most depth
    cameras 1000: millimeters. Place it right after `LoadSampled`.

    Args:
        keys: keys of the depth maps, ``(1, *spatial)``, whole numbers within 0-65535 of any type that holds them. They
            become float32.
        divisor: how many steps a meter has: 256 for KITTI, 1000 for millimeters.
        missing: the number of what is missing.
        max_depth: in meters; what is farther is missing too. By default nothing is too far.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the divisor is not positive; of a sample, when the values come from 8 bits, are no whole
            numbers, or not within 0-65535.

    Example:
        >>> DecodeDepthd("depth", divisor=256)({"depth": torch.tensor([[[0, 256, 640]]])})["depth"]
        tensor([[[   nan, 1.0000, 2.5000]]])
    """

    def __init__(
        self,
        keys: KeysCollection,
        divisor: float,
        missing: int = 0,
        max_depth: float | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if not 0 < divisor < float("inf"):
            raise ValueError(f"divisor must be a positive number, got {divisor}.")
        self.divisor = divisor
        self.missing = missing
        self.max_depth = float("inf") if max_depth is None else max_depth

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Decode the depth of a sample."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            codes = torch.as_tensor(sample[key])
            check_sixteen_bits(codes, str(key), "depth", "8 bits hold 256 steps of it")
            depth = codes.to(torch.float32) / self.divisor
            sample[key] = depth.masked_fill((codes == self.missing) | (depth > self.max_depth), torch.nan)
        return sample
