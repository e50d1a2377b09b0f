"""Lightness and color of an image, the one to be seen and the other to be predicted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from skimage.color import rgb2lab

__all__ = ["SplitColord"]


class SplitColord(MapTransform):
    """RGB -> lightness L and color a, b of CIELAB, all in -1..1: the image becomes its lightness, its color the target.

    L, which is 0..100, becomes L / 50 - 1; a and b, which colors of screens have within -108..99, are divided by 128.
    White is that of daylight (D65), RGB that of screens (sRGB). `ColorTask` puts the two together again.

    Whatever makes other targets of the image's RGB comes before. Lightness is not normalized any further. L
    ``(1, H, W)`` and a, b ``(2, H, W)`` are float32, with the meta data of the image, and NaN where it is.

    Args:
        keys: keys of the images: RGB ``(3, H, W)``, before normalization; what is outside ``data_range`` is clipped.
        new_keys: where to put the color, one per key: the name of the task.
        data_range: lowest and highest intensity of the images.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the range is empty; of a sample, when it is not an image of three channels.

    Example:
        >>> sample = SplitColord("image", "color")({"image": torch.full((3, 4, 4), 255.0)})
        >>> sample["image"].mean(), sample["color"].abs().max().round(decimals=4)
        (tensor(1.), tensor(0.))
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        data_range: Sequence[float] = (0.0, 255.0),
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = ensure_tuple_rep(new_keys, len(self.keys))
        self.lowest, self.highest = map(float, data_range)
        if not self.lowest < self.highest:
            raise ValueError(f"data_range must be (lowest, highest), got {tuple(data_range)}.")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Split the images of a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            sample[key], sample[new_key] = self._split(sample[key])
        return sample

    def _split(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if img.ndim != 3 or len(img) != 3:
            raise ValueError(
                f"Only images with three channels (3, H, W) have a color to predict, got shape {tuple(img.shape)}."
            )
        rgb = (torch.as_tensor(img).cpu().double().numpy() - self.lowest) / (self.highest - self.lowest)
        lab = rgb2lab(rgb.clip(0, 1), channel_axis=0)
        parts = (lab[:1] / 50 - 1, lab[1:] / 128)
        lightness, color = (convert_to_dst_type(part.astype(np.float32), dst=img)[0] for part in parts)
        return lightness, color
