"""Boxes around what a label map shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.config import KeysCollection

from .box_around import box_around, check_box_unit
from .make_target import MakeTarget

__all__ = ["BoxOfLabelsd"]


class BoxOfLabelsd(MakeTarget):
    """The box around labels of a map: the target of a `BoundingBoxTask` from that of a segmentation.

    Place it after all that crops, flips, resizes, pads or rotates: the box is then of what is seen of the labels. It
    is ``(2 D,)``, float32: starts along the spatial axes, then stops; NaN where none of the labels is.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers. They stay.
        new_keys: where to put the boxes, one per key: the name of the task.
        labels: what is inside, by label; by default all but 0 and ``ignore_index``.
        unit: "normalized", in parts of the map's size, or "voxel"; that of the task.
        ignore_index: the label of voxels that are not known, such as padding: they are not inside.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the unit is another, or, of a sample, when there is not one channel.

    Example:
        >>> sample = {"segment": torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0]]])}
        >>> BoxOfLabelsd("segment", "box", unit="voxel")(sample)["box"]
        tensor([1., 1., 2., 3.])
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int] | None = None,
        unit: str = "normalized",
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, new_keys, allow_missing_keys)
        check_box_unit(unit)
        self.labels = labels
        self.unit = unit
        self.ignore_index = ignore_index

    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The box of a label map."""
        labels = torch.as_tensor(source).cpu().numpy()
        known = (labels != 0) & (labels != self.ignore_index)
        return box_around(known if self.labels is None else np.isin(labels, self.labels), self.unit)
