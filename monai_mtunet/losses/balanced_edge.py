"""The loss of edges, of which there are few among many voxels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .over_ranks import mean_over_valid, sum_over_ranks


class BalancedEdgeLoss(nn.Module):
    """Binary cross-entropy in which all edge voxels together weigh as much as all others.

    Xie and Tu, "Holistically-nested edge detection", ICCV 2015, equation 2: an edge voxel has the weight beta, the
    share of the others, and each of the others 1 - beta. The shares are those among the voxels whose label is not
    ``ignore_index``, of all ranks' batches, where the paper takes one image at a time: an image without any edge so
    counts as well. The paper sums; here the sum is divided by the number of valid voxels.

    A batch without any valid voxel gives 0, still connected to the prediction, as does one with only edges, or none.

    Args:
        ignore_index: the label that marks voxels without a target.

    Example:
        >>> loss = BalancedEdgeLoss()
        >>> loss(torch.zeros(1, 1, 1, 4), torch.tensor([[[[1, 0, 0, 255]]]]))  # 4/9 log 2
        tensor(0.3081)
    """

    def __init__(self, ignore_index: int = 255) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare.

        Args:
            prediction: logits (B, 1, *spatial).
            target: the same shape, integers: 1 for edges, 0, or ``ignore_index``.

        Returns:
            0-d tensor.

        Raises:
            ValueError: When the shapes differ.
        """
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction has shape {tuple(prediction.shape)} but its target {tuple(target.shape)}: "
                "edges need one channel and the prediction's spatial size."
            )
        valid = target != self.ignore_index
        edges = target == 1
        count, edge_count = sum_over_ranks(valid.sum()), sum_over_ranks(edges.sum())
        edge_share = edge_count / count.clamp(min=1)
        weights = (edges * (1 - edge_share) + ~edges * edge_share) * valid
        total = F.binary_cross_entropy_with_logits(prediction, edges.to(prediction), weights, reduction="sum")
        return mean_over_valid(total, valid.sum())

    def valid_count(self, target: Tensor) -> Tensor:
        """Number of voxels that have a label, 0-d."""
        return (target != self.ignore_index).sum()
