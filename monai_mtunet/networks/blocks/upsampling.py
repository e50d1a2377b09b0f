"""Upsampling to the size of a skip connection."""

from collections.abc import Sequence

import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn


class InterpolateTo(nn.Module):
    """Bilinear or trilinear interpolation to a given size, without parameters.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        align_corners: keep the centers of the outermost voxels where they are, rather than the outer borders.

    """

    def __init__(self, spatial_dims: int, align_corners: bool = False) -> None:
        super().__init__()
        self.mode = "bilinear" if spatial_dims == 2 else "trilinear"
        self.align_corners = align_corners

    def forward(self, x: Tensor, size: list[int]) -> Tensor:
        """Resize `x`, (B, C, *spatial), to (B, C, *size)."""
        return F.interpolate(x, size=size, mode=self.mode, align_corners=self.align_corners)


class DeconvTo(nn.Module):
    """Transposed convolution to the size that `PerAxisMaxPool` of the same stride started from.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the input.
        out_channels: number of channels of the output.
        stride: stride and kernel of each spatial axis.

    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        kernel = tuple(stride)
        self.stride = list(stride)
        self.deconv = Conv[Conv.CONVTRANS, spatial_dims](in_channels, out_channels, kernel_size=kernel, stride=kernel)

    def forward(self, x: Tensor, size: list[int]) -> Tensor:
        """Upsample `x`, (B, in_channels, *spatial), to (B, out_channels, *size)."""
        # An axis shorter than its stride was pooled to one voxel: the kernel is larger than the axis, so crop.
        least = [n * stride for n, stride in zip(x.shape[2:], self.stride)]  # noqa: B905 (TorchScript)
        y: Tensor = self.deconv(x, [max(a, b) for a, b in zip(size, least)])  # noqa: B905
        for i, n in enumerate(size):
            y = y.narrow(i + 2, 0, n)
        return y
