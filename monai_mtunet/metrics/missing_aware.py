"""MONAI's image quality metrics over the voxels that have a target."""

from __future__ import annotations

import math

import torch
from monai.metrics import PSNRMetric, SSIMMetric
from monai.metrics.regression import compute_ssim_and_cs
from torch import Tensor


class MissingAwarePSNRMetric(PSNRMetric):
    """MONAI's ``PSNRMetric`` per image over the voxels whose target is not NaN: 10 log10(max_val^2 / MSE), in dB.

    An image without any target is NaN, which MONAI's reductions leave out.

    Args:
        max_val: the width of the data range, for example 255 for 8-bit images.
        reduction: as in MONAI.
        get_not_nans: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        squared_error = torch.square(y_pred - y).flatten(start_dim=1)
        mse = torch.nanmean(squared_error, dim=1, keepdim=True)
        return 20 * math.log10(self.max_val) - 10 * torch.log10(mse)


class MissingAwareSSIMMetric(SSIMMetric):
    """MONAI's ``SSIMMetric`` averaged over the windows in which every voxel has a target.

    The window shrinks on axes shorter than it (to the largest odd size), so that thin volumes can be measured.

    Args:
        spatial_dims: 2 or 3.
        data_range: the width of the data range.
        win_size: window size per axis, in voxels.
        reduction: as in MONAI.
    """

    def _compute_metric(self, y_pred: Tensor, y: Tensor) -> Tensor:
        window = [min(size, n - 1 + n % 2) for size, n in zip(self.kernel_size, y.shape[2:], strict=True)]
        ssim, _ = compute_ssim_and_cs(
            y_pred=y_pred,
            y=y,
            spatial_dims=self.spatial_dims,
            data_range=self.data_range,
            kernel_type=self.kernel_type,
            kernel_size=window,
            kernel_sigma=self.kernel_sigma,
            k1=self.k1,
            k2=self.k2,
        )
        # A NaN target makes every window that touches it NaN, and no other.
        return torch.nanmean(ssim.flatten(start_dim=1), dim=1, keepdim=True)
