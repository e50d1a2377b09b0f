"""Max pooling that remembers where its maxima were, and its inverse, for images of any size."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class MaxPoolWithIndices(nn.Module):
    """Max pooling as of :class:`PerAxisMaxPool`, which also returns where the maxima were.

    Args:
        stride: stride and kernel of each spatial axis; an axis that is shorter is reduced to one voxel.

    Example:
        >>> pooled, indices = MaxPoolWithIndices((2, 2))(torch.rand(1, 8, 5, 9))
        >>> pooled.shape, unpool(pooled, indices, [5, 9]).shape
        (torch.Size([1, 8, 2, 4]), torch.Size([1, 8, 5, 9]))

    """

    def __init__(self, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = list(stride)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pool a map.

        Args:
            x: the map, (B, C, *spatial).

        Returns:
            The pooled map, (B, C, *smaller), with max(1, size // stride) voxels per axis, and the maxima's positions
            in each channel's flattened volume: int64, of the same shape.

        """
        kernel = [min(stride, size) for stride, size in zip(self.stride, x.shape[2:])]  # noqa: B905 (TorchScript)
        if len(kernel) == 2:
            return F.max_pool2d(x, kernel, return_indices=True)
        return F.max_pool3d(x, kernel, return_indices=True)


def unpool(x: Tensor, indices: Tensor, size: list[int]) -> Tensor:
    """Put values back where max pooling took them from, and 0 everywhere else.

    As ``torch.nn.functional.max_unpool2d`` and ``max_unpool3d`` with an output size, but deterministic: those raise
    under ``torch.use_deterministic_algorithms(True)``. Windows of the pooling do not overlap, so no position is written
    twice.

    Args:
        x: the values, (B, C, *smaller).
        indices: positions in each channel's flattened volume, int64, as x.
        size: the volume's size, as before pooling.

    Returns:
        The map, (B, C, *size).

    """
    voxels = 1
    for n in size:
        voxels *= n
    empty = x.new_zeros([x.shape[0], x.shape[1], voxels])
    y: Tensor = empty.scatter(2, indices.flatten(2), x.flatten(2)).unflatten(2, size)
    return y
