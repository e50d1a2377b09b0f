"""The loss of directions over the voxels that have one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .over_ranks import mean_over_valid


class MissingAwareCosineLoss(nn.Module):
    """1 - the mean cosine between predicted and true vectors, over the valid voxels of all ranks' batches.

    It is the loss of normals in Liu, Johns and Davison, "End-to-end multi-task learning with attention", CVPR 2019. A
    voxel is valid where no component of its target is NaN. The prediction is divided by its length, so only its
    direction counts. A batch without any valid voxel gives 0, still connected to the prediction, so that training
    goes on.

    Args:
        eps: smallest length to divide by; the gradient at a prediction of length 0 stays finite.

    Raises:
        ValueError: When ``eps`` is not positive.

    Example:
        >>> MissingAwareCosineLoss()(torch.tensor([[[3.0], [0.0], [4.0]]]), torch.tensor([[[0.0], [0.0], [1.0]]]))
        tensor(0.2000)
    """

    def __init__(self, eps: float = 1e-6) -> None:
        super().__init__()
        if not eps > 0:
            raise ValueError(f"eps must be positive, got {eps}.")
        self.eps = eps

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare.

        Args:
            prediction: (B, D, *spatial), of any length but 0.
            target: the same shape, unit vectors; NaN marks missing voxels.

        Returns:
            0-d tensor, 0..2.

        Raises:
            ValueError: When the shapes differ: broadcasting would average over the wrong elements.
        """
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction has shape {tuple(prediction.shape)} but its target {tuple(target.shape)}: "
                "directions need the same components and spatial size."
            )
        valid = _valid(target)
        # Filling before computing: zeroing the cosine afterwards would give NaN gradients (0 * NaN).
        filled = torch.where(valid.unsqueeze(1), target, 0)
        # In single precision under autocast too: the square of 300 is beyond half precision.
        cosine = F.cosine_similarity(prediction.float(), filled.float(), dim=1, eps=self.eps)
        return mean_over_valid((valid.float() - cosine).sum(), valid.sum())  # 0 - 0 where a voxel is missing

    def valid_count(self, target: Tensor) -> Tensor:
        """Number of voxels that have a target, 0-d."""
        return _valid(target).sum()


def _valid(target: Tensor) -> Tensor:
    """(B, *spatial), whether no component is NaN."""
    return ~torch.isnan(target).any(dim=1)
