"""A shared SegNet, and per task one that takes all of its maps (the "dense" baseline of MTAN, Liu et al. 2019)."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from typing_extensions import Unpack

from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..blocks.pooling import unpool
from ..multi_task_network import MultiTaskNetwork
from .layout import LayoutArguments, SegNetLayout
from .levels import SegNetEncoderLevel, SegNetLevel


class DenseSegNet(MultiTaskNetwork):
    """A SegNet shared by all tasks, and one of its own per task, each level of which takes its own and the shared map.

    The shared maps are the inputs of encoder levels 2, 3, ... and of all decoder levels, after unpooling; each network
    unpools with indices of its own. The published code also has the convolutions of the shared decoder's finest level,
    whose output nothing reads (44,583 parameters for 13 classes); here they are left out. Tasks with one vector per
    image have an encoder only, and a head on its output. Whatever `width_change` says, the finest level of a task's own
    decoder changes the number of channels last, as published (128 -> 128 -> 64).

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box.
        arguments: of :class:`SegNetLayout`, which explains them: features, convolutions, strides, width_change, order,
            head, pooled_size, act, norm.

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
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        **arguments: Unpack[LayoutArguments],
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        layout = SegNetLayout(spatial_dims, in_channels, **arguments)
        widths = layout.decoder_widths()
        self.decodes = bool(self.out_channels)
        # The shared encoder's last map goes to decoders only.
        self.encoder = nn.ModuleList(layout.encoder_levels() if self.decodes else layout.encoder_levels()[:-1])
        self.decoder = nn.ModuleList(layout.decoder_levels(widths[:-1]) if self.decodes else [])
        finest = widths[-1]
        widths[-1] = [2 * layout.features[0]] * (len(finest) - 1) + [finest[-1]]
        self.networks = nn.ModuleDict(
            {
                task: DenseTaskNetwork(
                    layout.encoder_levels(received=2),
                    layout.decoder_levels(widths, received=2),
                    layout.dense_head(channels),
                )
                for task, channels in self.out_channels.items()
            }
        )
        for task, number in self.out_features.items():
            vector_head = layout.vector_head(number)
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
        unpooled = [unpool(pooled[-1], indices[-1], sizes[-1])] if self.decodes else []
        for i, level in enumerate(self.decoder):
            unpooled.append(unpool(level([unpooled[-1]])[1], indices[-2 - i], sizes[-2 - i]))
        return {task: network(pooled, unpooled, sizes) for task, network in self.networks.items()}

    def _keep(self, tasks: list[str]) -> None:
        keep_tasks(self.networks, tasks)
        if self.decodes and not self.out_channels:
            self.decodes = False
            self.encoder, self.decoder = self.encoder[:-1], nn.ModuleList()


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
            pooled: the image, and the shared encoder's pooled maps, finest first; the last one may be absent.
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
            maps = [encoded.pooled] + pooled[i + 1 : i + 2]  # noqa: RUF005 (TorchScript)
        y = maps[0]
        for i, level in enumerate(self.decoder):
            y = level([unpool(y, indices[-1 - i], sizes[-1 - i]), unpooled[i]])[1]
        prediction: Tensor = self.head(y)
        return prediction
