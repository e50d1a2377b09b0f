"""Additive white Gaussian noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.config import KeysCollection

from .add_noise import AddNoised

__all__ = ["AddGaussianNoised"]


class AddGaussianNoised(AddNoised):
    """Add zero-mean Gaussian noise, independent for every channel and voxel.

    MONAI's ``RandGaussianNoise`` samples its standard deviation from U(0, std) by default and cannot repeat its noise
    for validation; see `Repeatable` for when noise is fresh and when it repeats.

    Args:
        keys: keys of the images; every one gets noise of its own.
        sigma: standard deviation, in the image's own unit (of 0-255 for 8-bit images), or a range of it. 0 is no noise.
        relative: whether ``sigma`` is a fraction of the image's range, maximum - minimum over all channels.
        reproducible: whether an image gets the same noise every time, see `Repeatable`.
        seed: with ``reproducible``: another seed gives the same image other noise.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When ``sigma`` is negative, not finite, or not a number or a range.

    Example:
        >>> noisy = AddGaussianNoised("image", sigma=30)({"image": torch.full((3, 64, 64), 128.0)})
    """

    def __init__(
        self,
        keys: KeysCollection,
        sigma: float | Sequence[float],
        relative: bool = False,
        reproducible: bool = False,
        seed: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, "sigma", sigma, reproducible, seed, allow_missing_keys)
        self.relative = relative

    def apply(self, img: torch.Tensor, level: float, generator: torch.Generator) -> torch.Tensor:
        """Return ``img + N(0, sigma**2)``."""
        sigma = level * float(img.max() - img.min()) if self.relative else level
        return img + sigma * torch.randn(img.shape, generator=generator).to(img.device)
