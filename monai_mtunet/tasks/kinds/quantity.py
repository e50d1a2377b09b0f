"""A quantity with a unit as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from ignite.metrics import Metric
from torch import Tensor, nn

from ...losses import MissingAwareRegressionLoss
from ...metrics import MissingAwareMAEMetric, MissingAwareRMSEMetric
from ...pictures import ColorBar
from ...pictures.picture import Picture
from .regression import RegressionTask


class QuantityTask(RegressionTask):
    """A quantity with a unit in every voxel: a temperature, a relaxation time, a height.

    NaN marks missing voxels. Metrics, in the quantity's unit: ``<name>_mae`` and ``<name>_rmse``, over the valid voxels
    of each image, averaged over the images that have any; NaN where none has. It is saved as float32, not clipped.

    Args:
        name: the task's name.
        unit: of targets, predictions and metrics, such as "m".
        draw_range: lowest and highest value that pictures tell apart.
        colormap: matplotlib's name of the colors from the lowest to the highest.
        channels: channels of the quantity.
        scale: the network predicts the quantity divided by it, and the loss is of that: choose it so that numbers are
            around 1, which networks learn faster than hundreds, and which can be weighed against other losses. Files,
            pictures and metrics are in the unit whatever it is.
        loss: replaces the default, the mean absolute error over the valid voxels.

    Raises:
        ValueError: When the range is empty, the scale is not positive, or matplotlib does not know the color map.

    Example:
        >>> QuantityTask("relaxation", unit="ms", draw_range=(0, 200), scale=100)
    """

    errors: tuple[str, ...] = ("mae", "rmse")

    def __init__(
        self,
        name: str,
        unit: str,
        draw_range: Sequence[float],
        colormap: str = "magma",
        channels: int = 1,
        scale: float = 1.0,
        loss: nn.Module | None = None,
    ) -> None:
        super().__init__(name, channels, loss)
        if not scale > 0:
            raise ValueError(f"Task {name!r}: scale must be positive, got {scale}.")
        self.scale = scale
        self.unit = unit
        self.low, self.high = map(float, draw_range)
        if not self.low < self.high:
            raise ValueError(f"Task {name!r}: draw_range must be (lowest, highest), got {tuple(draw_range)}.")
        if colormap not in matplotlib.colormaps:
            raise ValueError(f'Task {name!r}: matplotlib has no color map {colormap!r}; take "turbo" or "magma".')
        self.colormap = colormap

    def default_loss(self) -> nn.Module:
        """Mean absolute error over the valid voxels."""
        return MissingAwareRegressionLoss("l1")

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        return {
            f"{self.name}_mae": self._measure(MissingAwareMAEMetric()),
            f"{self.name}_rmse": self._measure(MissingAwareRMSEMetric()),
        }

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, C, *spatial) in the unit -> float32, divided by the scale; checked for channels and infinities."""
        return super().prepare_target(target) / self.scale

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (C, *spatial) -> float32, in the task's unit."""
        return prediction.float() * self.scale

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Values (C, *spatial) in the task's unit, divided by the scale."""
        return values.float() / self.scale

    def values_of_target(self, target: Tensor) -> Tensor:
        """Prepared target (C, *spatial) in the task's unit."""
        return target * self.scale

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        prediction, target = super()._prediction_and_target(output)
        return prediction * self.scale, target * self.scale

    def draw(self, values: Tensor) -> Picture:
        """Values (C, H, W), of which the first channel is drawn, as colors; missing is white."""
        return self.color_bar().draw(values[0])

    def color_bar(self) -> ColorBar:
        """See :meth:`Task.color_bar`."""
        return ColorBar(self.low, self.high, f"{self.name} [{self.unit}]", self.colormap)

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`; the channels' names bear the unit of the network's output, such as "10 m"."""
        metadata = super().metadata(spatial_dims)
        unit = self.unit if self.scale == 1 else f"{self.scale:g} {self.unit}"
        return metadata | {
            "channel_def": {channel: f"{text} [{unit}]" for channel, text in metadata["channel_def"].items()}
        }
