"""MTAN on SegNet (Liu, Johns, Davison, "End-to-End Multi-Task Learning with Attention", 2019)."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from typing_extensions import Unpack

from ..blocks.attention_gate import AttentionGate
from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..blocks.pooling import unpool
from ..multi_task_network import MultiTaskNetwork
from .attention import DecoderAttention, EncoderAttention
from .decoder import SegNetDecoder
from .layout import LayoutArguments, SegNetLayout
from .levels import SegNetEncoderLevel

ATTENTIONS = ("both", "encoder")


class MTAN(MultiTaskNetwork):
    """SegNet shared by all tasks, of which each task picks features by attention masks of its own.

    At each level a task's mask is made of the shared features and of what the task picked one level before; the masked
    features then go through a convolution that all tasks share. One task gives :class:`STAN`.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box. Such tasks have
            attention on the encoder and their heads on what they picked there.
        attention: where the masks are.

            - ``"both"``: on encoder and decoder, which the dense tasks share (MTAN).
            - ``"encoder"``: on the encoder only. Each dense task has a decoder of its own, which starts from what the
              task picked last, and unpools with the shared encoder's indices ("Enhancing Multi-Task Learning for Image
              Segmentation using soft-attention blocks and self-supervised auxiliary tasks", there with
              ``width_change="last"``, ``order="norm_conv_act"``, ``head="3x3"``).
        arguments: of :class:`SegNetLayout`, which explains them: features, convolutions, strides, width_change, order,
            head, pooled_size, act, norm.

    Attributes:
        encoder: the shared encoder's levels, finest first.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = MTAN(spatial_dims=2, in_channels=3, out_channels={"segment": 7, "depth": 1}, attention="both")
        >>> {task: prediction.shape for task, prediction in network(torch.rand(2, 3, 65, 97)).items()}
        {'segment': torch.Size([2, 7, 65, 97]), 'depth': torch.Size([2, 1, 65, 97])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        attention: str = "both",
        **arguments: Unpack[LayoutArguments],
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        if attention not in ATTENTIONS:
            raise ValueError(f"attention must be one of {ATTENTIONS}, got {attention!r}.")
        layout = SegNetLayout(spatial_dims, in_channels, **arguments)
        self.encoder = nn.ModuleList(layout.encoder_levels())
        self.encoder_attention = _encoder_attention(layout, [*self.out_channels, *self.out_features])
        widths = layout.decoder_widths()
        shared_tasks = list(self.out_channels) if attention == "both" else []
        self.decoder = nn.ModuleList(layout.decoder_levels(widths) if shared_tasks else [])
        self.decoder_attention = _decoder_attention(layout, shared_tasks)
        self.decoders = nn.ModuleDict(
            {
                task: SegNetDecoder(layout.decoder_levels(widths))
                for task in self.out_channels
                if task not in shared_tasks
            }
        )
        self.heads = nn.ModuleDict({task: layout.dense_head(c) for task, c in self.out_channels.items()})
        for task, number in self.out_features.items():
            self.heads[task] = layout.vector_head(number)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw prediction of each task, in the order of `out_channels` and then `out_features`: dense ones
            (B, out_channels[task], *spatial), vectors (B, out_features[task]).

        """
        check_input(x, "MTAN", self.spatial_dims, self.in_channels)
        attended: dict[str, Tensor] = {}
        indices: list[Tensor] = []
        sizes: list[list[int]] = []
        for level, attention in zip(self.encoder, self.encoder_attention):  # noqa: B905 (TorchScript)
            encoded = level([x])
            attended = attention(encoded.first, encoded.last, attended)
            sizes.append(list(x.shape[2:]))
            indices.append(encoded.indices)
            x = encoded.pooled
        for i, (level, attention) in enumerate(zip(self.decoder, self.decoder_attention)):  # noqa: B905 (TorchScript)
            unpooled = unpool(x, indices[-1 - i], sizes[-1 - i])
            x = level([unpooled])[1]
            attended = attention(unpooled, x, attended)
        for task, decoder in self.decoders.items():
            attended[task] = decoder(attended[task], indices, sizes)
        return {task: head(attended[task]) for task, head in self.heads.items()}

    def _keep(self, tasks: list[str]) -> None:
        for attention in (*self.encoder_attention, *self.decoder_attention):
            keep_tasks(attention.gates, tasks)
        keep_tasks(self.decoders, tasks)
        keep_tasks(self.heads, tasks)
        if not self.out_channels:
            self.decoder, self.decoder_attention = nn.ModuleList(), nn.ModuleList()


def _encoder_attention(layout: SegNetLayout, tasks: Sequence[str]) -> nn.ModuleList:
    """Attention of each level, finest first."""
    features, handed_on = layout.features, layout.attended_features
    levels = zip(features, (0, *handed_on[:-1]), handed_on, layout.strides, strict=True)
    return nn.ModuleList(
        EncoderAttention(
            {task: _gate(layout, channels + picked, channels) for task in tasks},
            SegNetEncoderLevel(layout.level([channels], [following]), stride),
        )
        for channels, picked, following, stride in levels
    )


def _decoder_attention(layout: SegNetLayout, tasks: Sequence[str]) -> nn.ModuleList:
    """Attention of each level, coarsest first; none without tasks."""
    levels = list(zip(layout.features, layout.decoded_features, strict=True))[::-1] if tasks else []
    return nn.ModuleList(
        DecoderAttention(
            layout.spatial_dims,
            {task: _gate(layout, channels + decoded, decoded) for task in tasks},
            layout.level([channels], [decoded]),
        )
        for channels, decoded in levels
    )


def _gate(layout: SegNetLayout, in_channels: int, channels: int) -> AttentionGate:
    return AttentionGate(layout.spatial_dims, in_channels, channels, kernel_size=1, act=layout.act, norm=layout.norm)
