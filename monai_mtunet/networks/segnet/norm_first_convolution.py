"""Convolution whose normalization comes first."""

from collections.abc import Sequence
from typing import Any

import torch
from monai.networks.layers.factories import Conv
from monai.networks.layers.utils import get_act_layer, get_norm_layer
from torch import Tensor, nn


class NormFirstConvolution(nn.Module):
    """Normalization of the input, 3x3 convolution with bias, activation, on the concatenation of several maps.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of each map, in their order.
        out_channels: number of channels of the result.
        act: activation type and arguments, in MONAI's words; `None` for a convolution whose result is a prediction.
        norm: normalization type and arguments, in MONAI's words.

    Example:
        >>> convolution = NormFirstConvolution(2, [8, 16], 8, act="RELU", norm="BATCH")
        >>> convolution([torch.rand(2, 8, 32, 32), torch.rand(2, 16, 32, 32)]).shape
        torch.Size([2, 8, 32, 32])

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: Sequence[int],
        out_channels: int,
        act: str | tuple[str, dict[str, Any]] | None,
        norm: str | tuple[str, dict[str, Any]] | None,
    ) -> None:
        super().__init__()
        channels = sum(in_channels)
        self.norm = nn.Identity() if norm is None else get_norm_layer(norm, spatial_dims, channels)
        self.conv = Conv[Conv.CONV, spatial_dims](channels, out_channels, kernel_size=3, padding=1)
        self.act = nn.Identity() if act is None else get_act_layer(act)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Convolve `maps`, each (B, in_channels[i], *spatial) with one common size, to (B, out_channels, *spatial)."""
        x = maps[0] if len(maps) == 1 else torch.cat(maps, 1)
        y: Tensor = self.act(self.conv(self.norm(x)))
        return y
