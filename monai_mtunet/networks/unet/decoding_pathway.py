"""The expanding half of a U-Net, for one task, with any number of skip connections per level."""

from collections.abc import Sequence
from typing import Any

from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from ..blocks.concat_convolution import ConcatConvolution
from ..blocks.heads import dense_head
from ..blocks.upsampling import DeconvTo, InterpolateTo


class DecoderBlock(nn.Module):
    """Upsample, merge with the skip connections, convolve twice (UMC paper, Figure 2).

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        deep_channels: number of channels of the deeper map.
        channels: number of channels of each skip connection and of the result.
        stride: factor between the deeper map and this level, per axis.
        skips: number of skip connections.
        sum_skips: sum the skip connections instead of concatenating them.
        upsample: ``"nontrainable"`` or ``"deconv"``.
        block: arguments of the convolutions in MONAI's words: ``act``, ``norm``, ``bias``, ``dropout``.

    """

    def __init__(
        self,
        spatial_dims: int,
        deep_channels: int,
        channels: int,
        stride: Sequence[int],
        skips: int,
        sum_skips: bool,
        upsample: str,
        block: dict[str, Any],
    ) -> None:
        super().__init__()
        self.sum_skips = sum_skips
        self.upsample: nn.Module
        if upsample == "deconv":
            self.upsample = DeconvTo(spatial_dims, deep_channels, channels, stride)
            deep_channels = channels
        else:
            self.upsample = InterpolateTo(spatial_dims)
        in_channels = [channels] * (1 if sum_skips else skips) + [deep_channels]
        self.conv_0 = ConcatConvolution(spatial_dims, in_channels, channels, **block)
        self.conv_1 = Convolution(spatial_dims, channels, channels, kernel_size=3, **block)

    def forward(self, deeper: Tensor, skips: list[Tensor]) -> Tensor:
        """Decode one level.

        Args:
            deeper: output of the next deeper level, (B, deep_channels, *smaller).
            skips: skip connections, each (B, channels, *spatial).

        Returns:
            The block's output, (B, channels, *spatial).

        """
        size = skips[0].shape[2:]
        if self.sum_skips:
            total = skips[0]
            for skip in skips[1:]:
                total = total + skip
            skips = [total]
        output: Tensor = self.conv_1(self.conv_0(skips + [self.upsample(deeper, size)]))  # noqa: RUF005 (TorchScript)
        return output


class DecodingPathway(nn.Module):
    """One task's decoder: a block per level and a 1x1 convolution to the task's channels.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        out_channels: number of channels of the task.
        features: number of channels of each level, finest first, as of the encoder.
        strides: stride of each pooling, per axis, as of the encoder.
        skips: number of skip connections that each level receives.
        sum_skips: sum the skip connections instead of concatenating them.
        hands_on: return the blocks' outputs too, for later pathways.
        upsample: ``"nontrainable"`` or ``"deconv"``.
        block: arguments of the convolutions in MONAI's words: ``act``, ``norm``, ``bias``, ``dropout``.

    """

    def __init__(
        self,
        spatial_dims: int,
        out_channels: int,
        features: Sequence[int],
        strides: Sequence[Sequence[int]],
        skips: int,
        sum_skips: bool,
        hands_on: bool,
        upsample: str,
        block: dict[str, Any],
    ) -> None:
        super().__init__()
        self.hands_on = hands_on
        levels = list(zip(features[1:], features[:-1], strides, strict=True))
        self.blocks = nn.ModuleList(
            DecoderBlock(spatial_dims, deep_channels, channels, stride, skips, sum_skips, upsample, block)
            for deep_channels, channels, stride in reversed(levels)
        )
        self.head: nn.Module | None = dense_head(spatial_dims, features[0], out_channels)

    def forward(self, deepest: Tensor, skips: list[list[Tensor]]) -> tuple[Tensor | None, list[Tensor]]:
        """Decode the encoder's deepest map.

        Args:
            deepest: the encoder's deepest map, (B, features[-1], *smallest).
            skips: skip connections of each level, coarsest level first.

        Returns:
            The task's logits, (B, out_channels, *spatial), or `None` where the head was taken away; and the output of
            each level, coarsest first, or no output at all without `hands_on`, so that nothing is kept alive that no
            later pathway needs.

        """
        x = deepest
        outputs: list[Tensor] = []
        for level, block in enumerate(self.blocks):
            x = block(x, skips[level])
            if self.hands_on:
                outputs.append(x)
        return None if self.head is None else self.head(x), outputs
