"""Boxes as masks, while a sample is augmented."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.transforms import Transform
from monai.utils import convert_to_dst_type

from ..declared_tasks import MISSING_MASK, DeclaredTasks
from .box_around import check_box_unit

__all__ = ["PaintBoxd"]


class PaintBoxd(Transform):
    """Boxes become masks in their place: 1 inside, 0, or 255 throughout where the box is missing.

    Then whatever is done to the image and its targets can be done to them, by nearest neighbor, with padding of 255;
    `BoxOfMaskd` afterwards makes boxes of them. Coordinates are so rounded to whole voxels, outwards.

    Args:
        tasks: the declared tasks, with boxes or without; a box is ``(2 D,)``, starts along the spatial axes, then
            stops. It may be NaN, None or absent where there is none.
        unit: of the boxes, "voxel" or "normalized".
        image_key: key of the image, which has the size of the masks.

    Raises:
        ValueError: When the unit is another.

    Example:
        >>> tasks = TaskList([BoundingBoxTask("box")])
        >>> PaintBoxd(tasks)({"image": torch.zeros(3, 2, 4), "box": torch.tensor([1.0, 1.0, 2.0, 3.0])})["box"]
        tensor([[[0, 0, 0, 0], [0, 1, 1, 0]]], dtype=torch.int16)
    """

    def __init__(self, tasks: DeclaredTasks, unit: str = "voxel", image_key: str = "image") -> None:
        check_box_unit(unit)
        # Of all declared tasks: whatever is resized or padded next takes all of them.
        self.names = tasks.declared.box_names
        self.unit = unit
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Paint the boxes of a sample.

        Raises:
            ValueError: When a box has not two numbers per spatial axis of the image, or nothing of it is inside.
        """
        sample = dict(data)
        for name in self.names:
            sample[name] = self._mask(name, sample.get(name), sample[self.image_key])
        return sample

    def _mask(self, name: str, box: Any, image: torch.Tensor) -> torch.Tensor:
        size = np.array(image.shape[1:])
        corners = np.full(2 * len(size), np.nan) if box is None else np.asarray(box, dtype=np.float64)
        if corners.shape != (2 * len(size),):
            raise ValueError(
                f"{name} has shape {corners.shape}, but a box has two numbers for each of the {len(size)} spatial axes "
                "of the image: where it starts along each, then where it stops."
            )
        mask = np.full((1, *size), MISSING_MASK if np.isnan(corners).any() else 0, dtype=np.int16)
        if not np.isnan(corners).any():
            starts, stops = corners.reshape(2, -1) * (size if self.unit == "normalized" else 1)
            first, last = np.floor(starts).astype(int).clip(0), np.ceil(stops).astype(int).clip(0)
            inside = tuple(slice(start, stop) for start, stop in zip(first, last, strict=True))
            mask[0][inside] = 1
            if not mask.any():
                raise ValueError(
                    f"{name}: nothing of the box {corners.tolist()} ({self.unit}) is inside the image of "
                    f"{' x '.join(map(str, size))}."
                )
        result: torch.Tensor = convert_to_dst_type(mask, dst=image, dtype=torch.int16)[0]
        return result
