"""How good depth or disparity is, relative to itself."""

from __future__ import annotations

import torch
from monai.metrics.regression import RegressionMetric
from monai.utils import MetricReduction
from torch import Tensor

from .nan_without_target import NaNWithoutTarget, mean_over_valid_elements


class MissingAwareRelativeErrorMetric(NaNWithoutTarget, RegressionMetric):
    """Mean of |prediction - target| / target per image, over the voxels whose target is not NaN.

    An image without any target is left out; NaN when no image has one. A prediction that is NaN where there is a
    target counts as infinitely wrong. Targets must be positive.

    Args:
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return mean_over_valid_elements(torch.abs(y_pred - y) / y, ~torch.isnan(y))


class MissingAwareDeltaMetric(NaNWithoutTarget, RegressionMetric):
    """Share of voxels with max(prediction / target, target / prediction) < threshold per image, 0..1.

    Eigen, Puhrsch and Fergus, "Depth map prediction from a single image using a multi-scale deep network", NeurIPS
    2014, where the thresholds are 1.25, 1.25^2 and 1.25^3. Only voxels whose target is not NaN count, and
    a prediction that is not positive, or NaN, is never within the threshold. An image without any target is left out;
    NaN when no image has one. Targets must be positive.

    Args:
        threshold: above 1.
        reduction: as in MONAI.
        get_not_nans: as in MONAI.

    Raises:
        ValueError: When the threshold is not above 1.

    Example:
        >>> delta = MissingAwareDeltaMetric(1.25)
        >>> delta(torch.tensor([[[2.4, 1.0]]]), torch.tensor([[[2.0, 2.0]]]))
        >>> delta.aggregate()
        tensor(0.5000)
    """

    def __init__(
        self,
        threshold: float = 1.25,
        reduction: MetricReduction | str = MetricReduction.MEAN,
        get_not_nans: bool = False,
    ) -> None:
        super().__init__(reduction, get_not_nans)
        if not threshold > 1:
            raise ValueError(f"threshold must be above 1, got {threshold}.")
        self.threshold = threshold

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        # Products instead of ratios: neither 0 nor a negative prediction needs a case of its own.
        within = (y_pred > 0) & (y_pred < self.threshold * y) & (y < self.threshold * y_pred)
        return mean_over_valid_elements(within.float(), ~torch.isnan(y))
