"""The levels of SegNet's encoder and decoder: 3x3 convolutions at one resolution."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from ..blocks.concat_convolution import ConcatConvolution
from ..blocks.pooling import MaxPoolWithIndices
from .norm_first_convolution import NormFirstConvolution

ORDERS = ("conv_norm_act", "norm_conv_act")


class SegNetLevel(nn.Module):
    """3x3 convolutions with bias, one after another.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of each map that the first convolution takes, as if concatenated.
        widths: number of output channels of each convolution.
        order: ``"conv_norm_act"``, or ``"norm_conv_act"``, whose normalization acts on the input's channels.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: Sequence[int],
        widths: Sequence[int],
        order: str,
        act: str | tuple[str, dict[str, Any]],
        norm: str | tuple[str, dict[str, Any]] | None,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        for width in widths:
            self.convolutions.append(
                ConcatConvolution(spatial_dims, in_channels, width, act, norm, bias=True)
                if order == "conv_norm_act"
                else NormFirstConvolution(spatial_dims, in_channels, width, act, norm)
            )
            in_channels = [width]

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Convolve `maps`, each (B, in_channels[i], *spatial); return the first and the last convolution's output."""
        first = maps[0]
        for i, convolution in enumerate(self.convolutions):
            maps = [convolution(maps)]
            if i == 0:
                first = maps[0]
        return first, maps[0]


class Encoded(NamedTuple):
    """What an encoder's level computes: `first` and `last` convolution's output, and `last` pooled, with indices."""

    first: Tensor
    last: Tensor
    pooled: Tensor
    indices: Tensor


class SegNetEncoderLevel(nn.Module):
    """Convolutions, and max pooling with indices.

    Args:
        level: the convolutions.
        stride: stride of the pooling, per axis.

    """

    def __init__(self, level: SegNetLevel, stride: Sequence[int]) -> None:
        super().__init__()
        self.level = level
        self.pool = MaxPoolWithIndices(stride)

    def forward(self, maps: list[Tensor]) -> Encoded:
        """Encode `maps`, each (B, in_channels[i], *spatial)."""
        first, last = self.level(maps)
        pooled, indices = self.pool(last)
        return Encoded(first, last, pooled, indices)
