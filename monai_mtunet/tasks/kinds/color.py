"""The color of an image of which only the lightness is seen, as a task."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric
from skimage.color import lab2rgb
from torch import Tensor, nn

from ...losses import MissingAwareRegressionLoss
from ...metrics import MissingAwareMAEMetric, MissingAwareRMSEMetric
from ...pictures.picture import Picture
from .regression import RegressionTask

_SCALE = 128.0  # of a and b, and 50 of L - 50: as `SplitColor` has them


class ColorTask(RegressionTask):
    """Colorization: the color a, b of CIELAB from the lightness L, of images only.

    `SplitColord` makes the input, L in -1..1 with one channel, and the target, a / 128 and b / 128 with NaN where they
    are missing. All other tasks of the network then see L only as well. Metrics, in units of CIELAB, over the valid
    values of each image, averaged over the images that have any, NaN where none has: ``<name>_mae`` and
    ``<name>_rmse``. It is saved as float32, (2, H, W), in units of CIELAB; panels show it with the input's
    lightness in RGB.

    Args:
        name: the task's name.
        loss: replaces the default, the mean squared error over the valid voxels.

    Example:
        >>> ColorTask("color")
    """

    errors = ("mae", "rmse")

    def __init__(self, name: str, loss: nn.Module | None = None) -> None:
        super().__init__(name, 2, loss)

    def default_loss(self) -> nn.Module:
        """Mean squared error over the valid voxels."""
        return MissingAwareRegressionLoss("mse")

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class.

        Raises:
            ValueError: When the network is for volumes, which have no color.
        """
        self._check(spatial_dims)
        return {
            f"{self.name}_mae": self._measure(MissingAwareMAEMetric()),
            f"{self.name}_rmse": self._measure(MissingAwareRMSEMetric()),
        }

    def _check(self, spatial_dims: int) -> None:
        if spatial_dims != 2:
            raise ValueError(
                f"Task {self.name!r}: only images have a color to predict, not volumes (spatial_dims = "
                f"{spatial_dims}); take it off the list of tasks."
            )

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        prediction, target = super()._prediction_and_target(output)
        return prediction * _SCALE, target * _SCALE

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 2, H, W) in -1..1 -> float32; checked for channels, dimensions and range."""
        self._check(target.ndim - 2)
        prepared = super().prepare_target(target)
        if (prepared.abs() > 1).any():
            raise ValueError(
                f"Task {self.name!r}: a and b must be within -1..1, got {prepared.nan_to_num().abs().max():g}; "
                "make them by SplitColord."
            )
        return prepared

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (2, H, W) -> float32 in units of CIELAB, not clipped."""
        return prediction.float() * _SCALE

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Units of CIELAB (2, H, W) -> the network's."""
        return values.float() / _SCALE

    def target_of_values(self, values: Tensor) -> Tensor:
        """Units of CIELAB (2, H, W) -> as `SplitColord` makes targets."""
        return values.float() / _SCALE

    def values_of_target(self, target: Tensor) -> Tensor:
        """Prepared target (2, H, W) in units of CIELAB."""
        return target * _SCALE

    def draw(self, values: Tensor) -> Picture:
        """Color (2, H, W) at a lightness of 65; missing is white."""
        return _rgb(torch.full_like(values[:1], 65.0), values)

    def draw_with_input(self, values: Tensor, image: Tensor, picture: Picture) -> Picture:
        """Color (2, H, W) at the lightness of the input (1, H, W); missing is white.

        Raises:
            ValueError: When the input is no lightness.
        """
        if len(image) != 1:
            raise ValueError(
                f"Task {self.name!r}: the network's input must be the lightness, one channel, got {len(image)}; make "
                "it by SplitColord, and build the network for one channel."
            )
        return _rgb((image + 1) * 50, values)

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        self._check(spatial_dims)
        return super().metadata(spatial_dims) | {
            "value_range": [-_SCALE, _SCALE],
            "channel_def": {"0": "a [CIELAB]", "1": "b [CIELAB]"},
        }


def _rgb(lightness: Tensor, color: Tensor) -> Picture:
    """L (1, H, W) and a, b (2, H, W), in units of CIELAB -> RGB (H, W, 3); NaN is white."""
    lab = torch.cat([lightness.cpu().double().clamp(0, 100), color.cpu().double().clamp(-_SCALE, _SCALE)]).numpy()
    missing = np.isnan(lab).any(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # colors that no screen shows are clipped, and scikit-image says so each time
        rgb = lab2rgb(np.where(missing, 0, lab), channel_axis=0)
    picture: Picture = (rgb * 255).round().astype(np.uint8).transpose(1, 2, 0)
    picture[missing] = 255
    return picture
