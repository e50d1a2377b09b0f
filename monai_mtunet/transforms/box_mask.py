"""Boxes as masks while a sample is augmented, and boxes of masks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.transforms.utils import generate_spatial_bounding_box
from monai.utils import convert_to_dst_type, ensure_tuple_rep

__all__ = ["BoxOfMask", "BoxOfMaskd", "PaintBoxd"]

_UNITS = ("normalized", "voxel")


class BoxOfMask:
    """The box around a mask: the target of a `BoundingBoxTask`.

    Args:
        labels: what is inside, by label; by default all but 0 and ``ignore_index``.
        unit: "normalized", in parts of the mask's size, or "voxel".
        ignore_index: the label of voxels that are not known, such as padding: they are not inside.

    Raises:
        ValueError: When the unit is another.

    Example:
        >>> BoxOfMask(unit="voxel")(torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0]]]))
        tensor([1., 1., 2., 3.])
    """

    def __init__(self, labels: Sequence[int] | None = None, unit: str = "normalized", ignore_index: int = 255) -> None:
        _check_unit(unit)
        self.labels = labels
        self.unit = unit
        self.ignore_index = ignore_index

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Find the box.

        Args:
            img: labels ``(1, *spatial)``, integers.

        Returns:
            ``(2 D,)``, float32: where the box starts along each spatial axis, then where it stops along each (the next
            voxel's start). NaN where nothing is inside, be it that the box was missing or that a crop left it out.

        Raises:
            ValueError: When there is not one channel.
        """
        if len(img) != 1:
            raise ValueError(f"A mask has one channel, with labels; got shape {tuple(img.shape)}.")
        values = torch.as_tensor(img).cpu().numpy()
        starts, stops = generate_spatial_bounding_box(values, select_fn=self._inside)
        box = torch.tensor([*starts, *stops], dtype=torch.float32)
        if not all(start < stop for start, stop in zip(starts, stops, strict=True)):
            return torch.full_like(box, torch.nan)
        return box if self.unit == "voxel" else box / torch.tensor(values.shape[1:]).repeat(2)

    def _inside(self, values: Any) -> Any:
        labels = np.asarray(values)
        return (labels != 0) & (labels != self.ignore_index) if self.labels is None else np.isin(labels, self.labels)


class BoxOfMaskd(MapTransform):
    """Dictionary-based version of `BoxOfMask`: boxes of masks that `PaintBoxd` painted, or of label maps.

    Place it after all that crops, flips, resizes, pads or rotates: the box is then of what is seen of the mask.

    Args:
        keys: keys of the masks.
        new_keys: where to put the boxes, one per key; by default in the masks' place.
        labels: see `BoxOfMask`.
        unit: see `BoxOfMask`; that of the task.
        ignore_index: see `BoxOfMask`.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> derive = BoxOfMaskd("segment", "box", labels=[1])
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection | None = None,
        labels: Sequence[int] | None = None,
        unit: str = "normalized",
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = self.keys if new_keys is None else ensure_tuple_rep(new_keys, len(self.keys))
        self.find = BoxOfMask(labels, unit, ignore_index)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the boxes to a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            sample[new_key] = self.find(sample[key])
        return sample


class PaintBoxd(MapTransform):
    """Boxes become masks in their place: 1 inside, 0, or ``ignore_index`` throughout where the box is missing.

    Then whatever is done to the image and its targets can be done to them, by nearest neighbor, with padding of
    ``ignore_index``; `BoxOfMaskd` afterwards makes boxes of them. Coordinates are so rounded to whole voxels, outwards.

    Args:
        keys: keys of boxes ``(2 D,)``: starts along the spatial axes, then stops. NaN or None where there is none.
        unit: of the boxes, "voxel" or "normalized".
        image_key: key of the image, which has the size of the masks.
        ignore_index: the label of images without a box.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the unit is another.

    Example:
        >>> PaintBoxd("box")({"image": torch.zeros(3, 2, 4), "box": torch.tensor([1.0, 1.0, 2.0, 3.0])})["box"]
        tensor([[[0, 0, 0, 0], [0, 1, 1, 0]]], dtype=torch.int16)
    """

    def __init__(
        self,
        keys: KeysCollection,
        unit: str = "voxel",
        image_key: str = "image",
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        _check_unit(unit)
        self.unit = unit
        self.image_key = image_key
        self.ignore_index = ignore_index

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Paint the boxes of a sample.

        Raises:
            ValueError: When a box has not two numbers per spatial axis of the image, or nothing of it is inside.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            sample[key] = self._mask(key, sample[key], sample[self.image_key])
        return sample

    def _mask(self, key: Hashable, box: Any, image: torch.Tensor) -> torch.Tensor:
        size = np.array(image.shape[1:])
        corners = np.full(2 * len(size), np.nan) if box is None else np.asarray(box, dtype=np.float64)
        if corners.shape != (2 * len(size),):
            raise ValueError(
                f"{key} has shape {corners.shape}, but a box has two numbers for each of the {len(size)} spatial axes "
                "of the image: where it starts along each, then where it stops."
            )
        mask = np.full((1, *size), self.ignore_index if np.isnan(corners).any() else 0, dtype=np.int16)
        if not np.isnan(corners).any():
            starts, stops = corners.reshape(2, -1) * (size if self.unit == "normalized" else 1)
            first, last = np.floor(starts).astype(int).clip(0), np.ceil(stops).astype(int).clip(0)
            inside = tuple(slice(start, stop) for start, stop in zip(first, last, strict=True))
            mask[0][inside] = 1
            if not mask.any():
                raise ValueError(
                    f"{key}: nothing of the box {corners.tolist()} ({self.unit}) is inside the image of "
                    f"{' x '.join(map(str, size))}."
                )
        result: torch.Tensor = convert_to_dst_type(mask, dst=image, dtype=torch.int16)[0]
        return result


def _check_unit(unit: str) -> None:
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {list(_UNITS)}, got {unit!r}.")
