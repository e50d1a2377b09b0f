"""The small U-Net with a residual connection around it that SUNet stacks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ..blocks.exact_checkpoint import checkpoint_exactly
from .pre_activation import Layer, PreActivation


@dataclass(frozen=True)
class ModuleGrid:
    """Where the 3x3 convolutions of a U-Net module look: their strides and dilations, per axis (paper, Section 5.2).

    Args:
        stride: of each of the module's levels, where it has not become a dilation.
        dilation: of the module's finest convolutions.
        multigrid: whether dilations replace the strides, so that each level sees what it did with them, at the full
            resolution: dilations grow and shrink along the module.

    """

    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    multigrid: bool

    def level_stride(self) -> tuple[int, ...]:
        """Stride of the first encoder convolution, and of the transposed one, of every level."""
        return (1,) * len(self.stride) if self.multigrid else self.stride

    def level_dilation(self, level: int) -> tuple[int, ...]:
        """Dilation of the convolutions between levels `level - 1` and `level`, where 0 is the module's input."""
        if not self.multigrid:
            return self.dilation
        return tuple(d * s**level for d, s in zip(self.dilation, self.stride, strict=True))


class UNetModule(nn.Module):
    """Squeeze, a U-Net without pooling, expand, and a residual connection around all (paper, Figure 1).

    Every convolution is pre-activated. Encoders are a strided and a plain 3x3 convolution, decoders a transposed and
    a plain one. With two levels it is the paper's U-Net, with one its U-Net+.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the input.
        out_channels: number of channels of the result; `in_channels` unless the module expands.
        features: number of channels of each 3x3 convolution, N in the paper.
        levels: number of levels, 2 or 1.
        grid: strides and dilations.
        expands: whether the residual connection is a 1x1 convolution, as in the first module of a block, instead of
            the input. Squeeze and residual connection then share their pre-activation.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.
        use_checkpoint: compute the module again in the backward pass instead of keeping its activations.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        features: int,
        levels: int,
        grid: ModuleGrid,
        expands: bool,
        act: Layer,
        norm: Layer,
        use_checkpoint: bool,
    ) -> None:
        super().__init__()
        convolution = Conv[Conv.CONV, spatial_dims]
        self.expands = expands
        self.use_checkpoint = use_checkpoint
        self.activation = PreActivation(spatial_dims, in_channels, act, norm)
        self.squeeze = convolution(in_channels, features, kernel_size=1)
        self.encoders = nn.ModuleList(
            Encoder(spatial_dims, features, level, grid, act, norm) for level in range(levels)
        )
        # Deepest first. All but the deepest take an encoder's map as well.
        self.decoders = nn.ModuleList(
            Decoder(spatial_dims, features if level == levels - 1 else 2 * features, features, level, grid, act, norm)
            for level in reversed(range(levels))
        )
        self.expand = nn.Sequential(
            PreActivation(spatial_dims, features, act, norm), convolution(features, out_channels, kernel_size=1)
        )
        self.shortcut = convolution(in_channels, out_channels, kernel_size=1) if expands else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map `x`, (B, in_channels, *spatial), to (B, out_channels, *spatial)."""
        if not torch.jit.is_scripting():  # noqa: SIM102 (TorchScript compiles no further than this)
            if self.use_checkpoint and self.training and torch.is_grad_enabled():
                recomputed: Tensor = checkpoint_exactly(self, self.transform, x)
                return recomputed
        return self.transform(x)

    def transform(self, x: Tensor) -> Tensor:
        """What :meth:`forward` returns, without checkpointing."""
        activated = self.activation(x)
        maps = [self.squeeze(activated)]
        for encoder in self.encoders:
            maps.append(encoder(maps[-1]))
        y = maps.pop()
        for i, decoder in enumerate(self.decoders):
            skip = maps.pop()
            # The finest map is not handed over, only its size: the residual connection goes around it.
            y = decoder(y, skip.shape[2:])
            if i < len(self.decoders) - 1:
                y = torch.cat([y, skip], 1)
        result: Tensor = self.expand(y) + self.shortcut(activated if self.expands else x)
        return result


class Encoder(nn.Sequential):
    """A strided and a plain 3x3 convolution.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        features: number of channels.
        level: 0 for the finest.
        grid: strides and dilations of the module.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    """

    def __init__(self, spatial_dims: int, features: int, level: int, grid: ModuleGrid, act: Layer, norm: Layer) -> None:
        fine, coarse = grid.level_dilation(level), grid.level_dilation(level + 1)
        super().__init__(
            PreActivation(spatial_dims, features, act, norm),
            _convolution(Conv.CONV, spatial_dims, features, features, fine, grid.level_stride()),
            PreActivation(spatial_dims, features, act, norm),
            _convolution(Conv.CONV, spatial_dims, features, features, coarse),
        )


class Decoder(nn.Module):
    """A transposed and a plain 3x3 convolution.

    The transposed one stays transposed where it has become a dilated one of stride 1. Against a convolution its kernel
    is flipped, so a classifier's weights keep their meaning.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the input.
        features: number of channels of the result.
        level: 0 for the finest.
        grid: strides and dilations of the module.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    """

    def __init__(
        self, spatial_dims: int, in_channels: int, features: int, level: int, grid: ModuleGrid, act: Layer, norm: Layer
    ) -> None:
        super().__init__()
        fine, coarse = grid.level_dilation(level), grid.level_dilation(level + 1)
        self.activation = PreActivation(spatial_dims, in_channels, act, norm)
        self.deconv = _convolution(Conv.CONVTRANS, spatial_dims, in_channels, features, coarse, grid.level_stride())
        self.convolve = nn.Sequential(
            PreActivation(spatial_dims, features, act, norm),
            _convolution(Conv.CONV, spatial_dims, features, features, fine),
        )

    def forward(self, x: Tensor, size: list[int]) -> Tensor:
        """Upsample `x`, (B, in_channels, *smaller), to (B, features, *size), the size that its encoder was given."""
        y: Tensor = self.convolve(self.deconv(self.activation(x), size))
        return y


def _convolution(
    kind: str,
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    dilation: Sequence[int],
    stride: Sequence[int] | int = 1,
) -> nn.Module:
    """A 3x3 convolution, transposed or not, that keeps the size but for its stride."""
    convolution: nn.Module = Conv[kind, spatial_dims](
        in_channels, out_channels, kernel_size=3, stride=stride, padding=tuple(dilation), dilation=tuple(dilation)
    )
    return convolution
