"""Average pooling that copes with images of any size."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class PerAxisAveragePool(nn.Module):
    """Average pooling whose kernel is, per axis, the stride or the axis' length, whichever is smaller.

    Plain pooling raises on an axis shorter than its kernel; elsewhere both are the same.

    Args:
        stride: stride and kernel of each spatial axis; 2 or 3 entries.

    Example:
        >>> PerAxisAveragePool((1, 2, 2))(torch.rand(1, 8, 5, 9, 1)).shape
        torch.Size([1, 8, 5, 4, 1])

    """

    def __init__(self, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = list(stride)

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`, (B, C, *spatial), to a size of max(1, size // stride) per axis."""
        kernel = [min(stride, size) for stride, size in zip(self.stride, x.shape[2:])]  # noqa: B905 (TorchScript)
        return F.avg_pool2d(x, kernel) if len(kernel) == 2 else F.avg_pool3d(x, kernel)
