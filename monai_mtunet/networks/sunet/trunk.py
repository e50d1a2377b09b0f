"""The part of SUNet that classification and segmentation share."""

from collections.abc import Sequence
from functools import partial
from math import prod

from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ..blocks.pooling import PerAxisAveragePool
from .module import ModuleGrid, UNetModule
from .pre_activation import Layer, PreActivation

BLOCKS = 4


class StridedResidualBlock(nn.Module):
    """Two 3x3 convolutions beside one of 1x1, the first of each with a stride and a common pre-activation.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the input.
        out_channels: number of channels of the result.
        stride: stride of each axis.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    """

    def __init__(
        self, spatial_dims: int, in_channels: int, out_channels: int, stride: Sequence[int], act: Layer, norm: Layer
    ) -> None:
        super().__init__()
        convolution = Conv[Conv.CONV, spatial_dims]
        self.activation = PreActivation(spatial_dims, in_channels, act, norm)
        self.convolve = nn.Sequential(
            convolution(in_channels, out_channels, kernel_size=3, stride=stride, padding=1),
            PreActivation(spatial_dims, out_channels, act, norm),
            convolution(out_channels, out_channels, kernel_size=3, padding=1),
        )
        self.shortcut = convolution(in_channels, out_channels, kernel_size=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x`, (B, in_channels, *spatial), to (B, out_channels, *spatial / stride)."""
        activated = self.activation(x)
        y: Tensor = self.convolve(activated) + self.shortcut(activated)
        return y


class SUNetTrunk(nn.Module):
    """Stem, residual block and four blocks of stacked U-Nets (paper, Table 1 and Section 5).

    Names and shapes of the weights depend neither on the output stride nor on `multigrid`, so weights trained at one
    output stride can be loaded at another.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        stem_features: number of channels of the stem and of the residual block.
        features: number of channels of each block.
        modules: number of U-Net modules of each block.
        module_features: number of channels inside the modules, N in the paper.
        strides: strides of the stem, the residual block and the pools before blocks 2, 3 and 4, per axis.
        module_strides: stride inside the modules of each block, per axis.
        dilated_blocks: how many blocks, from the last, are dilated instead of reduced.
        multigrid: see :class:`ModuleGrid`; of the dilated blocks.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.
        use_checkpoint: compute each module again in the backward pass instead of keeping its activations.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        stem_features: Sequence[int],
        features: Sequence[int],
        modules: Sequence[int],
        module_features: int,
        strides: Sequence[tuple[int, ...]],
        module_strides: Sequence[tuple[int, ...]],
        dilated_blocks: int,
        multigrid: bool,
        act: Layer,
        norm: Layer,
        use_checkpoint: bool,
    ) -> None:
        super().__init__()
        stem, residual = stem_features
        self.stem = Conv[Conv.CONV, spatial_dims](
            in_channels, stem, kernel_size=7, stride=strides[0], padding=3
        )  # raw: the residual block's pre-activation is the next layer
        self.residual = StridedResidualBlock(spatial_dims, stem, residual, strides[1], act, norm)
        reduced_blocks = range(1, BLOCKS - dilated_blocks)
        self.pools = nn.ModuleList(
            PerAxisAveragePool(strides[i + 1]) if i in reduced_blocks else nn.Identity() for i in range(BLOCKS)
        )
        self.blocks = nn.ModuleList()
        for i, (before, after) in enumerate(zip([residual, *features[:-1]], features, strict=True)):
            module = partial(
                UNetModule,
                spatial_dims,
                out_channels=after,
                features=module_features,
                levels=1 if i == BLOCKS - 1 else 2,
                grid=_grid(i, strides, module_strides[i], dilated_blocks, multigrid),
                act=act,
                norm=norm,
                use_checkpoint=use_checkpoint,
            )
            first = module(in_channels=before, expands=True)
            others = (module(in_channels=after, expands=False) for _ in range(modules[i] - 1))
            self.blocks.append(nn.Sequential(first, *others))
        self.activation = PreActivation(spatial_dims, features[-1], act, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Features, (B, features[-1], *spatial / output stride), of `x`, (B, in_channels, *spatial)."""
        x = self.residual(self.stem(x))
        for pool, block in zip(self.pools, self.blocks):  # noqa: B905 (TorchScript)
            x = block(pool(x))
        activated: Tensor = self.activation(x)
        return activated


def _grid(
    block: int,
    strides: Sequence[tuple[int, ...]],
    module_stride: tuple[int, ...],
    dilated_blocks: int,
    multigrid: bool,
) -> ModuleGrid:
    """Strides and dilations in a block, whose dilation is the product of the pools' strides that are left out."""
    first_dilated = BLOCKS - dilated_blocks
    omitted = strides[first_dilated + 1 : block + 2]
    dilation = tuple(prod(stride[axis] for stride in omitted) for axis in range(len(module_stride)))
    return ModuleGrid(module_stride, dilation, multigrid and block >= first_dilated)
