"""Poisson noise, the noise of counted photons."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.config import KeysCollection

from .add_noise import AddNoised

__all__ = ["AddPoissonNoised"]


class AddPoissonNoised(AddNoised):
    """Replace every value by a count that is Poisson distributed around it, in the image's own unit again.

    The brightest intensity ``top`` stands for ``peak`` expected counts, so a value x becomes
    ``Poisson(x * peak / top) * top / peak``: its mean is x and its variance ``x * top / peak``. Fewer counts are more
    noise: a peak of 100 gives the brightest voxels a relative error of 10 %.

    Args:
        keys: keys of the images; every one gets noise of its own.
        peak: expected count at ``top``, above 0, or a range of it.
        top: the intensity at which ``peak`` counts are expected, e.g. 255 for 8-bit images. Default: every image's
            own maximum over all channels.
        reproducible: whether an image gets the same noise every time, see `Repeatable`.
        seed: with ``reproducible``: another seed gives the same image other noise.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When ``peak`` or ``top`` is not above 0.

    Example:
        >>> noisy = AddPoissonNoised("image", peak=50, top=255)({"image": torch.full((3, 64, 64), 128.0)})
    """

    def __init__(
        self,
        keys: KeysCollection,
        peak: float | Sequence[float],
        top: float | None = None,
        reproducible: bool = False,
        seed: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, "peak", peak, reproducible, seed, allow_missing_keys)
        if self.level_range[0] == 0 or (top is not None and not top > 0):
            raise ValueError(f"peak and top must be above 0, got peak {peak} and top {top}.")
        self.top = top

    def apply(self, img: torch.Tensor, level: float, generator: torch.Generator) -> torch.Tensor:
        """Return ``Poisson(img * peak / top) * top / peak``.

        Raises:
            ValueError: When the image has negative values.
        """
        if not img.any():
            return img  # no light, no counts; and no maximum to scale by
        if img.min() < 0:
            raise ValueError(
                f"Poisson noise needs intensities >= 0, but the image goes down to {img.min():g}: "
                "add the noise before the intensities are normalized, and scale volumes from their minimum "
                "(lower=0 of ScaleVolumeRanged)."
            )
        unit = (float(img.max()) if self.top is None else self.top) / level
        return torch.poisson(img.cpu() / unit, generator=generator).to(img.device) * unit
