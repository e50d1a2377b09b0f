"""The angle between predicted and true directions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.metrics.regression import RegressionMetric
from monai.utils import MetricReduction
from torch import Tensor

from .nan_without_target import NaNWithoutTarget


class MissingAwareAngularErrorMetric(NaNWithoutTarget, RegressionMetric):
    """A statistic per image of the angles between predicted and true vectors, over the voxels that have a target.

    Fouhey, Gupta and Hebert, "Data-driven 3D primitives for single image understanding", ICCV 2013: the mean and
    median angle, and the shares of voxels within 11.25, 22.5 and 30 degrees. A voxel has a target where no component
    is NaN. An image without any is left out; NaN when no image has one. A prediction that is NaN counts as infinitely
    wrong. The lengths of the vectors do not matter; a prediction of length 0 is 90 degrees off.

    Args:
        statistic: "mean" or "median" angle, in degrees, or a number of degrees: the share of voxels, 0..1, whose angle
            is smaller.
        reduction: as in MONAI.
        get_not_nans: as in MONAI.

    Raises:
        ValueError: When the statistic is another word, or not within 0..180 degrees.

    Example:
        >>> angle = MissingAwareAngularErrorMetric("median")
        >>> angle(torch.tensor([[[1.0], [0.0]]]), torch.tensor([[[1.0], [1.0]]]))
        >>> angle.aggregate()
        tensor(45.)
    """

    def __init__(
        self,
        statistic: str | float = "mean",
        reduction: MetricReduction | str = MetricReduction.MEAN,
        get_not_nans: bool = False,
    ) -> None:
        super().__init__(reduction, get_not_nans)
        if statistic not in ("mean", "median") and (isinstance(statistic, str) or not 0 < statistic <= 180):
            raise ValueError(
                f'statistic must be "mean", "median" or an angle within 0..180 degrees, got {statistic!r}.'
            )
        self.statistic = statistic if isinstance(statistic, str) else "within"
        self.degrees = 180.0 if isinstance(statistic, str) else float(statistic)

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Vectors (B, D, *spatial) -> (B, 1)."""
        angles = _degrees_between(y_pred, y).nan_to_num(nan=torch.inf, posinf=torch.inf)
        missing = torch.isnan(y).any(dim=1)
        angles = angles.masked_fill(missing, torch.nan).flatten(start_dim=1)
        if self.statistic == "mean":
            return torch.nanmean(angles, dim=1, keepdim=True)
        if self.statistic == "median":
            # torch's median of an even number of values is the lower of the two in the middle; this is their mean.
            lower, upper = angles.nanmedian(dim=1, keepdim=True), (-angles).nanmedian(dim=1, keepdim=True)
            return (lower.values - upper.values) / 2
        within = (angles < self.degrees).float().masked_fill(torch.isnan(angles), torch.nan)
        return torch.nanmean(within, dim=1, keepdim=True)


def _degrees_between(first: Tensor, second: Tensor) -> Tensor:
    """Angles (B, *spatial) between vectors (B, D, *spatial).

    Kahan's formula, 2 atan2(|a - b|, |a + b|): an arc cosine in single precision errs by 0.02 degrees near 0 and 180.
    """
    first, second = F.normalize(first, dim=1), F.normalize(second, dim=1)
    half = torch.atan2((first - second).norm(dim=1), (first + second).norm(dim=1))
    return torch.rad2deg(2 * half)
