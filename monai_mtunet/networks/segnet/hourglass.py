"""Multi-task hourglass ("Semantic Segmentation on Image Using Multi-task Hourglass Networks")."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..blocks.pooling import Strides, unpool
from ..multi_task_network import MultiTaskNetwork
from .layout import VGG16_CONVOLUTIONS, VGG16_FEATURES, SegNetLayout
from .levels import SegNetLevel

# Features and convolutions of each level.
VARIANTS = {
    "vgg16": (VGG16_FEATURES, VGG16_CONVOLUTIONS),
    "light": ((64, 128, 256, 512), (2, 2, 2, 2)),
}
MERGES = ("concat", "sum")


class MultiTaskHourglass(MultiTaskNetwork):
    """SegNet with skip connections, whose encoder and coarser half of the decoder are shared by all tasks.

    Each level of the decoder unpools with the encoder's indices, merges with the encoder's features before pooling, and
    convolves as often as the encoder does there, changing the number of channels last.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each task's prediction, as ``{"edges": 1, "segment": 19, "distance": 1}``.
        variant: features and convolutions per level: ``"vgg16"``, or ``"light"`` with four levels of two convolutions.
            In both the decoder's last four convolutions are task-specific by default; only in the light one is what is
            shared "half of the decoder stage", as the paper also says: four convolutions of eight, not nine of 13.
        merge: of unpooled and encoder's features: ``"concat"`` or ``"sum"``.
        private_levels: number of the decoder's finest levels that each task has of its own, from 0 (all are shared, but
            the heads) to all.
        features: as of :class:`SegNetLayout`, by default the variant's.
        convolutions: as of :class:`SegNetLayout`, by default the variant's.
        strides: as of :class:`SegNetLayout`.
        act: as of :class:`SegNetLayout`.
        norm: as of :class:`SegNetLayout`.

    Attributes:
        encoder: the encoder's levels, finest first.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = MultiTaskHourglass(2, 3, {"edges": 1, "segment": 19, "distance": 1})
        >>> [tuple(prediction.shape) for prediction in network(torch.rand(2, 3, 75, 125)).values()]
        [(2, 1, 75, 125), (2, 19, 75, 125), (2, 1, 75, 125)]

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        variant: str = "vgg16",
        merge: str = "concat",
        private_levels: int = 2,
        features: Sequence[int] | None = None,
        convolutions: Sequence[int] | None = None,
        strides: Strides = 2,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "BATCH",
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels)
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {tuple(VARIANTS)}, got {variant!r}.")
        if merge not in MERGES:
            raise ValueError(f"merge must be one of {MERGES}, got {merge!r}.")
        features = VARIANTS[variant][0] if features is None else features
        convolutions = VARIANTS[variant][1] if convolutions is None else convolutions
        layout = SegNetLayout(
            spatial_dims,
            in_channels,
            features,
            convolutions,
            strides,
            width_change="last",
            head="1x1",
            act=act,
            norm=norm,
        )
        if private_levels not in range(len(features) + 1):
            raise ValueError(f"private_levels must be from 0 to the {len(features)} levels, got {private_levels}.")
        self.concat = merge == "concat"
        shared = len(features) - private_levels
        received = 2 if self.concat else 1
        widths = layout.decoder_widths()
        self.encoder = nn.ModuleList(layout.encoder_levels())
        self.decoder = nn.ModuleList(layout.decoder_levels(widths[:shared], received))
        self.pathways = nn.ModuleDict(
            {
                task: HourglassPathway(
                    layout.decoder_levels(widths[shared:], received, coarser=shared),
                    layout.dense_head(channels),
                    shared,
                    self.concat,
                )
                for task, channels in self.out_channels.items()
            }
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw prediction of each task, (B, out_channels[task], *spatial), in the order of `out_channels`.

        """
        check_input(x, "MultiTaskHourglass", self.spatial_dims, self.in_channels)
        skips: list[Tensor] = []
        indices: list[Tensor] = []
        for level in self.encoder:
            encoded = level([x])
            skips.append(encoded.last)
            indices.append(encoded.indices)
            x = encoded.pooled
        maps = maps_of_level(x, skips, indices, 0, self.concat)
        for coarser, level in enumerate(self.decoder):
            maps = maps_of_level(level(maps)[1], skips, indices, coarser + 1, self.concat)
        return {task: pathway(maps, skips, indices) for task, pathway in self.pathways.items()}

    def _keep(self, tasks: list[str]) -> None:
        keep_tasks(self.pathways, tasks)


class HourglassPathway(nn.Module):
    """The decoder's levels that one task has of its own, and its head.

    Args:
        levels: the convolutions of each level, coarsest first.
        head: from the finest level's features to the prediction.
        coarser: number of coarser levels, which the tasks share.
        concat: whether features are concatenated rather than summed.

    """

    def __init__(self, levels: Sequence[SegNetLevel], head: nn.Module, coarser: int, concat: bool) -> None:
        super().__init__()
        self.levels = nn.ModuleList(levels)
        self.head = head
        self.coarser = coarser
        self.concat = concat

    def forward(self, maps: list[Tensor], skips: list[Tensor], indices: list[Tensor]) -> Tensor:
        """Predict the task from the maps of its coarsest level, as of `maps_of_level`; see there for the others."""
        for i, level in enumerate(self.levels):
            maps = maps_of_level(level(maps)[1], skips, indices, self.coarser + i + 1, self.concat)
        prediction: Tensor = self.head(maps[0])
        return prediction


def maps_of_level(x: Tensor, skips: list[Tensor], indices: list[Tensor], coarser: int, concat: bool) -> list[Tensor]:
    """What a decoder's level takes: the coarser level's output, unpooled, and the encoder's features.

    Args:
        x: the coarser level's output, (B, C, *smaller).
        skips: the encoder's features of each level before pooling, (B, C, *spatial), finest first.
        indices: indices of each level's pooling, finest first.
        coarser: number of coarser levels, which this one comes after.
        concat: whether features are concatenated rather than summed.

    Returns:
        The maps to concatenate, or their sum; x alone where no level is left.

    """
    if coarser == len(skips):
        return [x]
    skip = skips[-1 - coarser]
    unpooled = unpool(x, indices[-1 - coarser], list(skip.shape[2:]))
    return [unpooled, skip] if concat else [unpooled + skip]
