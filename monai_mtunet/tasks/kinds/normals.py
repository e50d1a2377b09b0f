"""Surface normals as a task."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from ignite.metrics import Metric
from torch import Tensor, nn

from ...losses import MissingAwareCosineLoss
from ...metrics import MissingAwareAngularErrorMetric
from ...pictures.picture import Picture
from ..averaging import DirectionAveraging
from .regression import RegressionTask


class NormalsTask(RegressionTask):
    """The direction of the surface that is seen, a unit vector per voxel.

    The components are (x, y, z): of images, x along the columns (the last axis of (C, H, W)), y along the rows and z
    along the viewing direction; of volumes (C, X, Y, Z) along these axes. Which way each points is the data's choice,
    only the axis matters to flips (`RandFlipGeometryd`). Predictions are of any length, and only their direction
    counts. They are along the axes of the network's input: preprocessing that flips or swaps axes is undone in where
    a saved vector stands, not in its components.

    NaN marks voxels without a target. Metrics, each over the valid voxels of an image, then averaged over the images
    that have any, NaN where none has: ``<name>_mean_angle`` and ``<name>_median_angle`` in degrees, and the shares of
    voxels that are less than 11.25, 22.5 and 30 degrees off, ``<name>_within_11_25``, ``_within_22_5``, ``_within_30``.
    Unit vectors are saved, as float32.

    Args:
        name: the task's name.
        channels: components, 3, or 2 for directions within an image.
        loss: replaces the default, 1 - the mean cosine over the valid voxels.

    Raises:
        ValueError: When there are neither 2 nor 3 components.

    Example:
        >>> NormalsTask("normals")
    """

    averaging = DirectionAveraging()
    errors = ("mean_angle", "median_angle")
    is_direction = True

    def __init__(self, name: str, channels: int = 3, loss: nn.Module | None = None) -> None:
        super().__init__(name, channels, loss)
        if channels not in (2, 3):
            raise ValueError(f"Task {name!r}: a direction has 2 or 3 components, got {channels} channels.")

    def default_loss(self) -> nn.Module:
        """1 - the mean cosine over the valid voxels."""
        return MissingAwareCosineLoss()

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        statistics: dict[str, str | float] = {"mean_angle": "mean", "median_angle": "median"}
        statistics |= {"within_11_25": 11.25, "within_22_5": 22.5, "within_30": 30.0}
        return {
            f"{self.name}_{name}": self._measure(MissingAwareAngularErrorMetric(statistic))
            for name, statistic in statistics.items()
        }

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, D, *spatial) -> float32 unit vectors, checked for channels, infinities and vectors of length 0.

        Resampled or rounded vectors are brought back to length 1; a voxel is missing as a whole.
        """
        target = super().prepare_target(target)
        length = target.norm(dim=1, keepdim=True)
        if (length == 0).any():
            raise ValueError(
                f"Task {self.name!r}: {int((length == 0).sum())} vector(s) of the target have length 0; "
                "mark voxels without a normal with NaN."
            )
        unit: Tensor = target / length
        return unit

    def undo_flip(self, prediction: Tensor, spatial_axis: int) -> Tensor:
        """Negate the component along the axis, as `RandFlipGeometryd` does to targets.

        Raises:
            ValueError: When the vectors have no component along the axis.
        """
        component = 1 - spatial_axis if prediction.ndim == 4 else spatial_axis
        if component >= self.channels:
            raise ValueError(
                f"Task {self.name!r}: its vectors of {self.channels} components have none along spatial axis "
                f"{spatial_axis}; do not flip it."
            )
        signs = torch.ones(self.channels, device=prediction.device, dtype=prediction.dtype)
        signs[component] = -1
        return prediction * signs.view(-1, *[1] * (prediction.ndim - 2))

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (D, *spatial) -> unit vectors, float32."""
        # In double precision, so that the last digit does not depend on where a voxel is in memory.
        return F.normalize(prediction.double(), dim=0).float()

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Unit vectors (D, *spatial) as they are."""
        return values.float()

    def draw(self, values: Tensor) -> Picture:
        """Unit vectors (D, H, W) as red, green and blue, each (component + 1) / 2; missing is white."""
        if self.channels == 2:
            values = torch.cat([values, torch.zeros_like(values[:1])])
        picture = ((values.float().cpu() + 1) / 2).masked_fill(values.cpu().isnan().any(dim=0), 1)
        drawn: Picture = (picture.clamp(0, 1) * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
        return drawn

    def legend(self) -> dict[str, tuple[int, int, int]]:
        """The colors of the axes' positive directions."""
        axes = {"x": (255, 128, 128), "y": (128, 255, 128), "z": (128, 128, 255)}
        return dict(list(axes.items())[: self.channels])
