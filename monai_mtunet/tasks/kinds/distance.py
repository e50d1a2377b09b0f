"""Distance to a boundary as a task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...pictures.picture import Picture
from .quantity import QuantityTask


class DistanceTask(QuantityTask):
    """How far each voxel is from a boundary: signed, positive inside and negative outside, or not.

    `SignedDistanceMapd` makes such targets of label maps, one channel per class; `DistanceMapd` makes unsigned ones of
    instances or classes, also normalized: in parts of each object's greatest distance. NaN marks voxels without a
    target. Metrics, in the task's unit: ``<name>_mae`` and ``<name>_rmse``, over the valid elements of each image,
    averaged over the images that have any; NaN where none has.

    Args:
        name: the task's name.
        unit: "voxel", "mm", "um" or "normalized".
        truncate: distances are limited to -truncate..truncate (unsigned: 0..truncate): the targets, and what is
            measured and saved of the predictions. ``None`` for no limit.
        channels: distances per voxel, for example one per class.
        signed: whether distances outside are negative.
        draw_distance: the greatest distance that pictures tell apart; by default ``truncate``, or without it 20, or 1
            if it is normalized.
        scale: the network predicts distances divided by it: see :class:`QuantityTask`.
        loss: replaces the default, the mean absolute error over the valid elements.

    Raises:
        ValueError: When the unit is another, or a distance or the scale is not positive.

    Example:
        >>> DistanceTask("distance", unit="mm", truncate=10)
    """

    def __init__(
        self,
        name: str,
        unit: str = "voxel",
        truncate: float | None = None,
        channels: int = 1,
        signed: bool = True,
        draw_distance: float | None = None,
        scale: float = 1.0,
        loss: nn.Module | None = None,
    ) -> None:
        if unit not in ("voxel", "mm", "um", "normalized"):
            raise ValueError(f'Task {name!r}: unit must be "voxel", "mm", "um" or "normalized", got {unit!r}.')
        for what, value in (("truncate", truncate), ("draw_distance", draw_distance)):
            if value is not None and not value > 0:
                raise ValueError(f"Task {name!r}: {what} must be positive, got {value}.")
        farthest = draw_distance or truncate or (1.0 if unit == "normalized" else 20.0)
        # Diverging, with gray at the boundary: most diverging maps are white there, as missing voxels are.
        colormap = "coolwarm" if signed else "magma"
        super().__init__(name, unit, (-farthest if signed else 0.0, farthest), colormap, channels, scale, loss)
        self.truncate = truncate
        self.signed = signed

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, C, *spatial) -> float32, truncated, divided by the scale; checked for channels, infinities and signs."""
        if not self.signed and (target < 0).any():
            raise ValueError(
                f"Task {self.name!r}: the target holds negative distances, down to {target.nan_to_num().min():g}; "
                "declare it with signed=True, or derive unsigned distances."
            )
        return super().prepare_target(target).clamp(*(limit / self.scale for limit in self._limits()))

    def undo_scale(self, prediction: Tensor, factor: float) -> Tensor:
        """Enlarged by a factor, distances are as many times as long: in mm too, as the network sees no voxel size.

        Where they are truncated, an enlarged image gives less than the limit: ``truncate / factor``. Normalized ones
        stay.
        """
        return prediction if self.unit == "normalized" else prediction / factor

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (C, *spatial) -> float32 distances, truncated."""
        return super().postprocess(prediction).clamp(*self._limits())

    def draw(self, values: Tensor) -> Picture:
        """Distances (C, H, W) as colors, of several the greatest (the most inside); missing is white."""
        return self.color_bar().draw(values.nan_to_num(nan=-torch.inf).amax(dim=0))

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        prediction, target = super()._prediction_and_target(output)
        return prediction.clamp(*self._limits()), target

    def _limits(self) -> tuple[float, float]:
        highest = torch.inf if self.truncate is None else self.truncate
        return -highest if self.signed else 0.0, highest
