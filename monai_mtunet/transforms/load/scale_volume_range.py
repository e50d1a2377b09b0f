"""Volumes to [0, 1] by their own range, and predictions back to scanner units."""

from __future__ import annotations

import copy
import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.config.type_definitions import NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import InvertibleTransform, MapTransform
from monai.utils import TraceKeys, convert_to_tensor, ensure_tuple

from ..sample_description import describe

__all__ = ["ScaleVolumeRanged"]

logger = logging.getLogger(__name__)


class ScaleVolumeRanged(MapTransform, InvertibleTransform):
    """Map a volume's own range of intensities to [0, 1], invertibly, whatever single voxels hold.

    MRI has no absolute unit, so each volume is scaled by itself, and each channel, since contrasts differ. The range is
    that between two percentiles, so that dead voxels do not decide it. Values outside the percentiles lie outside
    [0, 1], but no farther than ``margin``: a voxel of -60 would be seen by all around it, and outweigh all others in a
    squared error. Limited voxels are reported once per file; targets that are copied afterwards hold the limited
    values, and so do restored files. All else is undone by ``inverse`` (so by ``Invertd``), unlike MONAI's
    ``ScaleIntensity``: a denoised volume comes back in scanner units. Noise that is added later is not limited.

    Voxels that are NaN or infinite are left out of the range and stay as they are. Where the percentiles are equal, as
    of a volume that is nearly all background, the range is that of all values; a constant channel becomes 0.

    ``Invertd(keys="pred_denoise", orig_keys="image", transform=...)`` scales a prediction back. The inverse knows only
    that it is given what was ``image``: a label map must not be inverted through it, or its class numbers would be
    scaled. Invert label maps with a ``Compose`` that holds only the spatial transforms; MONAI skips the rest.

    Where intensities have an absolute unit, as those of CT, ``ranges`` gives one range for all volumes. What is to be
    compared with the volume voxel by voxel, such as its clean version, is scaled by the volume's range (``alike``).

    Args:
        keys: keys of the volumes ``(C, *spatial)``; scaled they are float32.
        lower: percentile that becomes 0, within 0-100.
        upper: percentile that becomes 1, within 0-100.
        channel_wise: whether each channel has a range of its own, or one is that of all, as of RGB.
        margin: how far outside [0, 1] a value may lie. The brightest voxels of MRI reach 3.5. None limits nothing.
        allow_missing_keys: don't raise exception if key is missing.
        ranges: per channel, or of all together, what becomes 0 and what becomes 1, instead of percentiles.
        alike: keys of what is scaled as the first of ``keys`` is, where a sample has it: clean versions, with as many
            channels.

    Raises:
        ValueError: When not 0 <= lower < upper <= 100, the margin is negative, or a range is empty.

    Example:
        >>> scale = ScaleVolumeRanged("image")
        >>> scanner_units = scale.inverse(scale({"image": volume}))["image"]
    """

    def __init__(
        self,
        keys: KeysCollection,
        lower: float = 0.5,
        upper: float = 99.5,
        channel_wise: bool = True,
        margin: float | None = 4.0,
        allow_missing_keys: bool = False,
        ranges: Sequence[Sequence[float]] | None = None,
        alike: KeysCollection = (),
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if not 0 <= lower < upper <= 100:
            raise ValueError(f"Percentiles must satisfy 0 <= lower < upper <= 100, got {lower} and {upper}.")
        if margin is not None and not margin >= 0:
            raise ValueError(f"margin must be at least 0, or None, got {margin}.")
        self.percentiles = (lower, upper)
        self.channel_wise = channel_wise
        self.margin = margin
        if wrong := [pair for pair in ranges or () if not pair[0] < pair[1]]:
            raise ValueError(
                f"A range must be [what becomes 0, what becomes 1], the first below, got {list(wrong[0])}."
            )
        self.ranges = None if ranges is None else [[float(low), float(high)] for low, high in ranges]
        self.alike = ensure_tuple(alike)
        self._reported: set[str] = set()

    def with_ranges(self, ranges: Sequence[Sequence[float]]) -> ScaleVolumeRanged:
        """A copy for parts of one volume, whose range is known: they are scaled as the whole is.

        Args:
            ranges: per channel, or of all together, what becomes 0 and what becomes 1, as `range_of` gives it.
        """
        scale = copy.copy(self)
        scale.ranges = [[float(low), float(high)] for low, high in ranges]
        return scale

    def unscaled(self, values: torch.Tensor) -> torch.Tensor:
        """Parts (C, *spatial) that were scaled by known ranges, or predictions of them, in the volume's own units."""
        if self.ranges is None:
            raise ValueError("Only what has known ranges undoes them without a trace: see with_ranges.")
        low, scale = _offset_and_scale(self.ranges)
        return values * _per_channel(scale, values) + _per_channel(low, values)

    @staticmethod
    def range_of(low: float, high: float, smallest: float, largest: float) -> list[float]:
        """What becomes 0 and 1: the percentiles, or where those are equal the ends."""
        return [low, high] if high > low else [smallest, largest]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale the volumes of a sample.

        Raises:
            ValueError: When a channel (the volume, unless ``channel_wise``) has no finite voxel.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            volume = _as_float(sample[key])
            ranges = self._ranges(key, volume)
            sample[key] = self._scaled(key, volume, ranges)
            if key == self.keys[0]:
                for other in set(self.alike) & set(sample):
                    sample[other] = self._scaled(other, _as_float(sample[other]), ranges)
        return sample

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Bring scaled volumes, or predictions that carry their traces, back to the volumes' own units."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            values = sample[key]
            info = self.pop_transform(values)[TraceKeys.EXTRA_INFO]
            sample[key] = values * _per_channel(info["scale"], values) + _per_channel(info["offset"], values)
        return sample

    def _ranges(self, key: Hashable, image: torch.Tensor) -> list[list[float]]:
        if self.ranges is not None:
            return self.ranges
        parts = image.cpu().numpy() if self.channel_wise else image.cpu().numpy()[None]
        return [self._range(part, key, image) for part in parts]

    def _scaled(self, key: Hashable, image: torch.Tensor, ranges: Sequence[Sequence[float]]) -> torch.Tensor:
        low, scale = _offset_and_scale(ranges)
        scaled = (image - _per_channel(low, image)) / _per_channel(scale, image)
        if self.margin is not None:
            scaled = self._limited(key, scaled, self.margin)
        if isinstance(scaled, MetaTensor):
            self.push_transform(scaled, extra_info={"offset": low.tolist(), "scale": scale.tolist()})
        return scaled

    def _range(self, part: np.ndarray[Any, Any], key: Hashable, image: torch.Tensor) -> list[float]:
        finite = part[np.isfinite(part)]
        if finite.size == 0:
            raise ValueError(
                f"{describe(key, image)} has a channel (or is a volume) without a finite voxel: it cannot be scaled. "
                "Leave it out."
            )
        low, high = np.percentile(finite, self.percentiles)
        return self.range_of(low, high, finite.min(), finite.max())

    def _limited(self, key: Hashable, scaled: torch.Tensor, margin: float) -> torch.Tensor:
        far = scaled.isfinite() & ((scaled < -margin) | (scaled > 1 + margin))
        if not far.any():
            return scaled
        file = describe(key, scaled)
        if file not in self._reported:
            self._reported.add(file)
            logger.warning(
                "%s: %d of %d values lie farther than %g times the range between the percentiles %g and %g outside it, "
                "and are limited to that. Where they are no defects, set ScaleVolumeRanged's margin or percentiles.",
                file, int(far.sum()), far.numel(), margin, *self.percentiles,
            )  # fmt: skip
        return torch.where(far, scaled.clamp(-margin, 1 + margin), scaled)


def _as_float(img: NdarrayOrTensor) -> torch.Tensor:
    image: torch.Tensor = convert_to_tensor(img, dtype=torch.float32, track_meta=get_track_meta())
    return image


def _offset_and_scale(ranges: Sequence[Sequence[float]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    low, high = np.transpose(ranges)
    return low, np.where(high > low, high - low, 1.0)


def _per_channel(values: Any, image: torch.Tensor) -> torch.Tensor:
    """One value, or one per channel, in a shape that broadcasts over ``(C, *spatial)``."""
    return torch.as_tensor(values, dtype=torch.float32, device=image.device).reshape(-1, *(1,) * (image.ndim - 1))
