"""The contracting half of a U-Net."""

from collections.abc import Sequence
from typing import Any

from monai.networks.nets.basic_unet import TwoConv
from torch import Tensor, nn

from ..blocks.pooling import PerAxisMaxPool


class UNetEncoder(nn.Module):
    """Blocks of two convolutions with max pooling between them.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        features: number of channels of each level, finest first.
        strides: stride of each pooling, per axis; one entry less than `features`.
        block: arguments of each block in MONAI's words: ``act``, ``norm``, ``bias``, ``dropout``.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        features: Sequence[int],
        strides: Sequence[Sequence[int]],
        block: dict[str, Any],
    ) -> None:
        super().__init__()
        self.first = TwoConv(spatial_dims, in_channels, features[0], **block)
        self.downs = nn.ModuleList(
            nn.Sequential(PerAxisMaxPool(stride), TwoConv(spatial_dims, above, below, **block))
            for above, below, stride in zip(features[:-1], features[1:], strides, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Encode `x`, (B, in_channels, *spatial), to a map (B, features[i], *spatial_i) per level, finest first."""
        maps = [self.first(x)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        return maps
