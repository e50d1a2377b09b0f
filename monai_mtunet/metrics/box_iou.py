"""How well a box lies over another."""

from __future__ import annotations

import torch
from monai.metrics.regression import RegressionMetric
from torch import Tensor

from .nan_without_target import NaNWithoutTarget


class MissingAwareBoxIoUMetric(NaNWithoutTarget, RegressionMetric):
    """Intersection over union of one predicted and one true box per image, 0..1, averaged over the images with a box.

    Boxes are (B, 2 D): D starts and D stops along the spatial axes, in any one unit. A predicted box that stops before
    it starts is empty, and so is one with a NaN. A true box with a NaN is missing: its image is left out. NaN when no
    image has a box.

    Args:
        reduction: as in MONAI.
        get_not_nans: as in MONAI.

    Example:
        >>> iou = MissingAwareBoxIoUMetric()
        >>> iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 1, 2, 3]]))
        >>> iou.aggregate()
        tensor(0.3333)
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Boxes (B, 2 D) -> (B, 1)."""
        (starts, stops), (true_starts, true_stops) = y_pred.chunk(2, dim=1), y.chunk(2, dim=1)
        overlap = _volume(torch.maximum(starts, true_starts), torch.minimum(stops, true_stops))
        iou = overlap / (_volume(starts, stops) + _volume(true_starts, true_stops) - overlap)
        # Neither a prediction of NaN nor two empty boxes may pass for missing.
        return iou.nan_to_num(nan=0.0).masked_fill(torch.isnan(y).any(dim=1, keepdim=True), torch.nan)


def _volume(starts: Tensor, stops: Tensor) -> Tensor:
    return (stops - starts).clamp(min=0).prod(dim=1, keepdim=True)
