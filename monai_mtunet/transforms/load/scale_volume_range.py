"""Volumes to [0, 1] by their own range, and predictions back to scanner units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.config.type_definitions import NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import InvertibleTransform, MapTransform
from monai.utils import TraceKeys, convert_to_tensor

__all__ = ["ScaleVolumeRanged"]


class ScaleVolumeRanged(MapTransform, InvertibleTransform):
    """Map a volume's own range of intensities to [0, 1], invertibly.

    MRI has no absolute unit, so each volume is scaled by itself. Unlike MONAI's ``ScaleIntensity``, it is undone by
    ``inverse`` (so by ``Invertd``): a denoised volume comes back in scanner units. Hence nothing is clipped, and
    intensities outside the percentiles lie outside [0, 1]. Voxels that are NaN or infinite are left out of the range
    and stay as they are. A constant volume becomes 0.

    ``Invertd(keys="pred_denoise", orig_keys="image", transform=...)`` scales a prediction back. The inverse knows only
    that it is given what was ``image``: a label map must not be inverted through it, or its class numbers would be
    scaled. Invert label maps with a ``Compose`` that holds only the spatial transforms; MONAI skips the rest.

    Args:
        keys: keys of the volumes ``(C, *spatial)``; scaled they are float32.
        lower: percentile that becomes 0, within 0-100.
        upper: percentile that becomes 1, within 0-100.
        channel_wise: whether each channel has a range of its own, as different MRI contrasts need.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When not 0 <= lower < upper <= 100.

    Example:
        >>> scale = ScaleVolumeRanged("image", upper=99.5)
        >>> scanner_units = scale.inverse(scale({"image": volume}))["image"]
    """

    def __init__(
        self,
        keys: KeysCollection,
        lower: float = 0.0,
        upper: float = 100.0,
        channel_wise: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if not 0 <= lower < upper <= 100:
            raise ValueError(f"Percentiles must satisfy 0 <= lower < upper <= 100, got {lower} and {upper}.")
        self.percentiles = (lower, upper)
        self.channel_wise = channel_wise

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale the volumes of a sample.

        Raises:
            ValueError: When a channel (the volume, unless ``channel_wise``) has no finite voxel.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            sample[key] = self._scaled(sample[key])
        return sample

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Bring scaled volumes, or predictions that carry their traces, back to the volumes' own units."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            values = sample[key]
            info = self.pop_transform(values)[TraceKeys.EXTRA_INFO]
            sample[key] = values * _per_channel(info["scale"], values) + _per_channel(info["offset"], values)
        return sample

    def _scaled(self, img: NdarrayOrTensor) -> torch.Tensor:
        image: torch.Tensor = convert_to_tensor(img, dtype=torch.float32, track_meta=get_track_meta())
        parts = image.cpu().numpy() if self.channel_wise else image.cpu().numpy()[None]
        low, high = np.transpose([self._range(part, image) for part in parts])
        scale = np.where(high > low, high - low, 1.0)
        scaled = (image - _per_channel(low, image)) / _per_channel(scale, image)
        if isinstance(scaled, MetaTensor):
            self.push_transform(scaled, extra_info={"offset": low.tolist(), "scale": scale.tolist()})
        return scaled

    def _range(self, part: np.ndarray[Any, Any], image: torch.Tensor) -> np.ndarray[Any, Any]:
        finite = part[np.isfinite(part)]
        if finite.size == 0:
            name = getattr(image, "meta", {}).get("filename_or_obj", "the volume")
            raise ValueError(f"{name} has a channel (or is a volume) without a finite voxel: it cannot be scaled.")
        low_high: np.ndarray[Any, Any] = np.percentile(finite, self.percentiles)
        return low_high


def _per_channel(values: Any, image: torch.Tensor) -> torch.Tensor:
    """One value, or one per channel, in a shape that broadcasts over ``(C, *spatial)``."""
    return torch.as_tensor(values, dtype=torch.float32, device=image.device).reshape(-1, *(1,) * (image.ndim - 1))
