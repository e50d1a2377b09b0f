"""What the metrics share that know missing targets."""

from __future__ import annotations

import torch
from monai.metrics import CumulativeIterationMetric
from monai.utils import MetricReduction
from torch import Tensor


class NaNWithoutTarget(CumulativeIterationMetric):
    """NaN where no image has a target: MONAI's reductions give 0 then, which claims a result.

    A base beside one of MONAI's metrics, before it in the list of bases.
    """

    def aggregate(self, reduction: MetricReduction | str | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Reduce the buffer over images and ranks, as the MONAI metric does."""
        result: Tensor | tuple[Tensor, Tensor] = super().aggregate(reduction)  # type: ignore[safe-super]
        if isinstance(result, Tensor) and torch.isnan(self.get_buffer()).all():
            return torch.full_like(result, torch.nan)
        return result


def mean_over_valid_elements(values: Tensor, valid: Tensor) -> Tensor:
    """Mean per image, NaN for an image without any valid element.

    Args:
        values: (B, C, *spatial); NaN at a valid element counts as infinite, since what a network fails to predict must
            not pass for missing.
        valid: booleans of the same shape.

    Returns:
        (B, 1).
    """
    values = values.nan_to_num(nan=torch.inf, posinf=torch.inf).masked_fill(~valid, torch.nan)
    return torch.nanmean(values.flatten(start_dim=1), dim=1, keepdim=True)
