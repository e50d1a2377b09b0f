"""The loss of quantities over the voxels that have a target."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .over_ranks import mean_over_valid

_DISTANCES = {"mse": F.mse_loss, "l1": F.l1_loss, "smooth_l1": F.smooth_l1_loss}


class MissingAwareRegressionLoss(nn.Module):
    """Mean distance between prediction and target over the voxels whose target is not NaN, of all ranks' batches.

    A batch without any valid voxel gives 0, still connected to the prediction, so that training goes on.

    Args:
        distance: ``"mse"`` (the denoising loss of the UMC paper, section 4.1), ``"l1"`` or ``"smooth_l1"``.

    Raises:
        ValueError: When ``distance`` is none of these.

    Example:
        >>> loss = MissingAwareRegressionLoss("l1")
        >>> loss(torch.tensor([[1.0, 5.0]]), torch.tensor([[0.0, torch.nan]]))
        tensor(1.)
    """

    def __init__(self, distance: str = "mse") -> None:
        super().__init__()
        if distance not in _DISTANCES:
            raise ValueError(f"distance must be one of {sorted(_DISTANCES)}, got {distance!r}.")
        self.distance = _DISTANCES[distance]

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare.

        Args:
            prediction: (B, C, *spatial).
            target: the same shape; NaN marks missing voxels.

        Returns:
            0-d tensor.

        Raises:
            ValueError: When the shapes differ: broadcasting would average over the wrong elements.
        """
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction has shape {tuple(prediction.shape)} but its target {tuple(target.shape)}: "
                "a regression target needs the same channels and spatial size."
            )
        valid = ~torch.isnan(target)
        # Filling before computing: zeroing the distance afterwards would give NaN gradients (0 * NaN).
        filled = torch.where(valid, target, prediction.detach())
        total: Tensor = self.distance(prediction, filled, reduction="sum")
        return mean_over_valid(total, valid.sum())

    def valid_count(self, target: Tensor) -> Tensor:
        """Number of elements that have a target, 0-d."""
        return (~torch.isnan(target)).sum()
