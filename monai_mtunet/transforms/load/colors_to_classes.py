"""Label maps that are painted in colors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type

from ..sample_description import describe

__all__ = ["ColorsToClassesd"]


class ColorsToClassesd(MapTransform):
    """Colors of label images to class numbers. Place it right after `LoadSampled`, before anything resizes.

    Args:
        keys: keys of the label images, ``(3, *spatial)``, or ``(4, *spatial)`` with an alpha channel, which is not
            looked at. They become ``(1, *spatial)``, int16.
        colors: each class's color (red, green, blue) in 0..255, in the order of the task's classes.
        ignored: colors of what is missing, such as outlines and void.
        ignore_index: the number of what is missing, as the task's.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When a color is none, or is given twice; of a sample, when it has another number of channels, or a
            color that is not listed: the file and the color are named.

    Example:
        >>> to_classes = ColorsToClassesd("segment", colors=[[128, 64, 128], [0, 0, 142]], ignored=[[0, 0, 0]])
        >>> pixels = torch.tensor([[[128, 0, 0]], [[64, 0, 0]], [[128, 142, 0]]])  # a road's, a car's, none's
        >>> to_classes({"segment": pixels})["segment"]
        tensor([[[  0,   1, 255]]], dtype=torch.int16)
    """

    def __init__(
        self,
        keys: KeysCollection,
        colors: Sequence[Sequence[int]],
        ignored: Sequence[Sequence[int]] = (),
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        listed = [tuple(int(value) for value in color) for color in (*colors, *ignored)]
        for color in listed:
            if len(color) != 3 or not all(0 <= value <= 255 for value in color):
                raise ValueError(f"A color must be (red, green, blue) in 0..255, got {color}.")
            if listed.count(color) > 1:
                raise ValueError(f"The color {color} is given twice: each stands for one class, or is ignored.")
        classes = torch.tensor([*range(len(colors)), *[ignore_index] * len(ignored)], dtype=torch.int16)
        # One number per color, sorted, so that an image is looked up at once.
        self.codes, order = _code(torch.tensor(listed).T).sort()
        self.classes = classes[order]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Convert the label images of a sample."""
        sample = dict(data)
        for key in self.key_iterator(sample):
            sample[key] = self._classes_of(key, sample[key])
        return sample

    def _classes_of(self, key: Hashable, image: torch.Tensor) -> torch.Tensor:
        if len(image) not in (3, 4):
            raise ValueError(
                f"{describe(key, image)} has {len(image)} channel(s), but colors have three. Are they class numbers, "
                "or a palette's? Then leave ColorsToClassesd out (MapLabelValued maps numbers)."
            )
        pixels = torch.as_tensor(image)[:3].cpu().double()
        codes = _code(pixels.round().long())
        place = torch.searchsorted(self.codes, codes).clamp(max=len(self.codes) - 1)
        unknown = (self.codes[place] != codes) | (pixels != pixels.round()).any(dim=0)
        unknown |= ((pixels < 0) | (pixels > 255)).any(dim=0)
        if unknown.any():
            found = pixels[:, unknown].T.unique(dim=0)
            some = ", ".join(
                str(tuple(f"{value:g}" for value in color)).replace("'", "") for color in found[:5].tolist()
            )
            raise ValueError(
                f"{describe(key, image)} has {int(unknown.sum())} pixels of {len(found)} colors that are not listed: "
                f"{some}{', ...' if len(found) > 5 else ''}. Add them to colors or to ignored; if there are many, the "
                "file was compressed (JPEG) or interpolated, and the original is needed."
            )
        result: torch.Tensor = convert_to_dst_type(self.classes[place][None], dst=image, dtype=torch.int16)[0]
        return result


def _code(colors: torch.Tensor) -> torch.Tensor:
    """(3, ...) -> (...), one number per color."""
    return (colors[0] * 256 + colors[1]) * 256 + colors[2]
