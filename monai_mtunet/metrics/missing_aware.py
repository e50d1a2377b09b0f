"""MONAI's metrics over the voxels that have a target; of images that have none they are NaN."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from monai.metrics import DiceMetric, MAEMetric, MSEMetric, PSNRMetric, RMSEMetric, SSIMMetric
from monai.metrics.regression import compute_ssim_and_cs
from torch import Tensor

from .nan_without_target import NaNWithoutTarget, mean_over_valid_elements


class MissingAwareDiceMetric(NaNWithoutTarget, DiceMetric):
    """MONAI's ``DiceMetric``, which leaves out classes that an image lacks; NaN when no image has any."""


class MissingAwareMSEMetric(NaNWithoutTarget, MSEMetric):
    """MONAI's ``MSEMetric`` per image over the voxels whose target is not NaN.

    An image without any target is left out; NaN when no image has one. A prediction that is NaN where there is a
    target counts as infinitely wrong: it must not pass for missing.

    Args:
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return _mean_squared_error(y_pred, y)


class MissingAwareRMSEMetric(NaNWithoutTarget, RMSEMetric):
    """MONAI's ``RMSEMetric``: the root of what `MissingAwareMSEMetric` measures, per image.

    Args:
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return _mean_squared_error(y_pred, y).sqrt()


class MissingAwareMAEMetric(NaNWithoutTarget, MAEMetric):
    """MONAI's ``MAEMetric`` per image over the voxels whose target is not NaN; see `MissingAwareMSEMetric`.

    Args:
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return mean_over_valid_elements(torch.abs(y_pred - y), ~torch.isnan(y))


class MissingAwarePSNRMetric(NaNWithoutTarget, PSNRMetric):
    """MONAI's ``PSNRMetric`` per image over the voxels whose target is not NaN: 10 log10(max_val^2 / MSE), in dB.

    An image without any target is left out; NaN when no image has one. A prediction that is NaN where there is a
    target counts as infinitely wrong, -inf dB: it must not pass for missing.

    Args:
        max_val: the width of the data range, for example 255 for 8-bit images.
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return 20 * math.log10(self.max_val) - 10 * torch.log10(_mean_squared_error(y_pred, y))


class MissingAwareSSIMMetric(NaNWithoutTarget, SSIMMetric):
    """MONAI's ``SSIMMetric`` averaged over the windows in which every voxel has a target.

    The window shrinks on axes shorter than it (to the largest odd size), so that thin volumes can be measured. An image
    without such a window is left out; NaN when no image has one. A window in which the prediction is NaN counts as 0.

    Args:
        spatial_dims: 2 or 3.
        data_range: the width of the data range.
        win_size: window size per axis, in voxels.
        reduction: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        window = [min(size, n - 1 + n % 2) for size, n in zip(self.kernel_size, y.shape[2:], strict=True)]
        missing = torch.isnan(y)
        # Filled, since a convolution by FFT would spread NaN beyond its window; without TF32, since the variances are
        # small differences of large numbers.
        with torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled, allow_tf32=False):
            ssim, _ = compute_ssim_and_cs(
                y_pred=y_pred.masked_fill(missing, 0),
                y=y.masked_fill(missing, 0),
                spatial_dims=self.spatial_dims,
                data_range=self.data_range,
                kernel_type=self.kernel_type,
                kernel_size=window,
                kernel_sigma=self.kernel_sigma,
                k1=self.k1,
                k2=self.k2,
            )
        max_pool = F.max_pool2d if self.spatial_dims == 2 else F.max_pool3d
        incomplete = max_pool(missing.float(), kernel_size=window, stride=1) > 0
        ssim = ssim.nan_to_num(nan=0.0).masked_fill(incomplete, torch.nan)
        return torch.nanmean(ssim.flatten(start_dim=1), dim=1, keepdim=True)


def _mean_squared_error(y_pred: Tensor, y: Tensor) -> Tensor:
    """Per image (B, 1), over the voxels whose target is not NaN."""
    return mean_over_valid_elements(torch.square(y_pred - y), ~torch.isnan(y))
