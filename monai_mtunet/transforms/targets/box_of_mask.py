"""Boxes of masks, after a sample is augmented."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import Transform

from ..declared_tasks import DeclaredTasks
from .box_around import box_around, check_box_unit

__all__ = ["BoxOfMaskd"]


class BoxOfMaskd(Transform):
    """The masks that `PaintBoxd` painted become boxes again, in their place; `BoxOfLabelsd` makes boxes of label maps.

    Place it after all that crops, flips, resizes, pads or rotates: the box is then of what is seen of the mask. It is
    ``(2 D,)``, float32: starts along the spatial axes, then stops. It is NaN where nothing is inside, be it that the
    box was missing or that a crop left it out.

    Args:
        tasks: the declared tasks, with boxes or without; their boxes are made.
        unit: "normalized", in parts of the mask's size, or "voxel"; that of the task.

    Raises:
        ValueError: When the unit is another.

    Example:
        >>> tasks = TaskList([BoundingBoxTask("box")])
        >>> BoxOfMaskd(tasks, unit="voxel")({"box": torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0]]])})["box"]
        tensor([1., 1., 2., 3.])
    """

    def __init__(self, tasks: DeclaredTasks, unit: str = "normalized") -> None:
        check_box_unit(unit)
        self.names = tasks.box_names
        self.unit = unit

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Make the boxes of a sample; those it lacks are passed by.

        Raises:
            ValueError: When a mask has not one channel, such as a box that was never painted.
        """
        sample = dict(data)
        for name in self.names:
            if name in sample:
                # Only 1 is inside: neither what is outside, 0, nor what is missing.
                sample[name] = box_around((torch.as_tensor(sample[name]) == 1).cpu().numpy(), self.unit)
        return sample
