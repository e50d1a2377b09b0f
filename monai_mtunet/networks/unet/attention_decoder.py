"""A level of several U-Net decoders with attention and cross-talk, one decoder per task."""

from collections.abc import Sequence
from typing import Any

from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from ..blocks.attention_gate import AttentionGate
from ..blocks.concat_convolution import ConcatConvolution
from ..blocks.upsampling import DeconvTo


class AttentionDecoderBlock(nn.Module):
    """Two convolutions, ``a = C(cat[maps])`` and ``b = C(a)``, and the second gated by the first: ``mask(a) * b``.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of each map.
        channels: number of channels of the result.
        attention: whether there is a gate; without, the result is ``b``.
        block: arguments of the convolutions in MONAI's words.

    """

    def __init__(
        self, spatial_dims: int, in_channels: Sequence[int], channels: int, attention: bool, block: dict[str, Any]
    ) -> None:
        super().__init__()
        self.conv_0 = ConcatConvolution(spatial_dims, in_channels, channels, **block)
        self.conv_1 = Convolution(spatial_dims, channels, channels, kernel_size=3, **block)
        self.attention = (
            AttentionGate(spatial_dims, channels, channels, act=block["act"], norm=block["norm"]) if attention else None
        )

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Decode `maps`, each (B, in_channels[i], *spatial), to (B, channels, *spatial)."""
        first: Tensor = self.conv_0(maps)
        second: Tensor = self.conv_1(first)
        if self.attention is not None:
            second = self.attention(first, second)
        return second


class AttentionDecoderLevel(nn.Module):
    """One block per task, all at the same resolution.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        tasks: names of the tasks.
        deep_channels: number of channels of the deeper maps.
        channels: number of channels of the skip connection and of the results.
        stride: factor between the deeper maps and this level, per axis; `None` where they have its size already.
        cross_talk: whether each block takes the other tasks' upsampled maps beside its own.
        attention: whether the blocks have an attention gate.
        block: arguments of the convolutions in MONAI's words.

    """

    def __init__(
        self,
        spatial_dims: int,
        tasks: Sequence[str],
        deep_channels: int,
        channels: int,
        stride: Sequence[int] | None,
        cross_talk: bool,
        attention: bool,
        block: dict[str, Any],
    ) -> None:
        super().__init__()
        self.cross_talk = cross_talk
        self.upsamples = nn.ModuleDict(
            {task: DeconvTo(spatial_dims, deep_channels, deep_channels, stride) for task in tasks} if stride else {}
        )
        others = [deep_channels] * (len(tasks) - 1) if cross_talk else []
        self.blocks = nn.ModuleDict(
            {
                task: AttentionDecoderBlock(
                    spatial_dims, [deep_channels, channels, *others], channels, attention, block
                )
                for task in tasks
            }
        )

    def forward(self, deeper: dict[str, Tensor], skip: Tensor) -> dict[str, Tensor]:
        """Decode one level of all tasks.

        Args:
            deeper: each task's map of the next deeper level, (B, deep_channels, *smaller).
            skip: the encoder's skip connection, (B, channels, *spatial).

        Returns:
            Each task's map, (B, channels, *spatial).

        """
        upsampled = dict(deeper)
        for task, upsample in self.upsamples.items():
            upsampled[task] = upsample(deeper[task], skip.shape[2:])
        decoded: dict[str, Tensor] = {}
        for task, block in self.blocks.items():
            maps = [upsampled[task], skip]
            if self.cross_talk:
                for other, features in upsampled.items():
                    if other != task:
                        maps.append(features)
            decoded[task] = block(maps)
        return decoded
