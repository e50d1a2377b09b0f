"""A U-Net's contracting half whose convolutions are densely connected."""

from collections.abc import Sequence
from typing import Any

import torch
from monai.networks.layers.utils import get_dropout_layer
from torch import Tensor, nn

from ..blocks.concat_convolution import ConcatConvolution
from ..blocks.exact_checkpoint import checkpoint_exactly
from ..blocks.pooling import PerAxisMaxPool


class DenseBlock(nn.Module):
    """Two convolutions, ``y1 = C(x)`` and ``y2 = C(cat[x, y1])``, where x is the concatenation of several maps.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of each map.
        channels: number of channels of each convolution.
        dense: whether the second convolution takes x beside ``y1``; without, the block is a U-Net's.
        block: arguments of the convolutions in MONAI's words.
        use_checkpoint: compute the block again in the backward pass instead of keeping its activations.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: Sequence[int],
        channels: int,
        dense: bool,
        block: dict[str, Any],
        use_checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.dense = dense
        self.use_checkpoint = use_checkpoint
        self.conv_0 = ConcatConvolution(spatial_dims, in_channels, channels, **block)
        second = [*in_channels, channels] if dense else [channels]
        self.conv_1 = ConcatConvolution(spatial_dims, second, channels, **block)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Convolve `maps`, each (B, in_channels[i], *spatial), to ``[y1, y2]``, each (B, channels, *spatial)."""
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript compiles no further than this)
            if self.use_checkpoint and self.training and torch.is_grad_enabled():
                recomputed: list[Tensor] = checkpoint_exactly(self, self.convolve, maps)
                return recomputed
        return self.convolve(maps)

    def convolve(self, maps: list[Tensor]) -> list[Tensor]:
        """What :meth:`forward` returns, without checkpointing."""
        first: Tensor = self.conv_0(maps)
        second: Tensor = self.conv_1(maps + [first] if self.dense else [first])  # noqa: RUF005 (TorchScript)
        return [first, second]


class DenseEncoder(nn.Module):
    """Dense blocks, each followed by dropout and max pooling.

    With ``across=False`` a block hands ``y2`` on, so that connections are dense within a block. With ``across=True`` it
    hands on ``[x, y1, y2]``, all that there is. Maps are pooled one by one and never concatenated.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        features: number of channels of each block, finest first.
        strides: stride of each block's pooling, per axis.
        across: whether connections are dense across blocks.
        dropout: dropout ratio, or type and arguments in MONAI's words.
        block: arguments of the convolutions in MONAI's words.
        use_checkpoint: compute the blocks again in the backward pass instead of keeping their activations.

    Attributes:
        out_channels: number of channels of each map that the last block hands on.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        features: Sequence[int],
        strides: Sequence[Sequence[int]],
        across: bool,
        dropout: float | tuple[str, dict[str, Any]],
        block: dict[str, Any],
        use_checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.across = across
        self.blocks = nn.ModuleList()
        self.out_channels = [in_channels]
        for channels in features:
            self.blocks.append(DenseBlock(spatial_dims, self.out_channels, channels, True, block, use_checkpoint))
            self.out_channels = [*self.out_channels, channels, channels] if across else [channels]
        self.pools = nn.ModuleList(
            nn.Sequential(get_dropout_layer(dropout, dropout_dim=1), PerAxisMaxPool(stride)) for stride in strides
        )

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Encode an image.

        Args:
            x: the image, (B, in_channels, *spatial).

        Returns:
            The skip connections, ``y2`` of each block before dropout, (B, features[i], *spatial_i), finest first; and
            the maps that the last block hands on, each (B, out_channels[i], *smallest).

        """
        maps = [x]
        skips: list[Tensor] = []
        for block, pool in zip(self.blocks, self.pools):  # noqa: B905 (TorchScript)
            outputs = block(maps)
            skips.append(outputs[1])
            maps = maps + outputs if self.across else outputs[1:]
            maps = [pool(m) for m in maps]
        return skips, maps
