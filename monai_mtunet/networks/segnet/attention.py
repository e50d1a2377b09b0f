"""MTAN's attention at one level of SegNet's encoder or decoder, for all tasks (Liu, Johns, Davison 2019)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..blocks.attention_gate import AttentionGate
from ..blocks.upsampling import InterpolateTo
from .levels import SegNetEncoderLevel, SegNetLevel


class EncoderAttention(nn.Module):
    """Each task's mask on the encoder's features, then a convolution and pooling that all tasks share.

    Args:
        gates: each task's gate.
        step: the convolution, with pooling.

    """

    def __init__(self, gates: Mapping[str, AttentionGate], step: SegNetEncoderLevel) -> None:
        super().__init__()
        self.gates = nn.ModuleDict(gates)
        self.step = step

    def forward(self, first: Tensor, last: Tensor, attended: dict[str, Tensor]) -> dict[str, Tensor]:
        """Pick each task's features.

        Args:
            first: output of the level's first convolution, (B, C, *spatial), of which the masks are made.
            last: output of the level's last convolution, (B, C, *spatial), which the masks are for.
            attended: what each task picked one level before, (B, D, *spatial); empty at the first level.

        Returns:
            What each task picked, convolved and pooled.

        """
        picked: dict[str, Tensor] = {}
        for task, gate in self.gates.items():
            source = torch.cat([first, attended[task]], 1) if task in attended else first
            picked[task] = self.step([gate(source, last)]).pooled
        return picked


class DecoderAttention(nn.Module):
    """A convolution that all tasks share, on what each picked before, and its mask on the decoder's features.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        gates: each dense task's gate.
        step: the convolution.

    """

    def __init__(self, spatial_dims: int, gates: Mapping[str, AttentionGate], step: SegNetLevel) -> None:
        super().__init__()
        self.interpolate = InterpolateTo(spatial_dims, align_corners=True)
        self.step = step
        self.gates = nn.ModuleDict(gates)

    def forward(self, unpooled: Tensor, last: Tensor, attended: dict[str, Tensor]) -> dict[str, Tensor]:
        """Pick each dense task's features.

        Args:
            unpooled: input of the level's first convolution, (B, C, *spatial), of which the masks are made.
            last: output of the level's last convolution, (B, D, *spatial), which the masks are for.
            attended: what each task picked one level before, (B, C, *smaller).

        Returns:
            What each task picked, (B, D, *spatial), and what tasks without a gate had picked before.

        """
        picked = dict(attended)
        for task, gate in self.gates.items():
            upsampled = self.step([self.interpolate(attended[task], unpooled.shape[2:])])[1]
            picked[task] = gate(torch.cat([unpooled, upsampled], 1), last)
        return picked
