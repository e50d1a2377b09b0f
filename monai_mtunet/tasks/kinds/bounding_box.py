"""One box per image as a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric
from torch import Tensor, nn

from ...losses import MissingAwareRegressionLoss
from ...metrics import MissingAwareBoxIoUMetric, MissingAwareMSEMetric
from ...pictures.picture import Picture
from ..saved_as import SavedAs
from .regression import RegressionTask

_SIDES = {2: ("top", "left", "bottom", "right"), 3: ("x_start", "y_start", "z_start", "x_stop", "y_stop", "z_stop")}
_SCALES = {"normalized": 1.0, "voxel": 100.0}
_FRAME = (230, 97, 0)


class BoundingBoxTask(RegressionTask):
    """One box per image, such as that of an animal's head or of an organ. It is not dense: the head gives (B, 2 D).

    A box is where it starts along each of the D spatial axes, then where it stops along each: (top, left, bottom,
    right) of images (C, H, W). Places are borders of voxels, so that a box around voxels 2 to 4 of ten is from 2 to 5,
    or from 0.2 to 0.5. Normalized boxes, the default, are in parts of the image's size: they survive resizing, in
    files too, though not crops. All of a box is NaN where there is none; `BoxOfMaskd` makes boxes of masks after
    augmentation.

    Metrics, of the images that have a box: ``<name>_iou``, the mean intersection over union, 0..1, and ``<name>_l2``,
    the mean squared error of the coordinates in squared voxels of the network's input (px^2), whatever the unit. NaN
    where no image has one.

    A box is of the whole image, and windows do not tell it: infer in one piece, such as with ``SimpleInferer``.

    Args:
        name: the task's name.
        spatial_dims: 2 or 3.
        unit: of targets and files, "normalized" or "voxel" (pixels of images).
        scale: the network predicts coordinates divided by it, and the loss is of that: by default 1 for normalized
            boxes and 100 for voxels, which gives the auxiliary-task study's loss, 1e-4 of the squared error in px^2.
        loss: replaces the default, the mean squared error over the coordinates of the images that have a box.

    Raises:
        ValueError: When there are not 2 or 3 dimensions, the unit is another, or the scale is not positive.

    Example:
        >>> BoundingBoxTask("box")
        >>> BoundingBoxTask("box", unit="voxel")
    """

    errors = ("l2",)
    is_box = True
    saved_as = SavedAs.JSON

    def __init__(
        self,
        name: str,
        spatial_dims: int = 2,
        unit: str = "normalized",
        scale: float | None = None,
        loss: nn.Module | None = None,
    ) -> None:
        super().__init__(name, 2 * spatial_dims, loss)
        if spatial_dims not in _SIDES:
            raise ValueError(f"Task {name!r}: spatial_dims must be 2 or 3, got {spatial_dims}.")
        if unit not in _SCALES:
            raise ValueError(f"Task {name!r}: unit must be one of {list(_SCALES)}, got {unit!r}.")
        if scale is not None and not scale > 0:
            raise ValueError(f"Task {name!r}: scale must be positive, got {scale}.")
        self.unit = unit
        self.scale = _SCALES[unit] if scale is None else float(scale)
        self.sides = _SIDES[spatial_dims]

    def default_loss(self) -> nn.Module:
        """Mean squared error over the coordinates of the images that have a box."""
        return MissingAwareRegressionLoss("mse")

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        return {
            f"{self.name}_iou": self._measure(MissingAwareBoxIoUMetric()),
            f"{self.name}_l2": self._measure(MissingAwareMSEMetric()),
        }

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Both in voxels of the network's input."""
        boxes = (values * self.scale for values in super()._prediction_and_target(output))
        if self.unit == "normalized":
            size = torch.tensor(output["image"].shape[2:]).repeat(2)
            boxes = (box * size.to(box) for box in boxes)
        prediction, target = boxes
        return prediction, target

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 2 D) in the unit -> float32, divided by the scale; checked to be boxes, or NaN as a whole."""
        if target.ndim != 2:
            raise ValueError(
                f"Task {self.name!r}: there must be one box per image, (B, {self.channels}), got {tuple(target.shape)}."
            )
        boxes = super().prepare_target(target)
        missing = torch.isnan(boxes)
        starts, stops = boxes.nan_to_num(nan=0.0).chunk(2, dim=1)
        wrong = (missing.any(dim=1) & ~missing.all(dim=1)) | (stops < starts).any(dim=1)
        if wrong.any():
            raise ValueError(
                f"Task {self.name!r}: {boxes[wrong][0].tolist()} is no box ({', '.join(self.sides)}): it must stop "
                "where it starts or later, and be NaN as a whole where it is missing."
            )
        if self.unit == "normalized" and ((boxes < -1e-4) | (boxes > 1 + 1e-4)).any():
            raise ValueError(
                f"Task {self.name!r}: normalized boxes are within 0..1, got up to {boxes.nan_to_num().max():g} and "
                f"down to {boxes.nan_to_num().min():g}; divide by the image's size, or declare unit='voxel'."
            )
        return boxes / self.scale

    def undo_flip(self, prediction: Tensor, spatial_axis: int) -> Tensor:
        """Boxes (B, 2 D) of flipped images -> of the images.

        Raises:
            ValueError: When boxes are in voxels: their distance from the other border is not known.
        """
        if self.unit == "voxel":
            raise ValueError(f"Task {self.name!r}: only normalized boxes can be flipped, not such in voxels.")
        boxes = prediction.clone()
        stop = spatial_axis + self.channels // 2
        boxes[:, [spatial_axis, stop]] = 1 / self.scale - prediction[:, [stop, spatial_axis]]
        return boxes

    def undo_scale(self, prediction: Tensor, factor: float) -> Tensor:
        """Boxes (B, 2 D) of resized images -> of the images."""
        return prediction if self.unit == "normalized" else prediction / factor

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (2 D,) -> float32 in the task's unit, not clipped."""
        return prediction.float() * self.scale

    def values_of_target(self, target: Tensor) -> Tensor:
        """Prepared target (2 D,) in the task's unit."""
        return target * self.scale

    def to_json(self, values: Tensor) -> dict[str, Any]:
        """A box (2 D,) by sides, and its unit."""
        return {"box": dict(zip(self.sides, values.tolist(), strict=True)), "unit": self.unit}

    def from_json(self, content: Mapping[str, Any]) -> Tensor:
        """A box (2 D,).

        Raises:
            ValueError: When it is in another unit than the task's.
        """
        if content["unit"] != self.unit:
            raise ValueError(f"Task {self.name!r} is in the unit {self.unit!r}, the box in {content['unit']!r}.")
        return torch.tensor([content["box"][side] for side in self.sides], dtype=torch.float32)

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """A box (2 D,) in the task's unit, divided by the scale."""
        return values / self.scale

    def draw(self, values: Tensor) -> Picture:
        """A box (2 D,) on white."""
        side = 128 if self.unit == "normalized" else max(1, int(values.nan_to_num().max().ceil()))
        return self._framed(values, np.full((side, side, 3), 255, dtype=np.uint8))

    def draw_with_input(self, values: Tensor, image: Tensor, picture: Picture) -> Picture:
        """A box (2 D,) on the input; of a volume what the middle slice shows. A missing one leaves the input bare."""
        return self._framed(values, picture)

    def _framed(self, values: Tensor, picture: Picture) -> Picture:
        picture = picture.copy()
        if values.isnan().any():
            return picture
        height, width = picture.shape[:2]
        box = values.double().cpu().numpy().reshape(2, -1)[:, :2]
        if len(self.sides) == 6:  # middle slices are turned: x runs right and y up
            up = 1 if self.unit == "normalized" else height
            box = np.array([[up - box[1, 1], box[0, 0]], [up - box[0, 1], box[1, 0]]])
        if self.unit == "normalized":
            box = box * (height, width)
        top, left, bottom, right = (box.round() - ((0, 0), (1, 1))).clip(0, (height - 1, width - 1)).astype(int).ravel()
        line = max(1, round(min(height, width) / 64))
        frame = np.ones((max(bottom - top, 0) + 1, max(right - left, 0) + 1), dtype=bool)
        frame[line:-line, line:-line] = False
        picture[top : top + frame.shape[0], left : left + frame.shape[1]][frame] = _FRAME
        return picture

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`; the channels' names bear the unit."""
        return super().metadata(spatial_dims) | {
            "type": "vector",
            "format": "bounding box",
            "spatial_shape": [],
            "value_range": [0, 1] if self.unit == "normalized" else [],
            "channel_def": {str(index): f"{side} [{self.unit}]" for index, side in enumerate(self.sides)},
        }
