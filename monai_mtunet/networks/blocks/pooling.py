"""Pooling that takes images of any size and anisotropic strides, its inverse, and the strides of a network's levels."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

Strides = int | Sequence[int | Sequence[int]]


class PerAxisPool(nn.Module):
    """Pooling whose kernel is, per axis, the stride or the axis' length, whichever is smaller.

    Plain pooling raises on an axis shorter than its kernel; here such an axis is reduced to one voxel and a
    1-voxel axis stays as it is, so that a network takes images of any size. Elsewhere both are the same.

    Args:
        stride: stride and kernel of each spatial axis; 2 or 3 entries.

    """

    def __init__(self, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = list(stride)

    def kernel(self, x: Tensor) -> list[int]:
        """Kernel and stride for `x`, (B, C, *spatial)."""
        return [min(stride, size) for stride, size in zip(self.stride, x.shape[2:])]  # noqa: B905 (TorchScript)


class PerAxisMaxPool(PerAxisPool):
    """Max pooling by :class:`PerAxisPool`.

    Example:
        >>> PerAxisMaxPool((1, 2, 2))(torch.rand(1, 8, 5, 9, 1)).shape
        torch.Size([1, 8, 5, 4, 1])

    """

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`, (B, C, *spatial), to a size of max(1, size // stride) per axis."""
        kernel = self.kernel(x)
        return F.max_pool2d(x, kernel) if len(kernel) == 2 else F.max_pool3d(x, kernel)


class PerAxisAveragePool(PerAxisPool):
    """Average pooling by :class:`PerAxisPool`.

    Example:
        >>> PerAxisAveragePool((1, 2, 2))(torch.rand(1, 8, 5, 9, 1)).shape
        torch.Size([1, 8, 5, 4, 1])

    """

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`, (B, C, *spatial), to a size of max(1, size // stride) per axis."""
        kernel = self.kernel(x)
        return F.avg_pool2d(x, kernel) if len(kernel) == 2 else F.avg_pool3d(x, kernel)


class MaxPoolWithIndices(PerAxisPool):
    """:class:`PerAxisMaxPool` that also returns where the maxima were, for :func:`unpool`.

    Example:
        >>> pooled, indices = MaxPoolWithIndices((2, 2))(torch.rand(1, 8, 5, 9))
        >>> pooled.shape, unpool(pooled, indices, [5, 9]).shape
        (torch.Size([1, 8, 2, 4]), torch.Size([1, 8, 5, 9]))

    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pool a map.

        Args:
            x: the map, (B, C, *spatial).

        Returns:
            The pooled map, (B, C, *smaller), with max(1, size // stride) voxels per axis, and the maxima's positions
            in each channel's flattened volume: int64, of the same shape.

        """
        kernel = self.kernel(x)
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


def strides_per_level(strides: Strides, levels: int, spatial_dims: int) -> list[tuple[int, ...]]:
    """Spell out the strides of a network's pooling levels.

    Args:
        strides: one int for all levels and axes, or one entry per level: an int, or one int per axis.
        levels: number of pooling levels.
        spatial_dims: number of spatial dimensions.

    Returns:
        One tuple of `spatial_dims` ints per level, finest level first.

    Raises:
        ValueError: When the number of levels or of axes does not fit, or a stride is not a positive int.

    Example:
        >>> strides_per_level([(1, 2, 2), 2], levels=2, spatial_dims=3)
        [(1, 2, 2), (2, 2, 2)]

    """
    if isinstance(strides, int):
        strides = [strides] * levels
    if len(strides) != levels:
        raise ValueError(
            f"strides must be one int or have one entry for each of the {levels} pooling levels, got {strides}."
        )
    per_level = [(s,) * spatial_dims if isinstance(s, int) else tuple(s) for s in strides]
    for stride in per_level:
        if len(stride) != spatial_dims or any(not isinstance(s, int) or s < 1 for s in stride):
            raise ValueError(
                f"each entry of strides must be a positive int, or {spatial_dims} of them for a {spatial_dims}D "
                f"network, got {strides}."
            )
    return per_level
