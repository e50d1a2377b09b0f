"""Convolution over several maps as if they were concatenated, without the memory of the concatenation."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from monai.networks.blocks.acti_norm import ADN
from monai.networks.layers.factories import Conv
from torch import Tensor, nn


class ConcatConvolution(nn.Module):
    """MONAI's `Convolution` (3x3, normalization, dropout, activation) on the channel concatenation of several maps.

    A convolution of concatenated maps is the sum of the convolutions of each map with its slice of the weight.
    Computed that way the concatenation, which training would keep for the backward pass although it keeps each map
    already, never exists. State dict and result are those of ``Convolution(spatial_dims, sum(in_channels), ...)``.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of each map, in their order.
        out_channels: number of channels of the result.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.
        bias: whether the convolution has a bias.
        dropout: dropout ratio, or type and arguments in MONAI's words.
        adn_ordering: order of activation, dropout and normalization, in MONAI's words.

    Example:
        >>> convolution = ConcatConvolution(2, [8, 16], 8, act="RELU", norm="BATCH", bias=False)
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
        bias: bool,
        dropout: float | tuple[str, dict[str, Any]] = 0.0,
        adn_ordering: str = "NDA",
    ) -> None:
        super().__init__()
        self.spatial_dims = spatial_dims
        self.in_channels = list(in_channels)
        self.conv = Conv[Conv.CONV, spatial_dims](sum(in_channels), out_channels, kernel_size=3, padding=1, bias=bias)
        self.adn = ADN(adn_ordering, out_channels, act, norm, norm_dim=spatial_dims, dropout=dropout, dropout_dim=1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Convolve `maps`, each (B, in_channels[i], *spatial) with one common size, to (B, out_channels, *spatial)."""
        # One split, rather than a slice per map: its backward writes the weight's gradient once.
        weights = self.conv.weight.split(self.in_channels, 1)
        y = self._convolve(maps[0], weights[0], self.conv.bias)
        for i in range(1, len(maps)):
            y += self._convolve(maps[i], weights[i], None)
        result: Tensor = self.adn(y)
        return result

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.spatial_dims == 2:
            return F.conv2d(x, weight, bias, padding=1)
        return F.conv3d(x, weight, bias, padding=1)
