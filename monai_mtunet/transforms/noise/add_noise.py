"""What the noise transforms share: how a level is sampled, and what noise leaves alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.config.type_definitions import NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, convert_to_tensor

from .repeatable import Repeatable

__all__ = ["AddNoised"]


class AddNoised(Repeatable, MapTransform):
    """Base of the noise transforms: samples a level and a seed, then lets the subclass apply them.

    Noise is fresh for training, or reproducible for validation, see `Repeatable`. Every key gets noise of its own. The
    clean image, where a task needs it, is copied before: ``CopyItemsd(keys="image", names="denoise")``.

    Noise is never clipped, since clipping would shift the mean of bright and dark regions: on the 0-255 scale a noisy
    image reaches below 0 and above 255. Voxels that are NaN or infinite stay as they are.

    Args:
        keys: keys of the images ``(C, *spatial)`` of a floating type; they become float32, with their meta data.
        name: what the level is called, for error messages.
        level: a number, or a ``(low, high)`` range from which each image samples its own uniformly.
        reproducible: whether an image gets the same noise every time.
        seed: with ``reproducible``: another seed gives the same image other noise, 0 .. 2**32 - 1.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the level is negative, not finite, or not a number or a range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        name: str,
        level: float | Sequence[float],
        reproducible: bool,
        seed: int,
        allow_missing_keys: bool,
    ) -> None:
        bounds = (level, level) if isinstance(level, (int, float)) else tuple(level)
        if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] < float("inf"):
            raise ValueError(f"{name} must be a finite number >= 0 or a range (low, high) of such, got {level}.")
        Repeatable.__init__(self, reproducible, seed)
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.level_range = bounds

    def randomize(self, data: torch.Tensor) -> None:
        """Sample the level and the seed of the noise for an image."""
        rng = self.state_for(data)
        self._level = rng.uniform(*self.level_range)
        self._noise_seed = int(rng.randint(2**31))

    @abstractmethod
    def apply(self, img: torch.Tensor, level: float, generator: torch.Generator) -> torch.Tensor:
        """Return the noisy version of finite float32 values of any shape; the generator lives on the CPU."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add noise to the images of a sample.

        Raises:
            TypeError: When an image holds integers.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            sample[key] = self._noisy(sample[key])
        return sample

    def _noisy(self, img: NdarrayOrTensor) -> torch.Tensor:
        image = convert_to_tensor(img, track_meta=get_track_meta())
        if not image.is_floating_point():
            raise TypeError(
                f"{type(self).__name__} needs a floating-point image, got {image.dtype}: load it as float32."
            )
        values = convert_to_tensor(image, dtype=torch.float32, track_meta=False)
        self.randomize(values)
        # PyTorch's generator is about five times as fast as NumPy's, which is that of MONAI's RandGaussianNoise and
        # RandRicianNoise: with those inside, noise would be slower, and have other values.
        generator = torch.Generator().manual_seed(self._noise_seed)
        finite = torch.isfinite(values)
        if finite.all():
            noisy = self.apply(values, self._level, generator)
        else:
            noisy = values.clone()
            if finite.any():
                noisy[finite] = self.apply(values[finite], self._level, generator)
        result: torch.Tensor = convert_to_dst_type(noisy, dst=image, dtype=torch.float32)[0]
        return result
