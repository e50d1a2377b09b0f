"""From the disparity of a stereo pair to depth, and from Cityscapes' files to disparity."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from .sixteen_bits import check_sixteen_bits

__all__ = ["DecodeDisparityd", "DisparityToDepthd"]


class DecodeDisparityd(MapTransform):
    """The integers of Cityscapes' 16-bit disparity PNGs to disparity in pixels: (value - 1) / 256; 0 is missing, NaN.

    Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016; the README of
    cityscapesScripts gives the code. Place it right after `LoadSampled`.

    Args:
        keys: keys of the disparity maps, ``(1, *spatial)``, whole numbers within 0-65535 of any type that holds them.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> DecodeDisparityd("depth")({"depth": torch.tensor([[[0, 1, 129, 25601]]])})["depth"]
        tensor([[[     nan,   0.0000,   0.5000, 100.0000]]])
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Decode the disparity of a sample.

        Raises:
            ValueError: When the values come from 8 bits, are no whole numbers, or not within 0-65535, or all are
                missing.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            values = torch.as_tensor(sample[key])
            _check_codes(key, values)
            codes = values.to(torch.float32)
            sample[key] = ((codes - 1) / 256).masked_fill(codes == 0, torch.nan)
        return sample


class DisparityToDepthd(MapTransform):
    """Disparity in pixels to depth in meters: focal length [px] * baseline [m] / disparity [px], in place.

    Where the disparity is missing (NaN) or not positive, depth is missing, NaN. The focal length is that of the image
    as loaded. Resize or zoom afterwards, or scale disparity and focal length along with the image.

    Depth has no upper end: the smallest disparity of Cityscapes, 1/256 pixel, is 121 km. A few such pixels outweigh
    all others in means of errors in meters; ``max_depth`` leaves them out.

    Args:
        keys: keys of the disparity maps, ``(1, *spatial)``.
        focal_length: in pixels: a number, or the key of a sample's own.
        baseline: distance between the two cameras in meters: a number, or the key of a sample's own.
        max_depth: in meters; what is farther is missing, NaN. By default nothing is too far.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When a number is not positive.

    Example:
        >>> to_depth = DisparityToDepthd("depth", focal_length="focal_length", baseline=0.21)
        >>> to_depth({"depth": torch.tensor([[[20.0, 0.0]]]), "focal_length": 2260.0})["depth"]
        tensor([[[23.7300,     nan]]])
    """

    def __init__(
        self,
        keys: KeysCollection,
        focal_length: float | str,
        baseline: float | str,
        max_depth: float | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.max_depth = None if max_depth is None else _positive("max_depth", max_depth)
        self.camera = {"focal_length": focal_length, "baseline": baseline}
        for what, value in self.camera.items():
            if not isinstance(value, str):
                _positive(what, value)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Convert the disparity of a sample.

        Raises:
            ValueError: When the sample lacks a part of the camera, or it is not a positive number.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            disparity = sample[key].float()
            scale = self._of(sample, "focal_length") * self._of(sample, "baseline")
            depth = scale / torch.where(disparity > 0, disparity, torch.nan)
            sample[key] = depth if self.max_depth is None else depth.masked_fill(depth > self.max_depth, torch.nan)
        return sample

    def _of(self, sample: Mapping[Hashable, Any], what: str) -> float:
        value = self.camera[what]
        if isinstance(value, str):
            if value not in sample:
                raise ValueError(f"The sample has no {value!r}, its {what}; it holds {list(sample)}.")
            return _positive(f"{what} (the sample's {value!r})", sample[value])
        return float(value)


def _positive(what: str, value: Any) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError(f"{what} must be a positive number, got {number:g}.")
    return number


def _check_codes(key: Hashable, values: torch.Tensor) -> None:
    check_sixteen_bits(values, str(key), "disparity", "8 bits hold less than one pixel of it")
    if not values.to(torch.float64).any():
        name = getattr(values, "meta", {}).get("filename_or_obj", "in memory")
        raise ValueError(
            f"{key} ({name}) has no valid pixel: all are 0. Leave the sample out, or set its path to null."
        )
