"""A shared SegNet, and per task one that takes all of its maps (the "dense" baseline of MTAN, Liu et al. 2019)."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .dense_head import dense_head, widths_before_heads
from .input_check import check_input
from .per_axis_pooling import Strides
from .segnet_layout import VGG16_CONVOLUTIONS, VGG16_FEATURES, SegNetLayout
from .segnet_levels import SegNetEncoderLevel, SegNetLevel
from .task_channels import check_tasks
from .unpooling import unpool
from .vector_head import VectorHead


class DenseSegNet(nn.Module):
    """A SegNet shared by all tasks, and one of its own per task, each level of which takes its own and the shared map.

    The shared maps are the inputs of encoder levels 2, 3, ... and of all decoder levels, after unpooling; each network
    unpools with indices of its own. The published code also has the convolutions of the shared decoder's finest level,
    whose output nothing reads (44,583 parameters for 13 classes); here they are left out. Tasks with one vector per
    image have an encoder only, and a head on its output.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box.
        features: number of channels of each level, finest first.
        convolutions: number of convolutions of each level, finest first.
        strides: pooling stride: one int for all, or one entry per level, an int or one int per axis.
        width_change: which of a decoder level's convolutions changes the number of channels: ``"first"`` or ``"last"``;
            at the finest level of a task's own decoder it is the last one, as published (128 -> 128 -> 64).
        order: ``"conv_norm_act"`` or ``"norm_conv_act"``.
        head: the convolutions of a dense head: ``"3x3_1x1"``, ``"1x1"``, or ``"3x3"``, which stands for the decoder's
            last one.
        pooled_size: voxels per axis of the grid that an encoder's output is averaged to for vector tasks.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    Attributes:
        encoder: the shared encoder's levels, finest first.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = DenseSegNet(2, 3, out_channels={"segment": 7, "depth": 1}, features=(8, 16, 16),
        ...                       convolutions=(2, 2, 3))
        >>> {task: prediction.shape for task, prediction in network(torch.rand(2, 3, 65, 97)).items()}
        {'segment': torch.Size([2, 7, 65, 97]), 'depth': torch.Size([2, 1, 65, 97])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        out_features: Mapping[str, int] | None = None,
        features: Sequence[int] = VGG16_FEATURES,
        convolutions: Sequence[int] = VGG16_CONVOLUTIONS,
        strides: Strides = 2,
        width_change: str = "first",
        order: str = "conv_norm_act",
        head: str = "3x3_1x1",
        pooled_size: int = 8,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "BATCH",
    ) -> None:
        super().__init__()
        layout = SegNetLayout(
            spatial_dims, in_channels, features, convolutions, strides, width_change, order, act, norm
        )
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.out_channels, self.out_features = check_tasks(out_channels, out_features)
        widths = widths_before_heads(head, layout)
        self.encoder = nn.ModuleList(layout.encoder_levels())
        self.decoder = nn.ModuleList(layout.decoder_levels(widths[:-1]) if self.out_channels else [])
        finest = widths[-1]
        widths[-1] = [2 * features[0]] * (len(finest) - 1) + [finest[-1]]
        self.networks = nn.ModuleDict(
            {
                task: DenseTaskNetwork(
                    layout.encoder_levels(received=2),
                    layout.decoder_levels(widths, received=2),
                    dense_head(head, layout, channels),
                )
                for task, channels in self.out_channels.items()
            }
        )
        for task, number in self.out_features.items():
            vector_head = VectorHead(spatial_dims, features[-1], number, pooled_size)
            self.networks[task] = DenseTaskNetwork(layout.encoder_levels(received=2), [], vector_head)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw prediction of each task, in the order of `out_channels` and then `out_features`: dense ones
            (B, out_channels[task], *spatial), vectors (B, out_features[task]).

        """
        check_input(x, "DenseSegNet", self.spatial_dims, self.in_channels)
        pooled = [x]
        indices: list[Tensor] = []
        sizes: list[list[int]] = []
        for level in self.encoder:
            encoded = level([pooled[-1]])
            sizes.append(list(pooled[-1].shape[2:]))
            indices.append(encoded.indices)
            pooled.append(encoded.pooled)
        unpooled = [unpool(pooled[-1], indices[-1], sizes[-1])]
        for i, level in enumerate(self.decoder):
            unpooled.append(unpool(level([unpooled[-1]])[1], indices[-2 - i], sizes[-2 - i]))
        return {task: network(pooled, unpooled, sizes) for task, network in self.networks.items()}


class DenseTaskNetwork(nn.Module):
    """One task's SegNet, whose levels take the shared network's maps beside its own.

    Args:
        encoder: the encoder's levels, finest first, the first of which takes the image alone.
        decoder: the decoder's levels, coarsest first; none for a task with one vector per image.
        head: from the decoder's output, or else the encoder's, to the prediction.

    """

    def __init__(self, encoder: Sequence[SegNetEncoderLevel], decoder: Sequence[SegNetLevel], head: nn.Module) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(encoder)
        self.decoder = nn.ModuleList(decoder)
        self.head = head

    def forward(self, pooled: list[Tensor], unpooled: list[Tensor], sizes: list[list[int]]) -> Tensor:
        """Predict the task.

        Args:
            pooled: the image, and the shared encoder's pooled maps, finest first.
            unpooled: the inputs of the shared decoder's levels, coarsest first.
            sizes: size of each level, finest first.

        Returns:
            The prediction, (B, C, *spatial) or (B, C).

        """
        maps = [pooled[0]]
        indices: list[Tensor] = []
        for i, level in enumerate(self.encoder):
            encoded = level(maps)
            indices.append(encoded.indices)
            maps = [encoded.pooled, pooled[i + 1]]
        y = maps[0]
        for i, level in enumerate(self.decoder):
            y = level([unpool(y, indices[-1 - i], sizes[-1 - i]), unpooled[i]])[1]
        prediction: Tensor = self.head(y)
        return prediction
