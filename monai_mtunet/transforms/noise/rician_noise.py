"""Rician noise, the noise of magnitude MRI."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.config import KeysCollection

from .add_noise import AddNoised

__all__ = ["AddRicianNoised"]


class AddRicianNoised(AddNoised):
    """Add Gaussian noise to the real and the imaginary part of a magnitude image, and take the magnitude.

    The result is ``sqrt((img + n1)**2 + n2**2)`` with ``n1, n2 ~ N(0, sigma**2)``. It is never negative, and its mean
    is too high: by about ``sigma**2 / (2 * img)`` in bright tissue, by ``sigma * sqrt(pi / 2)`` where the image is 0
    (Gudbjartsson and Patz, "The Rician distribution of noisy MRI data", 1995).

    Args:
        keys: keys of the images; every one gets noise of its own.
        sigma: standard deviation of each part, in the image's own unit, or a range of it. 0 is no noise.
        relative: whether ``sigma`` is a fraction of the image's range, maximum - minimum over all channels.
        reproducible: whether an image gets the same noise every time, see `Repeatable`.
        seed: with ``reproducible``: another seed gives the same image other noise.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When ``sigma`` is negative, not finite, or not a number or a range.

    Example:
        >>> noisy = AddRicianNoised("image", sigma=0.1, relative=True)({"image": torch.rand(1, 32, 32, 32)})
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
        """Return ``|img + n1 + i n2|``.

        Raises:
            ValueError: When the image has negative values.
        """
        if img.min() < 0:
            raise ValueError(
                f"Rician noise needs magnitudes, which are never negative, but the image goes down to {img.min():g}: "
                "add the noise before the intensities are normalized."
            )
        sigma = level * float(img.max() - img.min()) if self.relative else level
        real, imaginary = sigma * torch.randn((2, *img.shape), generator=generator).to(img.device)
        return torch.hypot(img + real, imaginary)
