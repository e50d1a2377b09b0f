"""Max pooling that takes images of any size and anisotropic strides."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

Strides = int | Sequence[int | Sequence[int]]


class PerAxisMaxPool(nn.Module):
    """Max pooling whose kernel is, per axis, the stride or the axis' length, whichever is smaller.

    Plain pooling raises on an axis shorter than its kernel; here such an axis is reduced to one voxel and a
    1-voxel axis stays as it is, so that a network takes images of any size.

    Args:
        stride: stride and kernel of each spatial axis; 2 or 3 entries.

    Example:
        >>> PerAxisMaxPool((1, 2, 2))(torch.rand(1, 8, 5, 9, 1)).shape
        torch.Size([1, 8, 5, 4, 1])

    """

    def __init__(self, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = list(stride)

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`, (B, C, *spatial), to a size of max(1, size // stride) per axis."""
        kernel = [min(stride, size) for stride, size in zip(self.stride, x.shape[2:])]  # noqa: B905 (TorchScript)
        return F.max_pool2d(x, kernel) if len(kernel) == 2 else F.max_pool3d(x, kernel)


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
