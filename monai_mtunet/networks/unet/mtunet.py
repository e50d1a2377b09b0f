"""Multi-Task U-Net ("End-to-End Multi-Task Learning Driven by a Novel Task-Specific Feature Learning")."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..blocks.heads import dense_head
from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..blocks.pooling import Strides, strides_per_level
from ..blocks.upsampling import DeconvTo
from ..multi_task_network import MultiTaskNetwork
from .attention_decoder import AttentionDecoderLevel
from .dense_encoder import DenseBlock, DenseEncoder

DENSE = ("within", "across")
CROSS_TALK_LEVEL = 2  # the third decoder block, counted from the coarsest


class MTUNet(MultiTaskNetwork):
    """U-Net with a densely connected encoder, and per task a decoder with attention that listens to the others.

    Convolutions are 3x3 with bias, then activation, then normalization, in the paper's order. The bottleneck has twice
    the last level's channels. Its transposed convolution is shared by all decoders. One task gives the paper's
    ST-UNet.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each task's prediction.
        features: number of channels of each level above the bottleneck, finest first; with cross-talk between several
            tasks three levels at least.
        attention: whether each decoder block has an :class:`AttentionGate`: a mask, made of its first convolution's
            output, on that of its second.
        cross_talk: whether the third decoder block of each task takes the second ones' upsampled maps of all other
            tasks beside its own; with one task there is none.
        dense: where the encoder's connections are dense.

            - ``"within"``: in each block, whose second convolution takes the block's input too.
            - ``"across"``: also between blocks: each hands on its input and both its convolutions, and the bottleneck
              is dense as well. The paper's text allows for both.
        strides: pooling stride: one int for all, or one entry per level, an int or one int per axis, as
            ``((1, 2, 2), 2, 2, 2)`` for volumes with thick slices.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.
        dropout: dropout before each pooling: ratio, or type and arguments in MONAI's words. The paper gives no ratio.
        use_checkpoint: compute the encoder's blocks again in the backward pass instead of keeping their activations:
            the same training in less memory and more time.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = MTUNet(spatial_dims=2, in_channels=3, out_channels={"segment": 7, "depth": 1})
        >>> {task: prediction.shape for task, prediction in network(torch.rand(2, 3, 33, 49)).items()}
        {'segment': torch.Size([2, 7, 33, 49]), 'depth': torch.Size([2, 1, 33, 49])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        features: Sequence[int] = (64, 128, 256, 512),
        attention: bool = True,
        cross_talk: bool = True,
        dense: str = "within",
        strides: Strides = 2,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "BATCH",
        dropout: float | tuple[str, dict[str, Any]] = 0.0,
        use_checkpoint: bool = False,
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels)
        if dense not in DENSE:
            raise ValueError(f"dense must be one of {DENSE}, got {dense!r}.")
        if not features or min(in_channels, *features) < 1:
            raise ValueError(f"in_channels and features must be positive, got {in_channels} and {tuple(features)}.")
        self.cross_talk = cross_talk and len(self.out_channels) > 1
        self.decoders = list(self.out_channels)  # tasks with a decoder, those that others only listen to included
        if self.cross_talk and len(features) <= CROSS_TALK_LEVEL:
            raise ValueError(
                f"cross_talk joins the decoders' third blocks, but features has {len(features)} level(s), got "
                f"{tuple(features)}: give three or more, or set cross_talk=False."
            )

        stride_of = strides_per_level(strides, len(features), spatial_dims)
        block = {"act": act, "norm": norm, "bias": True, "adn_ordering": "AN"}
        across = dense == "across"
        deepest = 2 * features[-1]
        self.encoder = DenseEncoder(
            spatial_dims, in_channels, features, stride_of, across, dropout, block, use_checkpoint
        )
        self.bottleneck = DenseBlock(spatial_dims, self.encoder.out_channels, deepest, across, block)
        self.upsample = DeconvTo(spatial_dims, deepest, deepest, stride_of[-1])
        self.levels = nn.ModuleList(
            AttentionDecoderLevel(
                spatial_dims,
                list(self.out_channels),
                deep_channels,
                channels,
                stride=stride_of[-1 - level] if level else None,
                cross_talk=self.cross_talk and level == CROSS_TALK_LEVEL,
                attention=attention,
                block=block,
            )
            for level, (deep_channels, channels) in enumerate(
                zip((deepest, *features[:0:-1]), features[::-1], strict=True)
            )
        )
        self.heads = nn.ModuleDict(
            {task: dense_head(spatial_dims, features[0], channels) for task, channels in self.out_channels.items()}
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw prediction of each task, (B, out_channels[task], *spatial), in the order of `out_channels`.

        """
        check_input(x, "MTUNet", self.spatial_dims, self.in_channels)
        skips, maps = self.encoder(x)
        shared = self.upsample(self.bottleneck(maps)[1], skips[-1].shape[2:])
        decoded: dict[str, Tensor] = {task: shared for task in self.decoders}  # noqa: C420 (TorchScript)
        for level in self.levels:
            decoded = level(decoded, skips.pop())
        return {task: head(decoded[task]) for task, head in self.heads.items()}

    def _keep(self, tasks: list[str]) -> None:
        keep_tasks(self.heads, tasks)
        levels: list[Any] = list(self.levels)
        # Cross-talk takes the other tasks' maps upsampled to its level, and so all that they are made of.
        heard = CROSS_TALK_LEVEL if self.cross_talk else -1
        for level in levels[heard + 1 :]:
            keep_tasks(level.upsamples, tasks)
        for level in levels[max(heard, 0) :]:
            keep_tasks(level.blocks, tasks)
        if not self.cross_talk:
            self.decoders = tasks
