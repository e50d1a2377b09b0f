"""What a network does with large windows, whatever their size: how far it pools, and what a voxel takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .inference_memory import LiveStorage
from .without_data import observe_without_data

aten = torch.ops.aten
# Adaptive pooling, to one voxel for vectors, takes any size.
SHRINKING = (
    aten.convolution.default,
    aten.max_pool2d_with_indices.default,
    aten.max_pool3d_with_indices.default,
    aten.avg_pool2d.default,
    aten.avg_pool3d.default,
)
DIVISIBLE = 2**7 * 3**3  # voxels per axis, which strides of 2 and 3 divide


class LargeWindow(NamedTuple):
    """What holds for windows of any size, as long as they are large.

    Args:
        pooled: voxels per axis of which the network's smallest map has one: all its strides together. Multiples of it
            are pooled without remainder.
        bytes_per_voxel: that inference takes at its peak, for each voxel of a window.
    """

    pooled: tuple[int, ...]
    bytes_per_voxel: float


def large_window(network: nn.Module, in_channels: int, spatial_dims: int) -> LargeWindow:
    """Tell how far a network pools, and what a voxel takes, by a window larger than any memory.

    Args:
        network: a module whose strides are of twos and threes.
        in_channels: channels of the image.
        spatial_dims: 2 or 3.

    Returns:
        Voxels per axis, and bytes.

    Raises:
        ValueError: When the network cannot run without data.

    Example:
        >>> large_window(UMC(3, 1, {"segment": 3}, features=(8, 16, 32), strides=((1, 2, 2), 2)), 1, 3).pooled
        (2, 4, 4)
    """
    size = [DIVISIBLE] * spatial_dims
    seen = observe_without_data(network, (1, in_channels, *size), SmallestMap)
    return LargeWindow(tuple(round(DIVISIBLE / length) for length in seen.smallest), seen.peak / prod(size))


class SmallestMap(LiveStorage):
    """Also finds how small pooling and strided convolutions make maps.

    Args:
        windows: the network's input.
        weights: its weights.
        device: where they are meant to be.

    Attributes:
        smallest: the fewest voxels per axis.
    """

    def __init__(self, windows: Tensor, weights: Sequence[Tensor], device: torch.device) -> None:
        super().__init__(windows, weights, device)
        self.smallest = list(windows.shape[2:])

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, count what it returns, and look at its size."""
        result = super().__torch_dispatch__(func, types, args, kwargs)
        if func in SHRINKING:
            pooled: Tensor = result[0] if isinstance(result, tuple) else result
            self.smallest = [min(pair) for pair in zip(self.smallest, pooled.shape[2:], strict=True)]
        return result
