"""Depth or disparity as a task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ignite.metrics import Metric
from torch import Tensor, nn

from ...metrics import (
    MissingAwareDeltaMetric,
    MissingAwareMAEMetric,
    MissingAwareRelativeErrorMetric,
    MissingAwareRMSEMetric,
)
from .quantity import QuantityTask

# Unit and range that is drawn: rooms as in NYUv2, and street scenes as in Cityscapes.
_DEFAULTS = {"depth": ("m", (0.0, 10.0)), "disparity": ("px", (0.0, 128.0))}


class DepthTask(QuantityTask):
    """How far what is seen is: depth, or disparity, which is larger the nearer.

    Targets are positive; NaN marks pixels without a measurement. A disparity of 0, infinitely far, has no relative
    error and counts as missing; a depth of 0 is an error. The equations 2 and 3 of the MT-UNet paper average
    over all pixels; here, as in MTAN's code, only valid ones count. Metrics, each over the valid pixels of an image,
    then averaged over the images that have any, NaN where none has: ``<name>_abs`` (mean error, in the task's unit),
    ``<name>_rel`` (mean of error / target), ``<name>_rmse`` (in the unit) and ``<name>_delta1``, ``_delta2``,
    ``_delta3``, the shares of pixels with max(p / t, t / p) below 1.25, 1.25^2 and 1.25^3, which a prediction p that
    is not positive never is. Every image counts the same, so that sparse measurements weigh no less than dense ones;
    where all pixels are valid this is the mean over all pixels of the set (but for the root in ``_rmse``).

    Args:
        name: the task's name.
        unit: of targets, predictions and metrics; by default "m" for depth and "px" for disparity.
        draw_range: nearest and farthest value that pictures tell apart, in the unit; by default (0, 10) for depth and
            (0, 128) for disparity. (0, 0.5) suits the normalized disparity of MTAN's Cityscapes.
        quantity: "depth" or "disparity": how ``unit`` and ``draw_range`` default.
        scale: the network predicts values divided by it, such as 10 for meters of a street: see :class:`QuantityTask`.
        colormap: "turbo", which shows most detail, "magma", or another name that matplotlib knows.
        loss: replaces the default, the mean absolute error over the valid pixels.

    Raises:
        ValueError: When the quantity is another, the range is empty, the scale is not positive, or matplotlib does not
            know the color map.

    Example:
        >>> DepthTask("depth", draw_range=(0, 30), scale=10)
        >>> DepthTask("disparity", quantity="disparity")
    """

    errors = ("abs", "rel", "rmse")

    def __init__(
        self,
        name: str,
        unit: str | None = None,
        draw_range: Sequence[float] | None = None,
        quantity: str = "depth",
        scale: float = 1.0,
        colormap: str = "turbo",
        loss: nn.Module | None = None,
    ) -> None:
        if quantity not in _DEFAULTS:
            raise ValueError(f"Task {name!r}: quantity must be one of {list(_DEFAULTS)}, got {quantity!r}.")
        default_unit, default_range = _DEFAULTS[quantity]
        super().__init__(name, unit or default_unit, draw_range or default_range, colormap, scale=scale, loss=loss)
        self.quantity = quantity
        self.zoom_exponent = -1 if quantity == "depth" else 1

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        return {
            f"{self.name}_abs": self._measure(MissingAwareMAEMetric()),
            f"{self.name}_rel": self._measure(MissingAwareRelativeErrorMetric()),
            f"{self.name}_rmse": self._measure(MissingAwareRMSEMetric()),
            **{f"{self.name}_delta{k}": self._measure(MissingAwareDeltaMetric(1.25**k)) for k in (1, 2, 3)},
        }

    def undo_scale(self, prediction: Tensor, factor: float) -> Tensor:
        """Enlarged by a factor, what is seen is as many times as near."""
        return prediction * factor if self.quantity == "depth" else prediction / factor

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 1, *spatial) -> float32, divided by the scale; checked as all quantities, and for not being positive."""
        if self.quantity == "disparity":
            target = torch.where(target == 0, torch.nan, target)
        wrong = target <= 0
        if wrong.any():
            raise ValueError(
                f"Task {self.name!r}: {int(wrong.sum())} value(s) of the target are not positive, such as "
                f"{target[wrong][0].item():g}; mark pixels without a measurement with NaN."
            )
        return super().prepare_target(target)
